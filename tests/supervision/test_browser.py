"""Stepping in from the board, in a real browser, with a real installation."""

import json
from typing import Any

import httpx
from playwright.sync_api import expect

from media.state_words import STATE_WORDS
from media.states import State
from tests.kit.axe import findings
from tests.kit.installation import Installation
from tests.kit.stepping_in import MRD_CHAT, MRD_EMAIL, choose, result
from tests.kit.window import LONG_TIMEOUT_MS

ANA_WORKS = """
from django.utils import timezone
from media.models import Media
Media.objects.filter(user="1234", mrd=5000).update(
    state="ACTIVE", reason_code=None, routable=True, state_change_time=timezone.now(),
    max_dialog_limit=5, interrupt_action="ACCEPT", dialog_logout_action="CLOSE")
"""


A_PAST_LUNCH = """
import json
from datetime import timedelta
from django.utils import timezone
from media.models import StateInterval
began = timezone.now() - timedelta(days=1)
print(json.dumps(StateInterval.objects.create(
    login_id="1234", mrd_id=5000, state="NOT_READY", reason_code_id=1001, code=1, label="Lunch",
    started_at=began, ended_at=began + timedelta(minutes=40), cause="self", actor="1234").pk))
"""


def expect_state(window: Any, login: str, mrd: int, state: str) -> None:
    row = window.page.get_by_test_id(f"row-{login}-{mrd}")
    expect(row.locator("[data-field=state]")).to_have_text(
        STATE_WORDS[State(state)], timeout=LONG_TIMEOUT_MS
    )


def put(installation: Installation, login: str, mrd: int, body: str) -> None:
    answer = httpx.put(
        f"{installation.url}/finesse/api/User/{login}/Media/{mrd}",
        content=f"<Media>{body}</Media>",
        headers={"Content-Type": "application/xml"},
        auth=(login, "finesse"),
        timeout=30,
    )
    assert answer.status_code == 202, answer.text


def test_a_supervisor_makes_several_agents_not_ready_and_takes_it_back(
    open_window: Any,
) -> None:
    dana, ana = open_window(), open_window()
    ana.sign_in_and_go_live("1234")
    dana.sign_in_and_go_live("2001")
    page = dana.page
    choose(dana, ("1234", MRD_EMAIL), ("1237", MRD_CHAT))
    expect(page.get_by_test_id("chosen")).to_have_text("2 rows of 2 agents")
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("reason").select_option(label="Team meeting (2)")
    page.get_by_test_id("note").fill("In room 3")
    page.get_by_test_id("apply").click()
    expect(result(dana, "1234", MRD_EMAIL)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    # First of all: it is offered for a while only.
    page.get_by_test_id("undo").click()
    expect(result(dana, "1234", MRD_EMAIL)).to_contain_text("As before", timeout=LONG_TIMEOUT_MS)
    expect_state(dana, "1234", MRD_EMAIL, "READY")
    expect_state(dana, "1237", MRD_CHAT, "READY")
    # The agent was told by whom and why.
    expect_state(ana, "1234", MRD_EMAIL, "READY")
    assert {
        "cause": "supervisor",
        "actor": {"id": "2001", "name": "Dana Ruiz"},
        "note": "In room 3",
        "requested": "NOT_READY",
    } in [frame.get("context") for frame in ana.frames]
    assert findings(page) == []
    assert dana.problems == []


def test_a_supervisor_acts_in_a_browser_that_has_no_random_uuid(open_window: Any) -> None:
    """As over HTTP without TLS, from another machine."""
    dana = open_window()
    dana.context.add_init_script("delete Crypto.prototype.randomUUID")
    dana.sign_in_and_go_live("2001")
    page = dana.page
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("reason").select_option(label="Team meeting (2)")
    page.get_by_test_id("apply").click()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    page.get_by_test_id("undo").click()
    expect_state(dana, "1237", MRD_CHAT, "READY")
    assert dana.problems == []


def test_reasons_that_could_not_be_fetched_are_asked_for_again(open_window: Any) -> None:
    """And those of the agents who were chosen before are no choice meanwhile."""
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page = dana.page
    reason = page.get_by_test_id("reason")
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-ready").click()
    expect(reason.locator("option", has_text="Team meeting")).to_have_count(1)
    page.get_by_test_id("act-not-ready").click()
    page.route("**/choices/", lambda route: route.abort(), times=1)
    choose(dana, ("1234", MRD_EMAIL))
    page.get_by_test_id("act-not-ready").click()
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    expect(reason.locator("option")).to_have_count(0)
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("act-not-ready").click()
    expect(reason.locator("option", has_text="Team meeting")).to_have_count(1)


def test_the_reasons_are_those_of_the_act_that_was_chosen_last(open_window: Any) -> None:
    """Though they come later than the second press."""
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page = dana.page
    held: list[Any] = []
    page.route("**/choices/", lambda route: held.append(route), times=1)
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("act-sign-out").click()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    reason = page.get_by_test_id("reason")
    expect(reason.locator("option", has_text="End of shift")).to_have_count(1)
    expect(reason.locator("option", has_text="Team meeting")).to_have_count(0)


def test_what_is_filled_in_while_an_action_is_under_way_stays(open_window: Any) -> None:
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page, held = dana.page, []
    page.route("**/supervision/actions/", lambda route: held.append(route), times=1)
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-routable").click()
    page.get_by_test_id("note").fill("Training")
    page.get_by_test_id("apply").click()
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("note").fill("In room 3")
    expect(page.get_by_test_id("apply")).to_be_disabled()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    expect(page.get_by_test_id("note")).to_have_value("In room 3")
    expect(page.get_by_test_id("act-not-ready")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("apply")).to_be_enabled()
    page.get_by_test_id("undo").click()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("As before", timeout=LONG_TIMEOUT_MS)
    assert dana.problems == []


NEVER_GIVES_UP = """
const real = setTimeout;
globalThis.setTimeout = (call, delay, ...given) =>
  real(call, delay === 15_000 ? 600_000 : delay, ...given);
"""


def test_an_undo_whose_answer_comes_late_does_not_hide_what_was_done_since(
    open_window: Any,
) -> None:
    dana = open_window()
    # After fifteen seconds, which a busy machine may need for all of this, an answer is given up.
    dana.context.add_init_script(NEVER_GIVES_UP)
    dana.sign_in_and_go_live("2001")
    page, held = dana.page, []
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-routable").click()
    page.get_by_test_id("apply").click()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)

    def undo_and_hold_the_answer(route: Any) -> None:
        held.append((route, route.fetch()))

    page.route("**/undo/", undo_and_hold_the_answer, times=1)
    page.get_by_test_id("undo").click()
    while not held:
        page.wait_for_timeout(20)
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("apply").click()
    expect_state(dana, "1237", MRD_CHAT, "NOT_READY")
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    route, answer = held[0]
    with page.expect_response("**/undo/"):
        route.fulfill(response=answer)
    dana.draw()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed")
    page.get_by_test_id("undo").click()
    expect_state(dana, "1237", MRD_CHAT, "READY")
    assert dana.problems == []


