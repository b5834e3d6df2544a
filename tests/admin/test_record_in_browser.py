"""Who changed what, in a real browser: as supervisors and administrator, and not as an agent."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.page_policy import NOTE_VIOLATIONS, violations
from tests.kit.window import LONG_TIMEOUT_MS

PASSWORD = "finesse"
OF_TWO_TEAMS = """
from finesse.users.models import Team, User
user = User.objects.create_user("2002", "a password of two teams", first_name="Max")
user.is_supervisor = True
user.save()
for team in Team.objects.all():
    team.supervisors.add(user)
"""
CODES = "admin/reasoncodes/reasoncode/"
RECORD = "admin/reasoncodes/historicalreasoncode/"
Open = Callable[..., Page]


def of_team(installation: Installation, team: int, *codes: int) -> None:
    """The administrator offers these codes to the team, by the API."""
    uris = (f"<uri>/finesse/api/ReasonCode/{code}</uri>" for code in codes)
    listed = "".join(f"<ReasonCode>{uri}</ReasonCode>" for uri in uris)
    _put(
        f"{installation.url}/finesse/api/Team/{team}/ReasonCodes?category=NOT_READY",
        f"<ReasonCodes>{listed}</ReasonCodes>",
    )


def rename(installation: Installation, code: int, label: str) -> None:
    address = f"{installation.url}/finesse/api/ReasonCode/{code}"
    _put(address, f"<ReasonCode><label>{label}</label></ReasonCode>")


def _put(address: str, body: str) -> None:
    headers = {"Content-Type": "application/xml"}
    answer = httpx.put(
        address, content=body, headers=headers, auth=("admin", PASSWORD), timeout=TIMEOUT_SECONDS
    )
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def changed(installation: Installation) -> Installation:
    installation.manage("shell", "--no-imports", "-c", OF_TWO_TEAMS)
    rename(installation, 1003, "Coaching hour")
    rename(installation, 1004, "Filing papers")
    of_team(installation, 2, 1003, 1004)
    of_team(installation, 2, 1004)
    return installation


@pytest.fixture
def signed_in(browser: Browser, changed: Installation) -> Iterator[Open]:
    contexts = []

    def sign_in(login_id: str, password: str = PASSWORD, width: int = 1400) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(LONG_TIMEOUT_MS)
        contexts.append(context)
        context.add_init_script(NOTE_VIOLATIONS)
        page = context.new_page()
        page.goto(f"{changed.url}/{CODES}")
        page.fill("#id_username", login_id)
        page.fill("#id_password", password)
        with page.expect_navigation():
            page.press("#id_password", "Enter")
        return page

    yield sign_in
    for context in contexts:
        context.close()


def test_a_supervisor_sees_in_two_clicks_who_changed_a_code(signed_in: Open) -> None:
    page = signed_in("2001")
    page.get_by_role("link", name="Coaching hour").first.click()
    page.get_by_role("link", name="History", exact=True).first.click()

    renamed = page.locator(".record > li", has_text="Label:")
    expect(renamed.locator("del").first).to_have_text("Coaching")
    expect(renamed.locator("ins").first).to_have_text("Coaching hour")
    expect(renamed.first).to_contain_text("by API")
    assert violations(page) == []


def test_a_supervisor_of_one_team_reads_no_name_of_another(signed_in: Open) -> None:
    page = signed_in("2001")
    for address in (f"{RECORD}", f"{CODES}1003/history/"):
        page.goto(f"{page.url.partition('/admin')[0]}/{address}")
        expect(page.locator(".record")).to_contain_text("Chat, other teams")
        shown = page.locator("#content").inner_text()
        assert "Back office" not in shown
        assert "Administrator" not in shown
        assert "Filing" not in shown


def test_a_supervisor_of_two_teams_reads_both_names(signed_in: Open, changed: Installation) -> None:
    page = signed_in("2002", "a password of two teams")
    page.goto(f"{changed.url}/{RECORD}")

    expect(page.locator(".record")).to_contain_text("Back office, Chat")
    expect(page.locator(".record")).to_contain_text("Filing papers")


def test_a_supervisor_goes_back_by_one_click(signed_in: Open, changed: Installation) -> None:
    rename(changed, 1003, "Coaching day")
    page = signed_in("2001")
    page.goto(f"{changed.url}/{CODES}1003/history/")

    earlier = page.locator(".record > li", has=page.locator("ins", has_text="Coaching hour"))
    earlier.get_by_role("button", name="Go back to this").first.click()

    newest = page.locator(".record > li").first
    expect(newest).to_contain_text("Dana Ruiz (2001), by undo")
    expect(newest.locator("ins").first).to_have_text("Coaching hour")
    expect(newest).to_contain_text("as it is now")
    assert violations(page) == []


def test_going_back_is_asked_for_where_agents_lose_a_code(
    signed_in: Open, changed: Installation
) -> None:
    page = signed_in("admin")
    page.goto(f"{changed.url}/{CODES}1003/history/")
    shared = page.locator(".record > li", has=page.locator("ins", has_text="Back office, Chat"))
    shared.get_by_role("button", name="Go back to this").click()
    page.locator(".record > li").first.locator("ins").get_by_text("Back office, Chat").wait_for()

    alone = page.locator(".record > li", has=page.locator("ins", has_text="Coaching hour"))
    alone.get_by_role("button", name="Go back to this").last.click()

    expect(page.locator("h1")).to_contain_text("Go back to what")
    expect(page.locator(".warned")).to_contain_text("no longer be offered it. Nobody is in it now.")
    page.get_by_role("button", name="Go back to this").click()
    expect(page.locator(".record > li").first).to_contain_text("by undo")


def test_what_the_list_finds_is_exported(
    signed_in: Open, changed: Installation, tmp_path: Path
) -> None:
    page = signed_in("admin")
    page.goto(f"{changed.url}/{RECORD}")
    page.fill("#searchbar", "filing")
    page.press("#searchbar", "Enter")
    page.wait_for_url("**q=filing*")

    with page.expect_download() as download:
        page.get_by_role("link", name="Export as CSV").click()

    file = tmp_path / "record.csv"
    download.value.save_as(file)
    rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    assert ("Filing", "Filing papers") in [(row["From"], row["To"]) for row in rows]
    assert {row["Label"] for row in rows} <= {"Filing", "Filing papers"}


def test_an_agent_gets_to_none_of_it(signed_in: Open, changed: Installation) -> None:
    page = signed_in("1234")
    for address in (RECORD, f"{RECORD}export.csv", f"{CODES}1003/history/"):
        page.goto(f"{changed.url}/{address}")
        assert "Coaching" not in page.content()
        assert page.locator(".record").count() == 0


@pytest.mark.parametrize("width", [1400, 1024, 960, 390])
def test_no_page_is_wider_than_its_screen(
    signed_in: Open, changed: Installation, width: int
) -> None:
    page: Any = signed_in("2001", width=width)
    for address in (RECORD, f"{CODES}1003/history/"):
        page.goto(f"{changed.url}/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert violations(page) == []
