"""Fixtures of tests in a real browser: Chromium, and what `make run` starts, for a file of tests.

`tests/conftest.py` names this module as a plugin of pytest, so that they are known everywhere.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.kit.chromium import FLAGS
from tests.kit.installation import Installation
from tests.kit.programs import needed
from tests.kit.window import LONG_TIMEOUT_MS, Window

OpenWindow = Callable[..., Window]
# Five seconds otherwise, which on a busy machine pass while nothing is wrong.
expect.set_options(timeout=LONG_TIMEOUT_MS)


@pytest.fixture(scope="module")
def chromium() -> str:
    return needed("chromium")


@pytest.fixture(scope="module")
def installation(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_window(installation: Installation, browser: Browser) -> Iterator[OpenWindow]:
    windows: list[Window] = []

    def open_one(width: int = 1280, height: int = 800) -> Window:
        windows.append(Window(browser, installation.url, width, height))
        return windows[-1]

    yield open_one
    for window in windows:
        window.context.close()
