"""Two people who change one agent at the same time, each in a browser, with a real installation."""

from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.kit.installation import Installation
from tests.kit.own_page import Card
from tests.kit.stepping_in import MRD_CHAT, choose, result
from tests.kit.window import LONG_TIMEOUT_MS

FARID = "1237"
STEPPING_IN = "**/supervision/actions/"
OWN_CHANGE = f"**/finesse/api/User/{FARID}/Media/{MRD_CHAT}"
OUTCOMES = f"""
import json
from media.models import Media, MediaRequest, StateInterval
asked = MediaRequest.objects.filter(login_id="{FARID}", mrd_id={MRD_CHAT}, pk__gt={{after}})
media = Media.objects.get(user="{FARID}", mrd={MRD_CHAT})
open_ones = StateInterval.objects.filter(login_id="{FARID}", mrd_id={MRD_CHAT}, ended_at=None)
print(json.dumps(dict(
    outcomes=[[one.actor, one.requested, one.outcome] for one in asked.order_by("pk")],
    state=media.state, intervals=[one.state for one in open_ones])))
"""
LAST = """
import json
from media.models import MediaRequest
print(json.dumps(MediaRequest.objects.order_by("-pk").values_list("pk", flat=True).first() or 0))
"""


class Held:
    """Requests that a browser has sent and that have not yet left, until all of them go at once."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def hold(self, window: Any, address: str) -> None:
        window.page.route(address, self._take)

    def _take(self, route: Route) -> None:
        if route.request.method in {"POST", "PUT"}:
            self._routes.append(route)
        else:
            route.continue_()

    def let_go(self, window: Any, number: int) -> None:
        while len(self._routes) < number:
            window.page.wait_for_timeout(20)
        for route in self._routes:
            route.continue_()


@pytest.fixture
def held() -> Held:
    return Held()


def outcomes(installation: Installation, after: int) -> Any:
    return installation.query(OUTCOMES.format(after=after))


def prepare(window: Any, action: str, reason: str = "") -> None:
    choose(window, (FARID, MRD_CHAT))
    window.page.get_by_test_id(f"act-{action}").click()
    if reason:
        window.page.get_by_test_id("reason").select_option(label=reason)


def state_shown(window: Any) -> Any:
    return window.page.get_by_test_id(f"row-{FARID}-{MRD_CHAT}").locator("[data-field=state]")


def test_of_two_supervisors_each_gets_one_result_and_both_boards_show_the_last(
    open_window: Any,
    installation: Installation,
    held: Held,
) -> None:
    dana, eli = open_window(), open_window()
    for window, login in ((dana, "2001"), (eli, "2002")):
        window.sign_in_and_go_live(login)
        held.hold(window, STEPPING_IN)
    last = installation.query(LAST)
    prepare(dana, "not-ready", "Team meeting (2)")
    prepare(eli, "not-routable")
    for window in (dana, eli):
        window.page.get_by_test_id("apply").click()
    held.let_go(dana, 2)
    for window in (dana, eli):
        expect(result(window, FARID, MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    seen = outcomes(installation, last)
    assert sorted(seen["outcomes"]) == [
        ["2001", "NOT_READY", "changed"],
        ["2002", "NOT_ROUTABLE", "changed"],
    ]
    assert seen["intervals"] == [seen["state"]] == ["NOT_READY"]
    for window in (dana, eli):
        expect(state_shown(window)).to_have_text("Not ready", timeout=LONG_TIMEOUT_MS)
        assert window.problems == []


def test_of_agent_and_supervisor_each_gets_one_result_and_both_pages_show_the_last(
    open_window: Any,
    installation: Installation,
    held: Held,
) -> None:
    farid, dana = open_window(), open_window()
    farid.sign_in_and_go_live(FARID)
    dana.sign_in_and_go_live("2001")
    card = Card(farid.page, str(MRD_CHAT))
    card.act("ready")
    card.expect_state("Ready")
    last = installation.query(LAST)
    held.hold(farid, OWN_CHANGE)
    held.hold(dana, STEPPING_IN)
    prepare(dana, "not-ready", "Coaching (3)")
    card.act("not-ready")
    card.part("reason").select_option("1001")
    card.part("apply").click()
    dana.page.get_by_test_id("apply").click()
    held.let_go(dana, 2)
    expect(result(dana, FARID, MRD_CHAT)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    card.expect_message("Done")
    seen = outcomes(installation, last)
    assert sorted(one[0] for one in seen["outcomes"]) == [FARID, "2001"]
    assert {one[2] for one in seen["outcomes"]} == {"changed"}
    assert seen["intervals"] == [seen["state"]] == ["NOT_READY"]
    shown = "Coaching" if seen["outcomes"][-1][0] == "2001" else "Lunch"
    reason = dana.page.get_by_test_id(f"row-{FARID}-{MRD_CHAT}").locator("[data-field=reason]")
    expect(reason).to_contain_text(shown, timeout=LONG_TIMEOUT_MS)
    expect(card.element).to_contain_text(shown, timeout=LONG_TIMEOUT_MS)
    assert [farid.problems, dana.problems] == [[], []]


def test_an_administrator_steps_in_for_agents_of_every_team(
    open_window: Any,
) -> None:
    admin = open_window()
    admin.sign_in_and_go_live("admin")
    rows = ((FARID, MRD_CHAT), ("1301", 5002))
    choose(admin, *rows)
    admin.page.get_by_test_id("act-not-routable").click()
    admin.page.get_by_test_id("apply").click()
    for login, mrd in rows:
        expect(result(admin, login, mrd)).to_contain_text("changed", timeout=LONG_TIMEOUT_MS)
    admin.page.get_by_test_id("undo").click()
    for login, mrd in rows:
        expect(result(admin, login, mrd)).to_contain_text("As before", timeout=LONG_TIMEOUT_MS)
    assert admin.problems == []
