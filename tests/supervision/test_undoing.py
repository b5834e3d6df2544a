"""Undoing an action: each row that nobody has changed since goes back, and says what came of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from finesse.users.models import User
from media.models import Cause, Desktop, Media, MediaRequest, StateInterval
from media.states import (
    Change,
    DesktopSession,
    MediaSession,
    Options,
    Requested,
    State,
    decide,
    decide_session,
)
from media.supervision.undoing import (
    CHANGED_SINCE,
    NO_WAY_BACK,
    NOT_CHANGED,
    NOT_MANAGED_NOW,
    UNDONE,
)
from media.supervision.way_back import way_back
from media.supervision_tables import SupervisorAction, WaitingChange, WaitingOutcome
from media.writing.acceptance import accept
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.supervision.conftest import sign_in_desktop, undone

Settle = Callable[[], list[Any]]
OPTIONS = Options(max_dialog_limit=5, interrupt_action="ACCEPT")


def as_it_is(login_id: str, mrd: int) -> tuple[Any, ...]:
    media = Media.objects.get(user=login_id, mrd=mrd)
    return (
        media.state,
        media.reason_code_id,
        media.routable,
        media.max_dialog_limit,
        media.interrupt_action,
    )


@pytest.mark.parametrize("requested", ["READY", "NOT_READY", "NOT_ROUTABLE", "ROUTABLE", "LOGOUT"])
@pytest.mark.parametrize("former", ["READY", "NOT_READY"])
@pytest.mark.parametrize("routable", [True, False])
def test_state_reason_mode_and_options_are_as_before(
    codes: dict[str, ReasonCode],
    page: Any,
    put_in: Any,
    settle: Settle,
    requested: str,
    former: str,
    routable: bool,
) -> None:
    reason = codes["Lunch"] if former == "NOT_READY" else None
    put_in("alice", 5000, State(former), reason_code=reason, routable=routable)
    before = as_it_is("alice", 5000)
    carol = page("carol")
    answer = carol.act(requested, [("alice", 5000)])
    settle()
    assert carol.undo(answer).status_code == 200
    settle()
    assert as_it_is("alice", 5000) == before


def test_undoing_a_sign_out_of_everything_signs_in_again_desktop_first(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY, reason_code=codes["Lunch"])
    sign_in_desktop("alice")
    carol = page("carol")
    answer = carol.act("LOGOUT", [("alice", 5000)], whole=True)
    settle()
    assert undone(carol.undo(answer)) == [UNDONE, UNDONE]
    settle()
    assert as_it_is("alice", 5000)[:2] == ("NOT_READY", codes["Lunch"].pk)
    desktop = Desktop.objects.get()
    assert (desktop.state, desktop.extension) == ("READY", "1001")
    assert not MediaRequest.objects.filter(outcome="error").exists()
    last = StateInterval.objects.filter(login_id="alice", mrd_id=5000).latest("pk")
    assert (last.label, last.actor, last.note) == ("Lunch", "carol", "Undone")


def test_what_somebody_has_changed_since_stays(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    put_in("alice", 5001, State.READY)
    carol = page("carol")
    answer = carol.act("NOT_READY", [("alice", 5000), ("alice", 5001)])
    settle()
    agents_own = {"cause": Cause.SELF, "actor": "alice"}
    lunch = {"reason_code": codes["Lunch"], **agents_own}
    accept([new_request("alice", 5000, Requested.NOT_READY, **lunch)])
    settle()
    assert undone(carol.undo(answer)) == [CHANGED_SINCE, UNDONE]
    settle()
    assert as_it_is("alice", 5000)[:2] == ("NOT_READY", codes["Lunch"].pk)
    assert as_it_is("alice", 5001)[0] == "READY"


def test_there_and_back_by_the_agent_counts_as_a_change(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    carol = page("carol")
    answer = carol.act("READY", [("alice", 5000)])
    settle()
    for requested in (Requested.NOT_READY, Requested.READY):
        accept([new_request("alice", 5000, requested, cause=Cause.SELF, actor="alice")])
    settle()
    assert undone(carol.undo(answer)) == [CHANGED_SINCE]
    assert as_it_is("alice", 5000)[0] == "READY"


def test_what_the_agent_has_asked_for_meanwhile_counts_as_a_change(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    carol = page("carol")
    answer = carol.act("READY", [("alice", 5000)])
    settle()
    accept([new_request("alice", 5000, Requested.LOGOUT, cause=Cause.SELF, actor="alice")])
    assert undone(carol.undo(answer)) == [CHANGED_SINCE]
    settle()
    assert as_it_is("alice", 5000)[0] == "LOGOUT"


def test_undone_twice_is_undone_once(cast: Any, page: Any, put_in: Any, settle: Settle) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    answer = carol.act("NOT_READY", [("alice", 5000)])
    settle()
    first = carol.undo(answer)
    assert carol.undo(answer).json() == first.json()
    assert MediaRequest.objects.count() == 2


def test_rows_without_a_change_have_nothing_to_undo(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    answer = carol.act("READY", [("alice", 5000), ("alice", 5001)])
    settle()
    assert undone(carol.undo(answer)) == [NOT_CHANGED, NOT_CHANGED]


def test_nothing_leads_back_to_a_task(cast: Any, page: Any, put_in: Any, settle: Settle) -> None:
    put_in("alice", 5000, State.ACTIVE)
    carol = page("carol")
    answer = carol.act("NOT_READY", [("alice", 5000)])
    settle()
    assert undone(carol.undo(answer)) == [NO_WAY_BACK]
    assert as_it_is("alice", 5000)[0] == "NOT_READY"


def test_what_waits_is_cancelled(cast: Any, page: Any, put_in: Any, settle: Settle) -> None:
    put_in("alice", 5000, State.ACTIVE)
    carol = page("carol")
    answer = carol.act("READY", [("alice", 5000)], later=True)
    assert undone(carol.undo(answer)) == [UNDONE]
    assert WaitingChange.objects.get().outcome == WaitingOutcome.CANCELLED


def test_a_correction_is_taken_back_without_a_new_interval(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    carol.act("NOT_READY", [("alice", 5000)], reasonCode=codes["Lunch"].pk)
    settle()
    answer = carol.act("CORRECT_REASON", [("alice", 5000)], reasonCode=codes["Coaching"].pk)
    settle()
    assert undone(carol.undo(answer)) == [UNDONE]
    interval = StateInterval.objects.get(ended_at=None)
    assert [one.label for one in interval.corrections.order_by("pk")] == ["Coaching", "Lunch"]
    assert as_it_is("alice", 5000)[1] == codes["Lunch"].pk


def test_before_the_outcomes_and_after_the_time_it_is_refused(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    answer = carol.act("NOT_READY", [("alice", 5000)])
    assert carol.undo(answer).status_code == 409
    settle()
    long_ago = timezone.now() - timedelta(seconds=16)
    SupervisorAction.objects.update(created_at=long_ago)
    MediaRequest.objects.update(applied_at=long_ago)
    assert carol.undo(answer).status_code == 410
    assert as_it_is("alice", 5000)[0] == "NOT_READY"


def test_only_who_did_it_can_undo_it_and_only_for_agents_of_the_own_teams(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    answer = carol.act("NOT_READY", [("alice", 5000)])
    settle()
    assert page("dave").undo(answer).status_code == 404
    User.objects.filter(pk="alice").update(team=User.objects.get(pk="bob").team)
    assert undone(carol.undo(answer)) == [NOT_MANAGED_NOW]


SESSIONS = [
    MediaSession(state=State.LOGOUT),
    *(
        MediaSession(state=state, reason_code=reason, routable=routable, options=OPTIONS)
        for state, reason in ((State.READY, None), (State.NOT_READY, None), (State.NOT_READY, 7))
        for routable in (True, False)
    ),
]


@pytest.mark.parametrize("former", SESSIONS)
@pytest.mark.parametrize("now", SESSIONS)
def test_the_way_back_leads_back_by_the_transition_table(
    now: MediaSession, former: MediaSession
) -> None:
    steps = way_back(now, former)
    # A supervisor can sign out, but a request of an agent's is not made for it.
    if former.state is State.LOGOUT and now != former:
        assert steps is None
        return
    assert steps is not None
    session = now
    for step in steps:
        decision = decide(session, step)
        assert decision.error is None
        session = decision.session
    assert session == former
    assert len(steps) <= 3


def test_the_desktops_way_back_signs_in_with_the_extension() -> None:
    former = DesktopSession(state=State.READY, extension="1001")
    now = decide_session(former, Change(requested=Requested.FORCED_LOGOUT)).session
    steps = way_back(now, former)
    assert steps is not None
    assert [step.requested for step in steps] == [Requested.LOGIN, Requested.READY]
