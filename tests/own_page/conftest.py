"""One installation for the tests of a file, and agents who sign in to their own page."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.own_page import WIDE, Agent, Ask

OpenAgent = Callable[..., Agent]


@pytest.fixture
def sign_in(installation: Installation, browser: Browser) -> Iterator[OpenAgent]:
    opened: list[Agent] = []

    def open_one(login: str, size: tuple[int, int] = WIDE) -> Agent:
        opened.append(Agent(browser, installation.url, login, size))
        return opened[-1]

    yield open_one
    for agent in opened:
        agent.context.close()


@pytest.fixture
def ask(installation: Installation) -> Ask:
    def send(method: str, path: str, body: str, login: str) -> None:
        answer = httpx.request(
            method,
            f"{installation.url}/finesse/api/{path}",
            content=body,
            headers={"Content-Type": "application/xml"},
            auth=(login, "finesse"),
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code in {200, 202}, answer.text

    return send
