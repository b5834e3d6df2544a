"""Accounts in a real browser: one's own password, the first sign-in, links, the end of sessions."""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.kit import pages
from tests.kit.axe import findings
from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.page_policy import NOTE_VIOLATIONS, violations

PASSWORD = "finesse"
NEW = "a longer battery staple"
GIVEN = "given by the administrator"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
LONG_TIMEOUT_MS = 60_000
PICTURES = os.environ.get("ACCOUNT_PICTURES", "")
"""A folder for pictures of the pages, to be looked at."""

OpenPage = Callable[..., Page]


PEOPLE = """
from finesse.users.models import Team, User
team = Team.objects.create(pk=9, name="Accounts")
for login, name, fields in (
    ("9001", "Agent", {"team": team}),
    ("9002", "Supervisor", {"is_supervisor": True}),
    ("9003", "Boss", {"is_superuser": True}),
    ("9004", "Linked", {}),
    ("9005", "Given", {"is_supervisor": True}),
):
    User.objects.create_user(login, "finesse", first_name=name, **fields)
"""
"""Their passwords are changed here. The demo's people keep theirs."""


@pytest.fixture(scope="module")
def installation(
    chromium: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    made.manage("shell", "--no-imports", "-c", PEOPLE)
    yield made
    made.end()


@pytest.fixture
def open_page(browser: Browser, installation: Installation) -> Iterator[OpenPage]:
    """Pages of browsers that know nothing of each other."""
    contexts: list[BrowserContext] = []

    def open_one(address: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=installation.url, **options)
        context.set_default_timeout(LONG_TIMEOUT_MS)
        context.add_init_script(NOTE_VIOLATIONS)
        contexts.append(context)
        page = context.new_page()
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()


def sign_in(page: Page, login: str, password: str = PASSWORD) -> Page:
    pages.sign_in(page, "/login/", login, password)
    return page


def choose(page: Page, password: str = NEW) -> None:
    expect(page.get_by_role("heading", name="Choose your password")).to_be_visible()
    page.get_by_label("New password", exact=True).fill(password)
    page.get_by_label("New password, once more").fill(password)
    page.get_by_role("button", name="Choose it and sign in").click()


def expect_viewer(page: Page, state: str = "live") -> None:
    connection = page.get_by_test_id("connection")
    expect(connection).to_have_attribute("data-state", state, timeout=LONG_TIMEOUT_MS)


def picture(page: Page, name: str) -> None:
    assert violations(page) == [], name
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def api(installation: Installation, login: str, password: str) -> int:
    address = f"{installation.url}/finesse/api/User/{login}"
    return httpx.get(address, auth=(login, password), timeout=TIMEOUT_SECONDS).status_code


@pytest.mark.parametrize("login", ["9001", "9002", "9003"])
def test_everybody_changes_the_own_password_from_the_viewer(
    login: str, open_page: OpenPage, installation: Installation
) -> None:
    page, other = sign_in(open_page(), login), sign_in(open_page(), login)
    expect_viewer(other)
    second_tab = page.context.new_page()
    second_tab.goto("/")
    expect_viewer(second_tab)
    page.get_by_role("link", name="Your account").click()
    picture(page, f"account-{login}")
    page.get_by_role("link", name="Change your password").click()
    page.get_by_label("Your password until now").fill("wrong")
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password, once more").fill(NEW)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not your password")
    picture(page, f"password-{login}")
    page.get_by_label("Your password until now").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW)
    page.get_by_label("New password, once more").fill(NEW)
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("Your password is changed")

    # The socket with the old password has ended, and the other browser is signed out.
    expect_viewer(other, "signed-out")
    page.get_by_role("link", name="Viewer").click()
    expect_viewer(page)
    expect_viewer(second_tab)
    assert api(installation, login, PASSWORD) == 401
    assert api(installation, login, NEW) == 200


PRESS_TWICE = """(button) => {
  button.click();
  setTimeout(() => { button.click(); console.log("pressed again"); }, 200);
}"""


def test_a_form_is_sent_once_though_its_answer_takes_long(open_page: OpenPage) -> None:
    page = open_page("/login/")
    held: list[Route] = []
    page.route("**/login/", lambda route: held.append(route))
    page.get_by_label("Login ID").fill("1237")
    page.get_by_label("Password").fill(PASSWORD)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.get_by_role("button", name="Sign in").evaluate(PRESS_TWICE)
    while not (held and "pressed again" in said):
        page.wait_for_timeout(20)
    held[-1].continue_()
    expect_viewer(page)
    assert len(held) == 1


def test_a_new_user_chooses_a_password_at_the_first_sign_in(
    open_page: OpenPage, installation: Installation
) -> None:
    page = sign_in(open_page(), "admin")
    page.goto("/admin/users/user/add/")
    page.get_by_label("Login ID").fill("1400")
    page.locator("#id_password1").fill(GIVEN)
    page.locator("#id_password2").fill(GIVEN)
    page.get_by_label("First name").fill("Eva")
    expect(page.get_by_label("Ask for a new password")).to_be_checked()
    picture(page, "new-user")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    assert api(installation, "1400", GIVEN) == 401

    eva = sign_in(open_page(viewport={"width": 390, "height": 800}), "1400", GIVEN)
    picture(eva, "choose-on-a-phone")
    choose(eva, GIVEN)
    expect(eva.get_by_role("alert")).to_contain_text("password that you have now")
    choose(eva)
    expect_viewer(eva)
    assert api(installation, "1400", NEW) == 200


