"""The transition table against [Agent States for Nonvoice Media]."""

import itertools

import pytest

from finesse.api import errors
from media import states
from media.states import (
    DESKTOP_TRANSITIONS,
    MEDIA_STATES,
    TRANSITIONS,
    Change,
    DesktopSession,
    Error,
    MediaSession,
    Options,
    Refused,
    Requested,
    State,
    To,
    decide,
    decide_session,
    refusal,
)

OLD = Options(max_dialog_limit=1, interrupt_action="IGNORE", dialog_logout_action="TRANSFER")
NEW = Options(max_dialog_limit=9, interrupt_action="ACCEPT", dialog_logout_action="CLOSE")
WITH_TASKS = [State.RESERVED, State.ACTIVE, State.PAUSED, State.WORK_READY, State.INTERRUPTED]


def session(state: State, **fields: object) -> MediaSession:
    defaults = {"routable": True, "options": OLD} if state is not State.LOGOUT else {}
    return MediaSession(state=state, **{**defaults, **fields})  # type: ignore[arg-type]


def test_the_table_has_a_cell_for_every_state_and_request() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(set(row) == set(Requested) for row in TRANSITIONS.values())


@pytest.mark.parametrize(
    "table",
    [
        "state   LOGIN      READY\nLOGOUT  NOT_READY",
        "state   LOGIN\nLOGOUT  NOT_READY  READY",
        "state   LOGIN\nLOGOUT  nowhere",
        "state   LOGIN\nNOWHERE  READY",
        "state   NOTHING\nLOGOUT  READY",
    ],
)
def test_a_table_with_a_gap_or_an_unknown_word_is_refused(table: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        states._read(table)


def test_every_error_that_the_table_names_is_in_the_error_table() -> None:
    cells = [cell for row in TRANSITIONS.values() for cell in row.values()]
    named = {cell.name for cell in cells if isinstance(cell, Error | Refused)}
    assert named <= set(errors.TABLE)
    assert any(isinstance(cell, To) for cell in cells)


def test_signing_in_leads_to_not_ready_and_routable_with_the_options() -> None:
    decision = decide(session(State.LOGOUT), Change(requested=Requested.LOGIN, options=NEW))
    assert decision.error is None
    assert decision.session == MediaSession(state=State.NOT_READY, routable=True, options=NEW)


@pytest.mark.parametrize("state", [one for one in State if one not in {State.LOGOUT, State.WORK}])
def test_signing_in_again_keeps_the_state_and_renews_the_options(state: State) -> None:
    decision = decide(session(state), Change(requested=Requested.LOGIN, options=NEW))
    assert decision.error == "AGENT_ALREADY_LOGGED_IN"
    assert decision.session == session(state, options=NEW)


@pytest.mark.parametrize("requested", [Requested.READY, Requested.NOT_READY, Requested.LOGOUT])
def test_a_signed_out_agent_can_only_sign_in(requested: Requested) -> None:
    decision = decide(session(State.LOGOUT), Change(requested=requested))
    assert decision.error == "AGENT_NOT_LOGGED_IN"
    assert decision.session == session(State.LOGOUT)


def test_ready_while_ready_changes_nothing() -> None:
    decision = decide(session(State.READY), Change(requested=Requested.READY))
    assert decision.error is None
    assert decision.session == session(State.READY)


def test_ready_makes_routable_again() -> None:
    now = session(State.READY, routable=False)
    assert decide(now, Change(requested=Requested.READY)).session.routable


def test_not_ready_keeps_routable_as_it_is() -> None:
    for routable in (True, False):
        now = session(State.READY, routable=routable)
        assert decide(now, Change(requested=Requested.NOT_READY)).session.routable is routable


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_not_ready_takes_its_reason_from_every_signed_in_state(state: State) -> None:
    decision = decide(session(state), Change(requested=Requested.NOT_READY, reason_code=7))
    assert decision.session == session(State.NOT_READY, reason_code=7)


def test_the_same_reason_again_changes_nothing_and_another_one_does() -> None:
    now = session(State.NOT_READY, reason_code=7)
    assert decide(now, Change(requested=Requested.NOT_READY, reason_code=7)).session == now
    assert decide(now, Change(requested=Requested.NOT_READY, reason_code=8)).session != now


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_signing_out_forgets_options_reason_and_routable(state: State) -> None:
    decision = decide(session(state), Change(requested=Requested.LOGOUT, reason_code=9))
    assert decision.session == MediaSession(state=State.LOGOUT)


@pytest.mark.parametrize("state", WITH_TASKS)
def test_ready_is_refused_while_tasks_decide(state: State) -> None:
    assert refusal(state, Requested.READY) == "STATE_INVALID"
    assert decide(session(state), Change(requested=Requested.READY)).error == "STATE_INVALID"


def test_from_work_one_signs_in_again_or_asks_to_be_active_or_not_ready() -> None:
    refused = {one for one in MEDIA_STATES if refusal(State.WORK, one)}
    assert refused == MEDIA_STATES - {Requested.LOGIN, Requested.ACTIVE, Requested.NOT_READY}
    pause = decide(session(State.WORK), Change(requested=Requested.NOT_READY, reason_code=7))
    assert (pause.session.state, pause.session.reason_code) == (State.NOT_READY, 7)
    assert (pause.session.resume, pause.error) == (None, None)
    decision = decide(session(State.WORK), Change(requested=Requested.LOGIN, options=NEW))
    assert (decision.session.state, decision.error) == (State.NOT_READY, None)


def test_no_request_leads_to_a_state_that_only_tasks_lead_to() -> None:
    for state, requested in itertools.product(State, Requested):
        change = Change(requested=requested, options=NEW if requested is Requested.LOGIN else None)
        reached = decide(session(state), change).session.state
        assert reached in {state, State.LOGOUT, State.NOT_READY, State.READY, State.WORK}
        if reached is State.WORK:
            assert state is State.WORK or requested is Requested.CONNECTION_LOST


def test_active_is_for_those_in_work_alone() -> None:
    assert [state for state in State if not refusal(state, Requested.ACTIVE)] == [State.WORK]


@pytest.mark.parametrize("before", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_a_lost_connection_leads_to_work_and_active_leads_back(before: State) -> None:
    lost = decide(session(before, reason_code=None), Change(requested=Requested.CONNECTION_LOST))
    assert lost.session == MediaSession(
        state=State.WORK, routable=False, options=OLD, resume=before
    )
    back = decide(lost.session, Change(requested=Requested.ACTIVE))
    # Without tasks, an agent that worked on one is ready; the reason is lost with the connection.
    expected = State.NOT_READY if before is State.NOT_READY else State.READY
    assert back.session == session(expected)
    assert back.error is None


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
def test_the_mode_changes_without_the_state(state: State) -> None:
    off = decide(session(state), Change(requested=Requested.NOT_ROUTABLE))
    on = decide(session(state, routable=False), Change(requested=Requested.ROUTABLE))
    assert (on.error, off.error) == (None, None)
    assert on.session == session(state)
    if state is not State.RESERVED:
        assert off.session == session(state, routable=False)


@pytest.mark.parametrize("state", [State.NOT_READY, State.READY, *WITH_TASKS])
@pytest.mark.parametrize("routable", [True, False])
def test_the_same_mode_again_is_an_error(state: State, routable: bool) -> None:
    change = Change(requested=Requested.ROUTABLE if routable else Requested.NOT_ROUTABLE)
    now = session(state, routable=routable)
    decision = decide(now, change)
    assert decision.error == "ALREADY_IN_REQUESTED_AGENT_MODE"
    assert decision.session == now


def test_an_offered_task_defers_not_routable_until_it_is_over() -> None:
    offered = session(State.RESERVED)
    deferred = decide(offered, Change(requested=Requested.NOT_ROUTABLE))
    assert deferred.error is None
    assert deferred.session == session(State.RESERVED, not_routable_next=True)
    over = decide(deferred.session, Change(requested=Requested.NOT_READY)).session
    assert over == session(State.NOT_READY, routable=False)
    twice = decide(deferred.session, Change(requested=Requested.NOT_ROUTABLE))
    assert twice.error == "ALREADY_IN_REQUESTED_AGENT_MODE"
    undone = decide(deferred.session, Change(requested=Requested.ROUTABLE))
    assert (undone.session, undone.error) == (offered, None)


@pytest.mark.parametrize("state", State)
def test_a_forced_sign_out_ends_every_state_and_never_fails(state: State) -> None:
    decision = decide(session(state), Change(requested=Requested.FORCED_LOGOUT))
    assert (decision.session, decision.error) == (MediaSession(state=State.LOGOUT), None)


DESKTOP = {
    # what is asked for: from LOGOUT, from NOT_READY, from READY [User API Errors]
    Requested.LOGIN: ("NOT_READY", "NOT_READY", "READY"),
    Requested.READY: ("INVALID_STATE", "READY", "READY"),
    Requested.NOT_READY: ("INVALID_PASSWORD_SPECIFIED", "NOT_READY", "NOT_READY"),
    Requested.LOGOUT: ("INVALID_STATE", "LOGOUT", "INVALID_STATE"),
    Requested.FORCED_LOGOUT: ("LOGOUT", "LOGOUT", "LOGOUT"),
}


@pytest.mark.parametrize("requested", DESKTOP)
def test_the_desktop_follows_the_rules_of_the_voice_mrd(requested: Requested) -> None:
    reached = []
    for state in (State.LOGOUT, State.NOT_READY, State.READY):
        decision = decide_session(DesktopSession(state=state), Change(requested=requested))
        reached.append(decision.error or decision.session.state)
        # This one is known of CCE after the 202 only [User—Change Agent State].
        at_once = None if decision.error == "INVALID_PASSWORD_SPECIFIED" else decision.error
        assert refusal(state, requested, DESKTOP_TRANSITIONS) == at_once
    assert tuple(reached) == DESKTOP[requested]


def test_a_desktop_signs_in_again_with_its_state_and_another_extension() -> None:
    now = DesktopSession(state=State.READY, extension="100")
    again = decide_session(now, Change(requested=Requested.LOGIN, extension="200"))
    assert again.session == DesktopSession(state=State.READY, extension="200")
    out = decide_session(now, Change(requested=Requested.FORCED_LOGOUT))
    assert out.session == DesktopSession(state=State.LOGOUT)