def test_signing_out_asks_first_and_can_be_taken_back(open_window: Any) -> None:
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page = dana.page
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-sign-out").click()
    page.get_by_test_id("apply").click()
    expect(page.get_by_role("dialog")).to_contain_text("Sign out Farid Haddad?")
    assert findings(page) == []
    page.get_by_test_id("cancel").click()
    expect_state(dana, "1237", MRD_CHAT, "READY")
    page.get_by_test_id("apply").click()
    page.get_by_test_id("confirm").click()
    expect_state(dana, "1237", MRD_CHAT, "LOGOUT")
    page.get_by_test_id("undo").click()
    expect_state(dana, "1237", MRD_CHAT, "READY")
    assert dana.problems == []


def test_what_the_rules_refuse_waits_and_follows_by_itself(
    open_window: Any,
    installation: Installation,
) -> None:
    installation.manage("shell", "--no-imports", "-c", ANA_WORKS)
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page = dana.page
    choose(dana, ("1234", MRD_CHAT))
    page.get_by_test_id("why").locator("summary").click()
    expect(page.get_by_test_id("why")).to_contain_text("ACTIVE in Chat (works on a task)")
    page.get_by_test_id("act-ready").click()
    page.get_by_test_id("apply").click()
    refused = result(dana, "1234", MRD_CHAT)
    expect(refused).to_contain_text("ACTIVE: not possible in this state")
    page.get_by_test_id("act-later").click()
    waiting = page.get_by_test_id(f"waiting-1234-{MRD_CHAT}")
    expect(waiting).to_contain_text("Ana Lima, Chat: ready after this one, by Dana Ruiz")
    waiting.get_by_role("button").click()
    expect(waiting).to_have_count(0)
    page.get_by_test_id("act-ready").click()
    page.get_by_test_id("apply").click()
    page.get_by_test_id("act-later").click()
    expect(waiting).to_have_count(1)
    # The list is asked for again when the board is live again.
    waiting.get_by_role("button").focus()
    waiting.evaluate("it => (it.dataset.old = 1)")
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(waiting).not_to_have_attribute("data-old", "1")
    expect(waiting.get_by_role("button")).to_be_focused()
    put(installation, "1234", MRD_CHAT, "<state>NOT_READY</state><reasonCodeId>1001</reasonCodeId>")
    expect_state(dana, "1234", MRD_CHAT, "READY")
    expect(waiting).to_have_count(0)
    assert dana.problems == []


