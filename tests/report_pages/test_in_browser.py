"""History and reports in a real browser: each role's way, on paper, by keyboard, on a phone."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kit.axe import findings_in_both_schemes
from tests.kit.installation import Installation
from tests.kit.page_policy import NOTE_VIOLATIONS, violations
from tests.kit.pages import sign_in
from tests.kit.printed import pages, without_blanks
from tests.kit.window import LONG_TIMEOUT_MS

Person = Callable[..., Page]


DAY_OF_THE_DEMO = """
import json
from media.models import StateInterval
signed_in = StateInterval.objects.filter(cause="system").earliest("started_at")
print(json.dumps(signed_in.started_at.date().isoformat()))
"""


@pytest.fixture(scope="module")
def days(installation: Installation) -> tuple[str, str]:
    """First and last of the days, in UTC, of which the demo has a history; one is a Sunday without
    any. They end before the day on which the demo was made, whatever day it is by now."""
    made = date.fromisoformat(installation.query(DAY_OF_THE_DEMO))
    return (made - timedelta(days=7)).isoformat(), (made - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def week(days: tuple[str, str]) -> str:
    first, last = days
    return f"from={first}&to={last}"


@pytest.fixture
def person(browser: Browser, installation: Installation) -> Iterator[Person]:
    contexts = []

    def signed_in(login_id: str, width: int = 1400, **look: Any) -> Page:
        viewport: Any = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, timezone_id="UTC", **look)
        context.set_default_timeout(LONG_TIMEOUT_MS)
        contexts.append(context)
        context.add_init_script(NOTE_VIOLATIONS)
        page = context.new_page()
        sign_in(page, f"{installation.url}/login/?next=/account/", login_id)
        page.wait_for_url(f"{installation.url}/account/")
        return page

    yield signed_in
    for context in contexts:
        context.close()


def opened(page: Page, path: str) -> Page:
    page.goto(f"{page.url.partition('/a')[0]}{path}", wait_until="load")
    return page


def test_a_supervisor_finds_a_week_of_the_team_and_one_agents_days(
    person: Person, days: tuple[str, str]
) -> None:
    page = opened(person("2001"), "/admin/")
    page.get_by_role("link", name="History and reports").click()
    first, last = days
    page.get_by_label("From").fill(first)
    page.get_by_label("to", exact=True).fill(last)
    page.get_by_test_id("show-days").click()

    agents = page.get_by_test_id("table-agents")
    expect(agents.get_by_role("row")).to_have_count(7)
    expect(page.get_by_test_id("table-reasons")).to_contain_text("Not ready: Lunch")
    expect(page.locator("#content")).not_to_contain_text("Chi Wong")
    expect(page.locator("svg.columns title").first).to_contain_text("Ready: ")

    agents.get_by_role("link", name="Ana Lima").click()
    expect(page.locator("h1")).to_have_text("History of Ana Lima (1234)")
    expect(page.locator("svg.line")).to_have_count(2 * 6)
    day = page.get_by_test_id("table-days").get_by_role("link").first
    named = day.inner_text()
    day.click()
    expect(page.get_by_test_id("shown")).to_contain_text(named.split()[1])
    expect(page.get_by_test_id("table-stays")).to_contain_text("Signed out: End of shift")
    assert violations(page) == []


def test_a_supervisor_of_two_teams_chooses_one_and_can_bookmark_it(
    person: Person, week: str
) -> None:
    page = opened(person("2002"), f"/admin/reports/?{week}")
    expect(page.get_by_test_id("table-teams")).to_contain_text("Back office")
    page.get_by_test_id("team").select_option(label="Back office")
    page.get_by_test_id("step").select_option(label="60 minutes")
    page.get_by_test_id("show").click()

    expect(page.get_by_test_id("table-agents")).to_contain_text("Chi Wong")
    expect(page.get_by_test_id("table-agents")).not_to_contain_text("Ana Lima")
    assert "team=2" in page.url
    assert "step=1h" in page.url
    # The tables come while the page still arrives.
    page.wait_for_load_state()
    shown = page.locator("#content").inner_text()
    page.goto(page.url)
    assert page.locator("#content").inner_text() == shown


def test_an_administrator_sees_all_teams_and_steps_back_in_time(person: Person, week: str) -> None:
    page = opened(person("admin"), f"/admin/reports/?{week}")
    agents = page.get_by_test_id("table-agents")
    expect(agents).to_contain_text("Ana Lima")
    expect(agents).to_contain_text("Chi Wong")
    page.get_by_test_id("earlier").click()
    expect(page.get_by_test_id("empty")).to_be_visible()
    page.get_by_test_id("later").click()
    expect(agents).to_contain_text("Ana Lima")
    page.get_by_test_id("period-this-month").click()
    assert page.url.endswith("?period=this-month")


def test_an_agent_reads_the_own_days_and_no_others(person: Person, week: str) -> None:
    page = person("1234")
    page.get_by_role("link", name="Your history").click()
    expect(page.locator("h1")).to_have_text("History of Ana Lima (1234)")
    opened(page, f"/account/history/?{week}")
    expect(page.get_by_test_id("table-stays")).to_contain_text("Not ready: ")
    for path in ("/admin/reports/", "/admin/reports/agent/1234/", "/admin/reports/agent/1235/"):
        opened(page, path)
        expect(page).to_have_url(f"{page.url.partition('/admin')[0]}/admin/login/?next={path}")


def test_a_bad_address_says_so_and_the_page_leads_on(person: Person) -> None:
    page = opened(person("2001"), "/admin/reports/?from=yesterday")
    expect(page.get_by_test_id("problem")).to_contain_text("“yesterday” is no day")
    page.get_by_test_id("period-today").click()
    expect(page.get_by_test_id("problem")).to_have_count(0)


def test_a_report_can_be_asked_for_and_read_by_keyboard_alone(person: Person, week: str) -> None:
    page = opened(person("2001"), f"/admin/reports/?{week}")
    page.get_by_test_id("later").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Ana Lima":
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("History of Ana Lima (1234)")
    page.get_by_test_id("period-last-month").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("period-this-month")).to_have_attribute("aria-current", "true")


def test_paper_has_figures_and_charts_without_controls_and_repeats_the_heads(
    person: Person, week: str
) -> None:
    page = opened(person("2001", color_scheme="dark"), f"/admin/reports/agent/1234/?{week}")
    printed = page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594" in printed
    papers = pages(printed)
    whole = "".join(papers)
    for text in ("History of Ana Lima (1234)", "Not ready: Lunch", "Times are those of UTC"):
        assert without_blanks(text) in whole
    for control in ("Show these days", "Last month", "Sign out", "Change password", "Earlier"):
        assert without_blanks(control) not in whole
    # The stays fill many pages, and each begins with what its columns are.
    of_stays = [paper for paper in papers if without_blanks("Brought about by") in paper]
    assert len(of_stays) > 3
    assert papers[-1] in of_stays, "an empty page at the end"


def test_no_table_is_wider_than_the_paper(person: Person, week: str) -> None:
    a4_without_margins = 688
    page = person("2001", a4_without_margins)
    page.emulate_media(media="print")
    for path in (f"/admin/reports/?{week}", f"/admin/reports/agent/1234/?{week}"):
        opened(page, path)
        assert too_wide(page) <= 0, path


@pytest.mark.parametrize("width", [1400, 320])
def test_axe_finds_nothing_and_nothing_is_too_wide(person: Person, width: int, week: str) -> None:
    found: dict[str, list[str]] = {}
    agent = f"/admin/reports/agent/1234/?{week}"
    for login_id, addresses in (
        ("2002", (f"/admin/reports/?{week}", "/admin/reports/?from=x", agent)),
        ("1234", (f"/account/history/?{week}", "/account/")),
    ):
        page = person(login_id, width, color_scheme="light")
        for address in addresses:
            opened(page, address)
            problems = findings_in_both_schemes(page)
            if too_wide(page) > 0:
                problems.append(f"{too_wide(page)} px too wide")
            if problems := [*problems, *violations(page)]:
                found[f"{login_id} {address}"] = problems
    assert not found, found


def too_wide(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found