def test_a_supervisor_with_a_given_password_is_led_from_the_administration_to_the_choice(
    open_page: OpenPage,
) -> None:
    page = sign_in(open_page(), "admin")
    page.goto("/admin/users/user/9005/password/")
    page.locator("#id_password1").fill(GIVEN)
    page.locator("#id_password2").fill(GIVEN)
    picture(page, "set-password")
    page.locator("input[name=set-password]").click()
    expect(page.get_by_text("Password changed successfully")).to_be_visible()

    dana = open_page("/admin/")
    dana.fill("#id_username", "9005")
    dana.fill("#id_password", GIVEN)
    dana.click("[type=submit]")
    dana.get_by_role("link", name="Sign in on the viewer").click()
    dana.get_by_label("Login ID").fill("9005")
    dana.get_by_label("Password").fill(GIVEN)
    dana.get_by_role("button", name="Sign in").click()
    choose(dana)
    expect(dana).to_have_title("What do you want to manage? – Finesse Media")


def test_a_sign_in_link_works_once(open_page: OpenPage, installation: Installation) -> None:
    page = sign_in(open_page(), "admin")
    page.goto("/admin/users/user/9004/change/")
    picture(page, "user")
    page.get_by_role("link", name="Sign-in links, blocks").click()
    page.get_by_role("button", name="Make a sign-in link").click()
    picture(page, "link")
    assert findings(page) == []
    link = page.locator("#link").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("[data-copied]")).not_to_be_empty()

    ana = open_page(link)
    assert findings(ana) == []
    assert ana.url.endswith("/password/choose/")
    choose(ana)
    expect_viewer(ana)
    late = open_page(link)
    expect(late.get_by_role("heading")).to_have_text("This link works no more")
    picture(late, "void")
    assert api(installation, "9004", NEW) == 200


def test_an_administrator_ends_all_sessions_of_a_user(open_page: OpenPage) -> None:
    ana, page = sign_in(open_page(), "1234"), sign_in(open_page(), "admin")
    expect_viewer(ana)
    page.goto("/admin/users/user/1234/account/")
    expect(page.get_by_role("row")).to_have_count(2)
    picture(page, "sessions")
    page.get_by_role("button", name="End all sessions").click()
    expect(page.get_by_text("In no browser.")).to_be_visible()
    expect_viewer(ana, "signed-out")


def test_one_session_is_ended_and_no_other(open_page: OpenPage) -> None:
    phone = {"viewport": {"width": 390, "height": 800}}
    chi, kept = (sign_in(open_page(), "1300") for _ in range(2))
    lost = sign_in(open_page(user_agent=FIREFOX), "1300")
    expect_viewer(lost)
    chi.goto("/account/")
    ends = chi.get_by_role("button", name=re.compile("^End the session of"))
    expect(ends).to_have_count(2)
    assert findings(chi) == []
    picture(chi, "own-sessions")
    chi.get_by_role("button", name=re.compile("^End the session of Firefox on Windows")).click()
    expect(chi.get_by_role("status")).to_contain_text("Ended: Firefox on Windows")
    expect(ends).to_have_count(1)
    expect_viewer(lost, "signed-out")
    expect_viewer(kept)

    admin = sign_in(open_page(**phone), "admin")
    admin.goto("/admin/users/user/1300/account/")
    ends = admin.get_by_role("button", name=re.compile("^End the session of"))
    expect(ends).to_have_count(2)
    assert findings(admin) == []
    assert admin.evaluate("document.documentElement.scrollWidth") <= 390
    ends.nth(0).click()
    expect(admin.get_by_text("Ended: ")).to_be_visible()
    expect(ends).to_have_count(1)


@pytest.mark.parametrize("width", [390, 960, 1400])
def test_the_viewers_bar_has_room_for_the_account(width: int, open_page: OpenPage) -> None:
    page = sign_in(open_page(viewport={"width": width, "height": 800}), "admin")
    expect_viewer(page)
    name = page.get_by_role("link", name="Your account").locator(".name")
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth"), "the name is cut"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"viewer-{width}")


def test_an_agent_ends_the_own_other_sessions_and_reaches_no_others(open_page: OpenPage) -> None:
    ana, other = sign_in(open_page(), "1235"), sign_in(open_page(), "1235")
    expect_viewer(other)
    ana.goto("/account/")
    ana.get_by_role("button", name="End all other sessions").click()
    expect(ana.get_by_role("listitem")).to_have_count(1)
    expect_viewer(other, "signed-out")
    ana.goto("/admin/users/user/1234/account/")
    assert "/admin/login/" in ana.url


@pytest.mark.parametrize("login", ["2001", "admin"])
def test_the_page_of_a_team(login: str, open_page: OpenPage) -> None:
    page = sign_in(open_page(), login)
    page.goto("/admin/users/team/1/change/")
    expect(page.get_by_role("rowheader", name="Ana Lima")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Coaching")).to_be_visible()
    picture(page, f"team-{login}")
    page.set_viewport_size({"width": 390, "height": 800})
    picture(page, f"team-{login}-on-a-phone")
    if login == "admin":
        assert findings(page) == []
        page.get_by_label("Add members").fill("1300")
        page.get_by_role("button", name="Save and continue editing").click()
        expect(page.get_by_text("From another team: Chi Wong (1300).")).to_be_visible()
        expect(page.get_by_role("rowheader", name="Chi Wong")).to_be_visible()
