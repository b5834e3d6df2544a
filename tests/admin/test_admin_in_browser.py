"""The administration in a real browser: it works under the strict policy of its pages."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.kit.installation import Installation
from tests.kit.page_policy import NOTE_VIOLATIONS, violations
from tests.kit.window import LONG_TIMEOUT_MS

PAGES = (
    "",
    "password_change/",
    "users/user/",
    "users/user/add/",
    "users/user/1234/change/",
    "users/user/1234/password/",
    "users/user/1234/history/",
    "users/user/1234/delete/",
    "users/user/?is_active__exact=1&_facets=True",
    "users/team/1/change/",
    "reasoncodes/reasoncode/",
    "reasoncodes/reasoncode/1003/change/",
    "reasoncodes/reasoncode/add/?_popup=1",
    "media/mediaroutingdomain/add/",
    "media/media/",
    "media/media/add/",
    "media/mediarequest/",
    "media/mediarequest/1/change/",
    "media/stateinterval/",
    "notifications/notification/",
    "notifications/notification/1/change/",
    "nowhere/",
)


@pytest.fixture
def page(browser: Browser, installation: Installation) -> Any:
    context = browser.new_context()
    context.set_default_timeout(LONG_TIMEOUT_MS)
    context.add_init_script(NOTE_VIOLATIONS)
    page = context.new_page()
    page.goto(f"{installation.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "finesse")
    page.click("button[type=submit]")
    # Not the page of the sign-in: that one has no such button.
    page.get_by_role("button", name="Sign out").wait_for()
    yield page
    context.close()


def test_no_page_breaks_its_policy(page: Page, installation: Installation) -> None:
    for path in PAGES:
        answer = page.goto(f"{installation.url}/admin/{path}", wait_until="load")
        assert answer is not None
        assert "default-src 'self'" in answer.headers["content-security-policy"], path
        assert violations(page) == [], path


def test_the_widgets_work(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.url}/admin/media/media/add/")
    page.click(".field-user .select2-selection")
    page.wait_for_selector(".select2-results__option:has-text('Ana')")
    assert violations(page) == []
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_function("window.violations.length === 1")
