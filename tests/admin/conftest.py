"""People who work in the administration, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.kit.clicking import Person
from tests.kit.installation import Installation


@pytest.fixture
def person(browser: Browser, installation: Installation) -> Iterator[Any]:
    contexts: list[BrowserContext] = []

    def sign_in(login: str, lands_on: str = "/admin/", **options: Any) -> Person:
        contexts.append(browser.new_context(**options))
        return Person(contexts[-1], installation.url, login, lands_on)

    yield sign_in
    for context in contexts:
        context.close()
