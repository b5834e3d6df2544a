"""One installation for the tests of a file, and agents who sign in to their own page."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.kit.chromium import FLAGS
from tests.kit.installation import Installation
from tests.kit.own_page import WIDE, Agent
from tests.kit.programs import needed

OpenAgent = Callable[..., Agent]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    needed("chromium")
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needed("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def sign_in(installation: Installation, browser: Browser) -> Iterator[OpenAgent]:
    opened: list[Agent] = []

    def open_one(login: str, size: tuple[int, int] = WIDE) -> Agent:
        opened.append(Agent(browser, installation.url, login, size))
        return opened[-1]

    yield open_one
    for agent in opened:
        agent.context.close()
