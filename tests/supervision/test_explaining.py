"""“Why does Ana get nothing?”: the sentences, without a database."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from finesse.users.models import User
from media.models import (
    VOICE_MRD,
    Cause,
    Desktop,
    Media,
    MediaRequest,
    MediaRoutingDomain,
    StateInterval,
)
from media.states import Requested, State
from media.supervision.explaining import Told, explain
from reasoncodes.models import ReasonCode

AT = datetime(2026, 3, 5, 9, 2, tzinfo=UTC)
NOW = datetime(2026, 3, 5, 11, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
ANA = User(pk="ana", first_name="Ana", last_name="Lima")
CHAT = MediaRoutingDomain(pk=5000, name="Chat")
LUNCH = ReasonCode(pk=1001, label="Lunch", code=1, category="NOT_READY")
FRESH = Desktop(user=ANA)


def media(state: State, **fields: Any) -> Media:
    return Media(user=ANA, mrd=CHAT, state=state, state_change_time=AT, **fields)


def told(**fields: Any) -> Told:
    return Told(now=NOW, zone=BERLIN, names={"dana": "Dana Ruiz"}, **fields)


def began(**fields: Any) -> dict[int, StateInterval]:
    interval = StateInterval(started_at=AT, **{"cause": Cause.SELF, "actor": "ana", **fields})
    return {5000: interval}


def sentence(one: Media, **fields: Any) -> str:
    return explain([one], FRESH, told(**fields))[0]


def test_the_agents_own_not_ready_names_reason_and_time_but_nobody() -> None:
    assert (
        sentence(media(State.NOT_READY, reason_code=LUNCH), began=began())
        == "Not ready in Chat since 10:02 (Lunch); not routable."
    )


def test_a_supervisors_change_names_the_supervisor_and_the_note() -> None:
    by_dana = began(cause=Cause.SUPERVISOR, actor="dana", note="Call me")
    assert (
        sentence(media(State.NOT_READY, reason_code=LUNCH, routable=True), began=by_dana)
        == "Not ready in Chat since 10:02 (Lunch), by Dana Ruiz: “Call me”."
    )


def test_a_sign_out_has_its_reason_from_the_history() -> None:
    by_system = began(cause=Cause.SYSTEM, actor="", label="Connection Failure")
    assert (
        sentence(media(State.LOGOUT), began=by_system)
        == "Signed out of Chat since 10:02 (Connection Failure), by the system."
    )


def test_who_has_never_signed_in_has_no_time() -> None:
    never = Media(user=ANA, mrd=CHAT, state=State.LOGOUT)
    assert sentence(never) == "Has never signed in to Chat."


def test_ready_and_routable_says_that_work_can_come() -> None:
    assert (
        sentence(media(State.READY, routable=True))
        == "Ready in Chat since 10:02; routable: work can come."
    )


def test_ready_but_not_routable_says_since_when_and_by_whom() -> None:
    request = MediaRequest(
        requested=Requested.NOT_ROUTABLE,
        cause=Cause.SUPERVISOR,
        actor="dana",
        applied_at=datetime(2026, 3, 4, 16, 30, tzinfo=UTC),
    )
    assert (
        sentence(media(State.READY), modes={5000: request})
        == "Ready in Chat since 10:02; not routable since 17:30 on 4 March, by Dana Ruiz."
    )


def test_an_offered_task_that_ends_the_mode_is_said() -> None:
    offered = media(State.RESERVED, routable=True, not_routable_next=True)
    assert (
        sentence(offered) == "RESERVED in Chat (a task was offered) since 10:02; "
        "not routable once the offered task is started."
    )


@pytest.mark.parametrize("state", [*State])
def test_every_state_has_a_sentence(state: State) -> None:
    assert sentence(media(state, routable=state != State.LOGOUT)).endswith(".")


def test_the_desktop_comes_last() -> None:
    desktop = Desktop(user=ANA, state=State.NOT_READY, state_change_time=AT, reason_code=LUNCH)
    interval = StateInterval(cause=Cause.SUPERVISOR, actor="dana", started_at=AT)
    assert explain([], desktop, told(began={VOICE_MRD: interval})) == [
        "In no MRD: an administrator assigns agents to MRDs.",
        "The desktop is not ready since 10:02 (Lunch), by Dana Ruiz.",
    ]


def test_a_deactivated_user_needs_no_other_sentence() -> None:
    gone = Desktop(user=User(pk="gone", first_name="Gone", is_active=False))
    assert explain([media(State.READY)], gone, told()) == [
        "The account is not active: nobody can sign in with it."
    ]
