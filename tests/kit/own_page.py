"""The agent's own page as the agent sees it, in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Browser, Locator, Page, expect

from tests.kit.pages import note_problems, sign_in

TIMEOUT_MS = 60_000
WIDE, PHONE, SMALLEST = (1400, 900), (390, 844), (320, 640)


class Card:
    """One MRD, or the desktop, as the agent sees it."""

    def __init__(self, page: Page, mrd: str) -> None:
        self.element = page.get_by_test_id("agent-page").get_by_test_id(f"my-state-{mrd}")

    def part(self, test_id: str) -> Locator:
        return self.element.get_by_test_id(test_id)

    def act(self, action: str) -> None:
        self.part(f"act-{action}").click()

    def expect_state(self, words: str) -> None:
        expect(self.element.locator(".badge")).to_have_text(words, timeout=TIMEOUT_MS)

    def expect_message(self, text: str) -> None:
        expect(self.part("message")).to_contain_text(text, timeout=TIMEOUT_MS)

    def sign_in(self) -> None:
        self.act("sign-in")
        self.part("apply").click()
        self.expect_message("Done: you are “Not ready”.")


class Agent:
    """A browser in which an agent is signed in, with all that its console has said."""

    def __init__(self, browser: Browser, url: str, login: str, size: tuple[int, int]) -> None:
        self.context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.context.set_default_timeout(TIMEOUT_MS)
        self.problems: list[str] = []
        self.url = url
        self.page = self.new_tab()
        sign_in(self.page, url, login)
        self.go_live()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        note_problems(page, self.problems)
        return page

    def go_live(self) -> None:
        connection = self.page.get_by_test_id("connection")
        expect(connection).to_have_attribute("data-state", "live", timeout=TIMEOUT_MS)

    def card(self, mrd: str) -> Card:
        return Card(self.page, mrd)


LUNCH, MEETING = "1001", "1002"


Ask = Callable[..., None]