def test_the_reason_that_runs_is_corrected_without_a_new_clock(
    open_window: Any,
    installation: Installation,
) -> None:
    put(
        installation, "1238", MRD_EMAIL, "<state>NOT_READY</state><reasonCodeId>1001</reasonCodeId>"
    )
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page = dana.page
    row = page.get_by_test_id(f"row-1238-{MRD_EMAIL}")
    expect(row).to_contain_text("Lunch")
    began = "from media.models import Media; import json; print(json.dumps(str(Media.objects.get("
    began += f"user='1238', mrd={MRD_EMAIL}).state_change_time)))"
    before = installation.query(began)
    choose(dana, ("1238", MRD_EMAIL))
    page.get_by_test_id("act-correct").click()
    page.get_by_test_id("reason").select_option(label="Team meeting (2)")
    page.get_by_test_id("note").fill("It was the meeting")
    page.get_by_test_id("apply").click()
    expect(row).to_contain_text("Team meeting", timeout=LONG_TIMEOUT_MS)
    assert installation.query(began) == before


def test_the_reason_of_a_time_that_is_over_is_corrected_on_its_page(
    open_window: Any,
    installation: Installation,
) -> None:
    past = installation.query(A_PAST_LUNCH)
    dana = open_window(width=390, height=844)
    dana.sign_in_and_go_live("2001")
    page = dana.page
    page.goto(f"{installation.url}/supervision/interval/{past}/correct/")
    # Before axe, which has styles of its own, comes into the page.
    assert dana.problems == []
    assert findings(page) == []
    page.get_by_label("The right reason").select_option(label="Coaching (3)")
    page.get_by_label("Note").fill("It was a coaching")
    page.get_by_test_id("apply").click()
    expect(page.get_by_text("Shall “Coaching” count for this time?")).to_be_visible()
    assert findings(page) == []
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("first-reason")).to_have_text("Lunch")
    expect(page.get_by_test_id("correction")).to_contain_text("Coaching, by Dana Ruiz (2001)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_agents_have_no_panel_and_a_supervisor_of_two_teams_acts_on_both(
    open_window: Any,
) -> None:
    ana, eli = open_window(), open_window()
    ana.sign_in_and_go_live("1234")
    assert ana.page.locator("#actions-template").count() == 0
    expect(ana.page.get_by_test_id("board").get_by_test_id("act-ready")).to_have_count(0)
    eli.sign_in_and_go_live("2002")
    choose(eli, ("1237", MRD_CHAT), ("1301", 5002))
    eli.page.get_by_test_id("act-not-routable").click()
    eli.page.get_by_test_id("apply").click()
    expect(result(eli, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    expect(result(eli, "1301", 5002)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    eli.page.get_by_test_id("undo").click()
    expect(result(eli, "1301", 5002)).to_contain_text("As before", timeout=LONG_TIMEOUT_MS)


def test_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(
    open_window: Any,
    installation: Installation,
) -> None:
    dana = open_window()
    dana.sign_in_and_go_live("2001")
    page, lost = dana.page, []

    def lose(route: Any) -> None:
        if lost:
            route.continue_()
            return
        # The server does it, and its answer gets lost.
        lost.append(json.loads(route.request.post_data)["id"])
        route.fetch()
        route.abort()

    page.route("**/supervision/actions/", lose)
    choose(dana, ("1237", MRD_CHAT))
    page.get_by_test_id("act-not-ready").click()
    page.get_by_test_id("apply").click()
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    page.get_by_test_id("undo").click()
    expect_state(dana, "1237", MRD_CHAT, "READY")
    counted = installation.query(
        "import json; from media.supervision_tables import SupervisorAction as A, ActionRow as R;"
        f"print(json.dumps([A.objects.filter(pk='{lost[0]}').count(),"
        f" R.objects.filter(action='{lost[0]}').count()]))"
    )
    assert counted == [1, 1]


def test_the_panel_can_be_used_with_the_keyboard_alone_on_a_phone(
    open_window: Any,
) -> None:
    dana = open_window(width=390, height=844)
    dana.sign_in_and_go_live("2001")
    page = dana.page
    page.get_by_test_id(f"row-1237-{MRD_CHAT}").get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.get_by_test_id("act-not-routable").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("note").focus()
    page.keyboard.type("Training")
    page.keyboard.press("Enter")
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    page.get_by_test_id("undo").focus()
    page.keyboard.press("Enter")
    expect(result(dana, "1237", MRD_CHAT)).to_contain_text("As before", timeout=LONG_TIMEOUT_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert findings(page) == []
