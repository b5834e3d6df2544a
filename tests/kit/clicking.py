"""A person in the administration, in a real browser, whose clicks are counted."""

from typing import Any

from playwright.sync_api import BrowserContext, expect

from tests.kit.page_policy import NOTE_VIOLATIONS
from tests.kit.pages import sign_in
from tests.kit.window import LONG_TIMEOUT_MS

NOTE_CLICKS = """
addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1;
}, true);
"""


class Person:
    """Signed in, with a count of the clicks since `start`."""

    def __init__(self, context: BrowserContext, url: str, login: str, lands_on: str) -> None:
        self.url = url
        context.set_default_timeout(LONG_TIMEOUT_MS)
        context.add_init_script(NOTE_VIOLATIONS)
        context.add_init_script(NOTE_CLICKS)
        self.page = context.new_page()
        sign_in(self.page, f"{url}/login/?next=/admin/", login)
        self.page.wait_for_url(f"{url}{lands_on}")

    def start(self) -> None:
        self.page.goto(f"{self.url}/admin/")
        self.page.evaluate("sessionStorage.clicks = 0")

    @property
    def clicks(self) -> int:
        return int(self.page.evaluate("Number(sessionStorage.clicks)"))

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()
        self.page.wait_for_load_state()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()
        self.page.wait_for_load_state()

    def row(self, label: str) -> Any:
        return self.page.locator("#result_list tr").filter(has_text=label)

    def expect_said(self, text: str) -> None:
        expect(self.page.locator(".messagelist")).to_contain_text(text)
