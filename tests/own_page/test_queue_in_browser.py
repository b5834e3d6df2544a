"""A place in the queue of a break rule: two agents and their supervisor, in real browsers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.kit.axe import findings
from tests.kit.installation import Installation
from tests.kit.own_page import LUNCH, MEETING, PHONE, TIMEOUT_MS, Agent, Ask, Card
from tests.own_page.conftest import OpenAgent

CHAT = "5000"
ANA, BEN, FARID = "1234", "1235", "1237"
NOT_READY = "<Media><state>NOT_READY</state><reasonCodeId>{}</reasonCodeId></Media>"
READY = "<Media><state>READY</state></Media>"
SIGN_IN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>"
)
RULE = """
from media.break_tables import BreakRule
from media.supervision_tables import WaitingChange
BreakRule.objects.filter(reason_code_id=1001).delete()
BreakRule.objects.create(team_id=1, reason_code_id=1001, most_at_once=1, when_full="queue")
"""
NO_QUEUE = """
from media.break_tables import BreakRule
rule = BreakRule.objects.get(reason_code_id=1001)
rule.when_full = "refuse"
rule.save()
"""
HIGHER = """
from media.break_tables import BreakRule
rule = BreakRule.objects.get(reason_code_id=1001)
rule.most_at_once = 3
rule.save()
"""


@pytest.fixture
def full(installation: Installation, ask: Ask) -> Iterator[None]:
    """One of team Chat may be at Lunch, and Farid is; Ana and Ben are ready."""
    for login in (ANA, BEN, FARID):
        # For agents who are signed in already it is an error, which nobody waits for.
        ask("PUT", f"User/{login}/Media/{CHAT}", SIGN_IN, login)
        ask("PUT", f"User/{login}/Media/{CHAT}", READY, login)
    installation.manage("shell", "--no-imports", "-c", RULE)
    ask("PUT", f"User/{FARID}/Media/{CHAT}", NOT_READY.format(LUNCH), FARID)
    yield
    for login in (ANA, BEN, FARID):
        ask("PUT", f"User/{login}/Media/{CHAT}", READY, login)


def ask_for_lunch(card: Card) -> None:
    card.act("not-ready")
    card.part("reason").select_option(LUNCH)
    expect(card.part("apply")).to_have_text("Wait for a place", timeout=TIMEOUT_MS)
    card.part("apply").click()
    card.expect_message("It waits, and follows as soon as a place is free.")


def waits(page: Agent, login: str) -> Locator:
    return page.page.get_by_test_id(f"waiting-{login}-{CHAT}")


def waiting(card: Card) -> Locator:
    return card.part("waiting")


@pytest.mark.usefixtures("full")
def test_who_finds_no_place_waits_and_goes_when_the_turn_comes(
    sign_in: OpenAgent,
    ask: Ask,
) -> None:
    ana, ben, dana = sign_in(ANA, PHONE), sign_in(BEN), sign_in("2001")
    of_ana, of_ben = ana.card(CHAT), ben.card(CHAT)
    of_ana.act("not-ready")
    of_ana.part("reason").select_option(LUNCH)
    form = of_ana.element.locator("[data-part=description]")
    expect(form).to_contain_text("No place is free now. Nobody waits for one yet.")
    assert findings(ana.page) == []
    of_ana.part("cancel").click()
    ask_for_lunch(of_ana)
    ask_for_lunch(of_ben)
    expect(waiting(of_ana)).to_contain_text(
        "As soon as a place is free (you are the 1st of 2): Not ready for “Lunch”"
    )
    expect(waiting(of_ben)).to_contain_text("you are the 2nd of 2")
    expect(waits(dana, ANA)).to_contain_text(
        "Ana Lima, Chat: not ready (Lunch) as soon as a place is free, 1st of 2, by Ana Lima"
    )
    assert findings(ana.page) == findings(dana.page) == []
    assert ana.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]

    ask("PUT", f"User/{FARID}/Media/{CHAT}", READY, FARID)
    of_ana.expect_state("Not ready")
    expect(of_ana.part("by-whom")).to_have_text("It was your turn: a place is free.")
    expect(waiting(of_ana)).to_be_hidden()
    expect(waiting(of_ben)).to_contain_text("you are the 1st of 1")
    expect(waits(dana, ANA)).to_have_count(0)
    expect(waits(dana, BEN)).to_contain_text("1st of 1")
    row = dana.page.get_by_test_id(f"row-{ANA}-{CHAT}")
    expect(row.locator("[data-field=by]")).to_have_text("a place was free")

    # The supervisor cancels what waits: the agent is told.
    waits(dana, BEN).get_by_role("button").click()
    of_ben.expect_message("What waited was cancelled.")
    expect(waiting(of_ben)).to_be_hidden()
    assert ana.problems == ben.problems == dana.problems == []


@pytest.mark.usefixtures("full")
def test_what_waits_is_replaced_dropped_or_let_in_by_the_rule(
    sign_in: OpenAgent,
    installation: Installation,
    ask: Ask,
) -> None:
    ana, ben = sign_in(ANA), sign_in(BEN)
    of_ana, of_ben = ana.card(CHAT), ben.card(CHAT)
    ask_for_lunch(of_ana)
    of_ana.part("cancel-waiting").click()
    of_ana.expect_message("It does not wait any more.")
    ask_for_lunch(of_ana)
    ask("PUT", f"User/{ANA}/Media/{CHAT}", NOT_READY.format(MEETING), ANA)
    of_ana.expect_message("Your state was changed otherwise: what waited is dropped.")
    expect(waiting(of_ana)).to_be_hidden()
    ask_for_lunch(of_ben)
    installation.manage("shell", "--no-imports", "-c", NO_QUEUE)
    of_ben.expect_message("nobody can wait for a place any more")
    expect(waiting(of_ben)).to_be_hidden()
    installation.manage("shell", "--no-imports", "-c", RULE)
    ask_for_lunch(of_ben)
    installation.manage("shell", "--no-imports", "-c", HIGHER)
    of_ben.expect_state("Not ready")
    expect(of_ben.part("by-whom")).to_have_text(
        "It was your turn: a place is free.", timeout=TIMEOUT_MS
    )
    assert ana.problems == ben.problems == []


@pytest.mark.usefixtures("full")
def test_a_supervisor_lets_an_agent_wait_on_the_board(
    sign_in: OpenAgent,
    ask: Ask,
) -> None:
    ana, dana = sign_in(ANA), sign_in("2001")
    page = dana.page
    page.get_by_test_id(f"row-{ANA}-{CHAT}").get_by_role("checkbox").check()
    page.get_by_test_id("act-not-ready").click()
    queue = page.get_by_test_id("queue")
    expect(queue).to_be_hidden()
    page.get_by_test_id("reason").select_option(MEETING)
    expect(queue).to_be_hidden()
    page.get_by_test_id("reason").select_option(LUNCH)
    queue.check()
    page.get_by_test_id("note").fill("You have earned it")
    page.get_by_test_id("apply").click()
    came_to = page.get_by_test_id(f"result-{ANA}-{CHAT}")
    expect(came_to).to_contain_text("waits for a free place", timeout=TIMEOUT_MS)
    expect(waits(dana, ANA)).to_contain_text("1st of 1, by Dana Ruiz: “You have earned it”")
    expect(waiting(ana.card(CHAT))).to_contain_text("by Dana Ruiz: “You have earned it”")
    assert findings(page) == []
    ask("PUT", f"User/{FARID}/Media/{CHAT}", READY, FARID)
    ana.card(CHAT).expect_state("Not ready")
    expect(ana.card(CHAT).part("by-whom")).to_contain_text("It was your turn: a place is free.")
    ana.page.reload()
    expect(ana.card(CHAT).part("by-whom")).to_contain_text("It was your turn: a place is free.")
    assert ana.problems == dana.problems == []
