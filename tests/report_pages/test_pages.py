"""History and reports as supervisors, administrators and agents get them."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from finesse.users.models import Team, User
from media.models import Cause, IntervalCorrection, StateInterval
from media.report_pages.wording import brought_about_by
from reasoncodes.models import ReasonCode
from tests.conftest import PASSWORD, Cast
from tests.report_pages.conftest import DAY, Browser, Stayed

pytestmark = pytest.mark.usefixtures("own_layer")

REPORTS = f"/admin/reports/?from={DAY}"
ALICE = f"/admin/reports/agent/alice/?from={DAY}"
BOB = f"/admin/reports/agent/bob/?from={DAY}"
OWN = f"/account/history/?from={DAY}"
Day = dict[str, StateInterval]


def shown(browser: Client, address: str, status: int = 200) -> str:
    """The text of the page; blanks are as in print."""
    page = browser.get(address)
    assert page.status_code == status, page.status_code
    text = re.sub(r"<(svg|script|option)\b.*?</\1>", " ", page.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def of_two_teams(cast: Cast) -> User:
    gina = User.objects.create_user("gina", PASSWORD, first_name="Gina", is_supervisor=True)
    gina.supervised_teams.add(*Team.objects.all())
    return gina


# --- who may see what -----------------------------------------------------------------------------


def test_a_supervisor_sees_the_time_of_the_own_team_and_of_no_other(
    a_day: Day, browser_of: Browser
) -> None:
    text = shown(browser_of("carol"), REPORTS)
    assert "Alice" in text
    assert "Not ready: Lunch" in text
    for other in ("Bob", "Filing", "Back office"):
        assert other not in text


@pytest.mark.parametrize("login_id", ["gina", "dave"])
def test_a_supervisor_of_both_teams_and_an_administrator_see_both(
    a_day: Day, of_two_teams: User, browser_of: Browser, login_id: str
) -> None:
    text = shown(browser_of(login_id), REPORTS)
    for name in ("Alice", "Bob", "Not ready: Lunch", "Not ready: Filing", "By team"):
        assert name in text


def test_an_agent_gets_no_report_and_no_page_of_the_administration(
    a_day: Day, browser_of: Browser
) -> None:
    for address in (REPORTS, ALICE, BOB):
        answer = browser_of("alice").get(address)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", [REPORTS, ALICE, OWN])
def test_a_stranger_signs_in_first(a_day: Day, address: str) -> None:
    answer = Client().get(address)
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


@pytest.mark.parametrize(
    "address", [BOB, f"{REPORTS}&agent=bob", f"{REPORTS}&team={{}}", "/admin/reports/agent/nobody/"]
)
def test_what_is_of_another_team_is_not_found(
    a_day: Day, browser_of: Browser, address: str
) -> None:
    other = Team.objects.get(name="Back office").pk
    assert browser_of("carol").get(address.format(other)).status_code == 404


def test_an_agent_reads_the_own_day_and_sees_nobody_elses(a_day: Day, browser_of: Browser) -> None:
    text = shown(browser_of("alice"), OWN)
    assert "History of Alice (alice)" in text
    assert "Not ready: Lunch" in text
    assert "Filing" not in text
    assert 'href="/admin/' not in browser_of("alice").get(OWN).content.decode()


def test_an_agent_comes_to_the_own_day_from_the_account(cast: Cast, browser_of: Browser) -> None:
    assert reverse("own-report") in browser_of("alice").get("/account/").content.decode()


def test_a_supervisor_comes_to_reports_from_the_first_page_and_from_the_team(
    cast: Cast, browser_of: Browser
) -> None:
    team = Team.objects.get(name="Chat").pk
    assert reverse("reports") in browser_of("carol").get("/admin/").content.decode()
    page = browser_of("carol").get(f"/admin/users/team/{team}/change/").content.decode()
    assert f"{reverse('reports')}?team={team}" in page
    assert reverse("agent-report", args=("alice",)) in page


def test_who_supervises_no_team_is_told_so(cast: Cast, browser_of: Browser) -> None:
    User.objects.create_user("hugo", PASSWORD, first_name="Hugo", is_supervisor=True)
    assert "You supervise no team" in shown(browser_of("hugo"), REPORTS)


def test_time_stays_with_the_team_in_which_it_was_spent(
    a_day: Day, cast: Cast, browser_of: Browser
) -> None:
    alice = User.objects.get(pk="alice")
    alice.team = Team.objects.get(name="Back office")
    alice.save()
    assert "Not ready: Lunch" in shown(browser_of("carol"), REPORTS)
    assert "Not ready: Lunch" in shown(browser_of("carol"), ALICE)


# --- what is shown --------------------------------------------------------------------------------


def test_a_report_counts_time_stays_mean_and_longest(a_day: Day, browser_of: Browser) -> None:
    text = shown(browser_of("carol"), REPORTS)
    # Two stays ready: of two hours and of three.
    assert "Ready 5 h 00 min 83 % 2 2 h 30 min 3 h 00 min 0" in text
    assert "Not ready: Lunch 1 h 00 min 17 % 1 1 h 00 min 1 h 00 min 0" in text
    assert "Not productive 1 h 00 min 17 %" in text
    # From nine to three in hours, of which lunch is the third.
    assert "09:00 1 h 00 min 1 h 00 min" in text
    assert "11:00 1 h 00 min – 1 h 00 min" in text


def test_what_is_over_its_limit_is_counted_and_marked(
    a_day: Day, stayed: Stayed, codes: dict[str, ReasonCode], browser_of: Browser
) -> None:
    lunch = codes["Lunch"]
    lunch.maximum_minutes = 45
    lunch.save()
    ReasonCode.history.update(history_date=timezone.now() - timedelta(days=9_000))
    ReasonCode.history.exclude(maximum_minutes=45).filter(id=lunch.pk).delete()
    text = shown(browser_of("carol"), REPORTS)
    assert "Over the limit 1 for 15 min" in text
    assert "1 h 00 min 15 min over the limit" in shown(browser_of("carol"), ALICE)


def test_a_day_of_an_agent_says_first_last_and_every_stay(a_day: Day, browser_of: Browser) -> None:
    text = shown(browser_of("carol"), ALICE)
    assert "First signed in 09:00" in text
    assert "Last signed in 15:00" in text
    assert "Signed in for 6 h 00 min" in text
    assert "11:00:00 12:00:00 1 h 00 min Chat Not ready: Lunch the agent" in text
    assert "Signed out: End of shift" in text


def test_times_are_those_of_the_zone_that_the_address_names(
    a_day: Day, browser_of: Browser
) -> None:
    text = shown(browser_of("carol"), f"{ALICE}&zone=Asia/Kolkata")
    assert "Asia/Kolkata (UTC+05:30)" in text
    assert "First signed in 14:30" in text


def test_the_zone_is_the_browsers_own(a_day: Day, browser_of: Browser) -> None:
    browser = browser_of("carol")
    browser.cookies["time_zone"] = "Europe/Berlin"
    assert "First signed in 10:00" in shown(browser, ALICE)


def test_what_runs_still_says_so(stayed: Stayed, browser_of: Browser) -> None:
    began = timezone.now() - timedelta(minutes=1)
    stayed("alice", "READY", 0, None)
    StateInterval.objects.update(started_at=began)
    text = shown(browser_of("carol"), "/admin/reports/agent/alice/?period=this-month")
    assert "now still running" in text
    assert "What is still running counts until" in text
    assert "1 still running" in shown(browser_of("carol"), "/admin/reports/?period=this-month")


def test_what_runs_still_goes_on_after_a_period_that_is_over(
    stayed: Stayed, browser_of: Browser
) -> None:
    """ "Now" is not in it."""
    stayed("alice", "READY", 11, None)
    text = shown(browser_of("carol"), f"/admin/reports/agent/alice/?from={DAY}&to={DAY}")
    assert "goes on" in text
    assert "now still running" not in text


@pytest.mark.parametrize("cause", [one for one in Cause if one not in {"self", "supervisor"}])
def test_what_the_system_does_is_said_to_be_by_the_system(cause: Cause) -> None:
    assert brought_about_by(cause, "", "alice", "").startswith("the system")


@pytest.mark.parametrize("step", ["15m", "30m", "1h"])
def test_of_an_hour_that_comes_twice_each_has_its_own_time(
    cast: Cast, browser_of: Browser, step: str
) -> None:
    """When clocks go back both have the same times."""
    for hour, minutes in ((0, 10), (1, 5)):
        began = datetime(2026, 10, 25, hour, tzinfo=UTC)
        StateInterval.objects.create(
            login_id="alice",
            mrd_id=5000,
            state="READY",
            started_at=began,
            ended_at=began + timedelta(minutes=minutes),
            cause="self",
            actor="alice",
        )
    night = f"from=2026-10-25&to=2026-10-25&zone=Europe/Berlin&step={step}"
    text = shown(browser_of("carol"), f"/admin/reports/?{night}")
    first, _, second = text.partition("02:00 +0200")[2].partition("02:00 +0100")
    assert "10 min" in first
    assert "15 min" not in first + second
    assert "5 min" in second


def test_who_has_brought_a_state_about_and_why_is_said(
    stayed: Stayed, cast: Cast, browser_of: Browser
) -> None:
    stayed("alice", "READY", 0, 1, cause="supervisor", actor="carol", note="Queue is full")
    stayed("alice", "LOGOUT", 1, 1, cause="inactive", actor="")
    for login_id, address in (("dave", ALICE), ("carol", ALICE), ("alice", OWN)):
        text = shown(browser_of(login_id), address)
        assert "Carol (carol) “Queue is full”" in text
        assert "the system: the user was deactivated" in text


def test_a_corrected_reason_counts_and_the_first_one_stays_visible(
    a_day: Day, codes: dict[str, ReasonCode], browser_of: Browser
) -> None:
    IntervalCorrection.objects.create(
        interval=a_day["lunch"],
        reason_code=codes["Coaching"],
        code=3,
        label="Coaching",
        actor="carol",
        note="She was with me",
        at=timezone.now(),
    )
    text = shown(browser_of("carol"), ALICE)
    assert "Not ready: Coaching corrected First entered as Not ready: Lunch" in text
    assert "To Coaching by Carol" in text
    assert "“She was with me”" in text
    assert "Not ready: Lunch" not in shown(browser_of("carol"), REPORTS)


def test_what_a_supervisor_may_correct_leads_to_its_page(a_day: Day, browser_of: Browser) -> None:
    page = browser_of("carol").get(ALICE).content.decode()
    # Of all stays the lunch alone is not ready, and over.
    assert re.findall(r"/interval/(\d+)/correct/", page) == [str(a_day["lunch"].pk)]
    assert (
        browser_of("carol").get(f"/supervision/interval/{a_day['lunch'].pk}/correct/").status_code
        == 200
    )
    assert "/correct/" not in browser_of("alice").get(OWN).content.decode()


def test_a_retired_and_a_renamed_code_are_marked(
    a_day: Day, codes: dict[str, ReasonCode], browser_of: Browser
) -> None:
    codes["Lunch"].label = "Long lunch"
    codes["Lunch"].retired = True
    codes["Lunch"].save()
    text = shown(browser_of("carol"), ALICE)
    assert "Not ready: Lunch retired now called Long lunch" in text


def test_deleted_agents_and_teams_are_named_as_they_were(
    a_day: Day, cast: Cast, browser_of: Browser
) -> None:
    User.objects.get(pk="alice").delete()
    text = shown(browser_of("carol"), REPORTS)
    assert "alice deleted" in text
    assert "This user was deleted" in shown(browser_of("carol"), ALICE)
    Team.objects.get(name="Chat").delete()
    text = shown(browser_of("dave"), REPORTS)
    assert "Chat deleted" in text


def test_what_people_have_typed_is_text(stayed: Stayed, browser_of: Browser) -> None:
    stayed("alice", "READY", 0, 1, cause="supervisor", actor="carol", note="<script>alert(1)")
    page = browser_of("carol").get(ALICE).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_report_is_left_out_where_nobody_was_signed_in(cast: Cast, browser_of: Browser) -> None:
    assert "Nobody was signed in then" in shown(browser_of("carol"), REPORTS)
    assert "Nothing is recorded" in shown(browser_of("carol"), ALICE)


def test_a_report_of_one_agent_and_one_mrd_has_nothing_else(
    a_day: Day, stayed: Stayed, browser_of: Browser
) -> None:
    stayed("alice", "READY", 0, 7, mrd=5001)
    text = shown(browser_of("dave"), f"{REPORTS}&agent=alice&mrd=5001")
    assert "Signed in 7 h 00 min" in text
    assert "Lunch" not in text


def test_no_page_breaks_the_policy_of_styles_and_scripts(a_day: Day, browser_of: Browser) -> None:
    for login_id, address in (("carol", REPORTS), ("carol", ALICE), ("alice", OWN)):
        page = browser_of(login_id).get(address).content.decode()
        assert "<svg" in page
        assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
        assert not re.search(r"<(style|script)>", page)


# --- files ----------------------------------------------------------------------------------------


def downloaded(browser: Client, address: str, table: str, extension: str) -> Any:
    answer = browser.get(f"{address}&table={table}&file={extension}")
    assert answer.status_code == 200
    assert f'filename="{table}-{DAY}-{DAY}.{extension}"' in answer.headers["Content-Disposition"]
    return answer


def test_each_table_is_offered_as_the_files_that_the_page_shows(
    a_day: Day, browser_of: Browser
) -> None:
    page = unescape(browser_of("carol").get(REPORTS).content.decode())
    links = re.findall(r'href="([^"]*&file=\w+)"', page)
    assert len(links) == 3 * len(re.findall(r"<table", page))
    for link in links:
        assert browser_of("carol").get(f"/admin/reports/{link}").status_code == 200


@pytest.mark.parametrize("login_id", ["carol", "gina", "dave"])
def test_every_stay_behind_a_report_is_streamed_and_no_other(
    a_day: Day, of_two_teams: User, stayed: Stayed, browser_of: Browser, login_id: str
) -> None:
    # The own time of a supervisor is not that of a team.
    stayed("carol", "READY", 0, 1)
    browser = browser_of(login_id)
    page = unescape(browser.get(REPORTS).content.decode())
    (link,) = re.findall(r'href="(/finesse-media/api/[^"]*format=csv)"', page)
    answer = browser.get(link)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    whose = {row["agent"] for row in csv.DictReader(io.StringIO(text))}
    seen = {"carol": {"alice"}, "gina": {"alice", "bob"}, "dave": {"alice", "bob", "carol"}}
    assert whose == seen[login_id]


def test_a_file_has_the_rows_of_the_page_with_times_in_seconds(
    a_day: Day, browser_of: Browser
) -> None:
    text = downloaded(browser_of("carol"), REPORTS, "reasons", "csv").content.decode("utf-8-sig")
    rows = {row["State and reason"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["Not ready: Lunch"]["Time (seconds)"] == "3600"
    assert rows["Ready"]["Stays"] == "2"
    assert {*rows} == {"Ready", "Not ready: Lunch", "Signed out: End of shift"}

    book = load_workbook(
        io.BytesIO(downloaded(browser_of("carol"), REPORTS, "agents", "xlsx").content)
    )
    head, alice = book.active.iter_rows(values_only=True)
    assert dict(zip(head, alice, strict=True))["Ready (seconds)"] == 5 * 3_600

    stays = downloaded(browser_of("alice"), f"{OWN}&zone=Asia/Kolkata", "stays", "json").json()
    assert stays["zone"] == "Asia/Kolkata"
    lunch = next(row for row in stays["rows"] if row["State and reason"] == "Not ready: Lunch")
    assert lunch["From"] == "2026-03-02T16:30:00+05:30"
    assert lunch["For (seconds)"] == 3_600


def test_a_file_has_all_stays_where_the_page_has_the_first_ones(
    stayed: Stayed, browser_of: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.report_pages.agent_report.MOST_STAYS", 2)
    for after in range(5):
        stayed("alice", "READY", after, 1)
    assert "The first 2 of 5 stays" in shown(browser_of("carol"), ALICE)
    assert len(downloaded(browser_of("carol"), ALICE, "stays", "json").json()["rows"]) == 5


def test_the_table_over_time_counts_a_stay_in_the_step_in_which_it_began(
    stayed: Stayed, codes: dict[str, ReasonCode], browser_of: Browser
) -> None:
    for after, hours in ((0, 0.5), (0.5, 1)):
        stayed("alice", "NOT_READY", after, hours, codes["Lunch"])
    carol, address = browser_of("carol"), f"{REPORTS}&step=1h&zone=UTC"
    (head, nine, ten) = csv.reader(
        io.StringIO(downloaded(carol, address, "steps", "csv").content.decode("utf-8-sig"))
    )
    of_lunch = [n for n, name in enumerate(head) if name.startswith("Lunch")]
    assert [head[n] for n in of_lunch] == [
        "Lunch (seconds)",
        "Lunch: stays begun",
        "Lunch: mean (seconds)",
        "Lunch: longest (seconds)",
    ]
    assert [nine[n] for n in of_lunch] == ["3600", "2", "1800", "1800"]
    assert [ten[n] for n in of_lunch] == ["1800", "0", "1800", "3600"]
    for show, cells in (
        ("time", "09:00 1 h 00 min 1 h 00 min"),
        ("stays", "09:00 1 h 00 min 2"),
        ("mean", "09:00 1 h 00 min 30 min"),
        ("longest", "10:00 30 min 1 h 00 min"),
    ):
        assert cells in shown(carol, f"{address}&show={show}")


def test_a_file_has_nothing_that_a_spreadsheet_would_run(
    stayed: Stayed, codes: dict[str, ReasonCode], browser_of: Browser
) -> None:
    codes["Lunch"].label = "=1+1"
    codes["Lunch"].save()
    stayed("alice", "NOT_READY", 0, 1, codes["Lunch"], cause="supervisor", actor="carol", note="=2")
    for table, address in (("steps", REPORTS), ("reasons", REPORTS), ("stays", ALICE)):
        text = downloaded(browser_of("carol"), address, table, "csv").content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize(
    "query", ["table=reasons&file=exe", "table=nothing&file=csv", "file=csv", "table=reasons&file="]
)
def test_a_file_that_there_is_not_is_not_found(a_day: Day, browser_of: Browser, query: str) -> None:
    assert browser_of("carol").get(f"{REPORTS}&{query}").status_code == 404


# --- addresses that make no sense -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=tomorrow", "is no day"),
        ("from=2026-03-09&to=2026-03-01", "must not be before"),
        ("from=2016-01-01&to=2026-01-01&step=15m", "days at most"),
        ("from=2026-01-01&to=2026-06-01&step=15m", "more than"),
        ("period=always", "is no period"),
        ("step=1s", "is no step"),
        ("zone=Mars", "no time zone"),
        ("zone=%00", "no time zone"),
        ("team=x", "is no team"),
        ("mrd=9", "There is no MRD 9"),
        ("mrd=99999999999999999999999", "is no MRD"),
    ],
)
def test_a_bad_address_is_refused_on_the_page_which_stays_usable(
    cast: Cast, browser_of: Browser, query: str, says: str
) -> None:
    text = shown(browser_of("carol"), f"/admin/reports/?{query}", 400)
    assert says in text
    assert "Last week" in text
    if not query.startswith(("team", "mrd")):
        assert says in shown(browser_of("carol"), f"/admin/reports/agent/alice/?{query}", 400)
        assert says in shown(browser_of("alice"), f"/account/history/?{query}", 400)


@pytest.mark.parametrize(
    ("query", "status"),
    [("team=99", 404), ("agent=%00", 404), ("agent=" + "a" * 900, 404), ("team=" + "9" * 18, 404)],
)
def test_what_there_is_not_is_not_found(
    cast: Cast, browser_of: Browser, query: str, status: int
) -> None:
    for login_id in ("carol", "dave"):
        assert browser_of(login_id).get(f"/admin/reports/?{query}").status_code == status


def test_nothing_of_a_report_is_changed_by_posting(cast: Cast, browser_of: Browser) -> None:
    for address in ("/admin/reports/", "/admin/reports/agent/alice/", "/account/history/"):
        assert browser_of("dave").post(address).status_code == 405


def test_a_report_does_not_ask_the_database_about_each_agent(
    a_day: Day, stayed: Stayed, browser_of: Browser
) -> None:
    browser, chat = browser_of("carol"), Team.objects.get(name="Chat")
    with CaptureQueriesContext(connection) as for_one:
        browser.get(REPORTS)
    for number in range(20):
        login_id = f"agent{number}"
        User.objects.create_user(login_id, PASSWORD, first_name="A", team=chat)
        stayed(login_id, "READY", 0, 1)
    with CaptureQueriesContext(connection) as for_many:
        browser.get(REPORTS)
    assert len(for_many) < len(for_one) + 10
