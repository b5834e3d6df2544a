"""The transition table against [Agent States for Nonvoice Media]."""

import itertools

import pytest

from finesse.api import errors
from media.states import (
    TRANSITIONS,
    Error,
    Options,
    Refused,
    Requested,
    Situation,
    State,
    To,
    Wish,
    decide,
    refusal,
)

OLD = Options(max_dialog_limit=1, interrupt_action="IGNORE", dialog_logout_action="TRANSFER")
NEW = Options(max_dialog_limit=9, interrupt_action="ACCEPT", dialog_logout_action="CLOSE")
WITH_TASKS = [State.RESERVED, State.ACTIVE, State.PAUSED, State.WORK_READY, State.INTERRUPTED]


def situation(state: State, **fields: object) -> Situation:
    defaults = {"routable": True, "options": OLD} if state is not State.LOGOUT else {}
    return Situation(state=state, **{**defaults, **fields})  # type: ignore[arg-type]


def test_the_table_has_a_cell_for_every_state_and_request() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(set(row) == set(Requested) for row in TRANSITIONS.values())


def test_every_error_that_the_table_names_is_in_the_error_table() -> None:
    cells = [cell for row in TRANSITIONS.values() for cell in row.values()]
    named = {cell.name for cell in cells if isinstance(cell, Error | Refused)}
    assert named <= set(errors.TABLE)
    assert any(isinstance(cell, To) for cell in cells)


def test_signing_in_leads_to_not_ready_and_routable_with_the_options() -> None:
    decision = decide(situation(State.LOGOUT), Wish(requested=Requested.LOGIN, options=NEW))
    assert decision.error is None
    assert decision.situation == Situation(state=State.NOT_READY, routable=True, options=NEW)


@pytest.mark.parametrize("state", [one for one in State if one not in {State.LOGOUT, State.WORK}])
def test_signing_in_again_keeps_the_state_and_renews_the_options(state: State) -> None:
    decision = decide(situation(state), Wish(requested=Requested.LOGIN, options=NEW))
    assert decision.error == "AGENT_ALREADY_LOGGED_IN"
    assert decision.situation == situation(state, options=NEW)


@pytest.mark.parametrize("requested", [Requested.READY, Requested.NOT_READY, Requested.LOGOUT])
def test_who_is_signed_out_can_do_nothing_but_sign_in(requested: Requested) -> None:
    decision = decide(situation(State.LOGOUT), Wish(requested=requested))
    assert decision.error == "AGENT_NOT_LOGGED_IN"
    assert decision.situation == situation(State.LOGOUT)


def test_ready_while_ready_changes_nothing() -> None:
    decision = decide(situation(State.READY), Wish(requested=Requested.READY))
    assert decision.error is None
    assert decision.situation == situation(State.READY)


def test_ready_makes_routable_again() -> None:
    now = situation(State.READY, routable=False)
    assert decide(now, Wish(requested=Requested.READY)).situation.routable


def test_not_ready_keeps_routable_as_it_is() -> None:
    for routable in (True, False):
        now = situation(State.READY, routable=routable)
        assert decide(now, Wish(requested=Requested.NOT_READY)).situation.routable is routable


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_not_ready_takes_its_reason_from_every_signed_in_state(state: State) -> None:
    decision = decide(situation(state), Wish(requested=Requested.NOT_READY, reason_code=7))
    assert decision.situation == situation(State.NOT_READY, reason_code=7)


def test_the_same_reason_again_changes_nothing_and_another_one_does() -> None:
    now = situation(State.NOT_READY, reason_code=7)
    assert decide(now, Wish(requested=Requested.NOT_READY, reason_code=7)).situation == now
    assert decide(now, Wish(requested=Requested.NOT_READY, reason_code=8)).situation != now


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_signing_out_forgets_options_reason_and_routable(state: State) -> None:
    decision = decide(situation(state), Wish(requested=Requested.LOGOUT, reason_code=9))
    assert decision.situation == Situation(state=State.LOGOUT)


@pytest.mark.parametrize("state", WITH_TASKS)
def test_ready_is_refused_while_tasks_decide(state: State) -> None:
    assert refusal(state, Requested.READY) == "STATE_INVALID"
    assert decide(situation(state), Wish(requested=Requested.READY)).error == "STATE_INVALID"


def test_from_work_the_one_way_out_is_signing_in() -> None:
    refused = {one for one in Requested if refusal(State.WORK, one)}
    assert refused == set(Requested) - {Requested.LOGIN}
    decision = decide(situation(State.WORK), Wish(requested=Requested.LOGIN, options=NEW))
    assert (decision.situation.state, decision.error) == (State.NOT_READY, None)


def test_no_request_leads_to_a_state_that_only_tasks_lead_to() -> None:
    for state, requested in itertools.product(State, Requested):
        wish = Wish(requested=requested, options=NEW if requested is Requested.LOGIN else None)
        reached = decide(situation(state), wish).situation.state
        assert reached in {state, State.LOGOUT, State.NOT_READY, State.READY}
