"""FINESSE_AFTER_THIS_ONE: a plain client's request that is refused otherwise waits for its turn."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from finesse.notifications.models import Notification
from media.break_tables import BreakRule, WhenFull
from media.models import Desktop, Media, MediaRequest, Outcome
from media.states import Requested, State
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor
from reasoncodes.models import ReasonCode
from tests.breaks.conftest import asks, chat, in_reason, lunch  # noqa: F401 (fixtures)
from tests.conftest import API, error_of
from tests.supervision.conftest import Page, put_in  # noqa: F401 (a fixture)

pytestmark = pytest.mark.usefixtures("own_layer", "codes")
Settle = Callable[[], list[Notification]]
FULL = "All places that the team has for this reason are taken"


@pytest.fixture
def on(settings: Any) -> None:
    settings.FINESSE_AFTER_THIS_ONE = True
    settings.FINESSE_REQUEST_ID_ON_SUCCESS = True


@pytest.fixture
def at_work(put_in: Any, settle: Settle) -> Callable[[], Media]:  # noqa: F811
    put_in("alice", 5000, State.ACTIVE)
    settle()
    return lambda: Media.objects.get(user="alice", mrd=5000)


def ready(api: API, request_id: str) -> Any:
    return api.state("READY", mrd=5000, requestId=request_id)


def errors(told: list[Notification]) -> list[tuple[str, str]]:
    """Source and requestId of each error."""
    return [(one.source, one.request_id) for one in told if "<apiErrors>" in one.update]


def of_media(told: list[Notification]) -> list[str]:
    """The requestIds of what is told on the Media node."""
    return [one.request_id for one in told if one.node.endswith("/Media")]


# --- off ----------------------------------------------------------------------------------------


def test_without_the_setting_it_is_refused_as_ever(api: API, at_work: Any, settle: Settle) -> None:
    answer = ready(api, "r-1")
    assert (answer.status_code, error_of(answer)["ErrorType"]) == (400, "Invalid Input")
    assert settle() == []
    assert not MediaRequest.objects.exists()
    assert not WaitingChange.objects.exists()


def test_without_the_setting_nobody_waits_for_a_place_by_a_put(
    api: API,
    chat: Any,  # noqa: F811
    lunch: ReasonCode,  # noqa: F811
    settle: Settle,
) -> None:
    rule_with_queue(lunch)
    asks("anna", lunch)
    asks("axel", lunch)
    settle()
    assert MediaRequest.objects.get(login_id="axel").error == FULL
    assert error_of(api.state("NOT_READY", lunch.pk))["ErrorMessage"] == FULL
    assert not WaitingChange.objects.exists()


# --- on -----------------------------------------------------------------------------------------


def test_it_waits_and_its_outcome_comes_with_its_request_id(
    on: None, api: API, at_work: Any, settle: Settle
) -> None:
    assert ready(api, "r-1").status_code == 202
    assert of_media(settle()) == []
    assert at_work().state == State.ACTIVE
    (request,) = MediaRequest.objects.all()
    assert (request.outcome, request.position) == (Outcome.WAITING, None)
    api.state("NOT_READY", ReasonCode.objects.get(label="Lunch").pk, mrd=5000, requestId="r-2")
    assert of_media(settle()) == ["r-2", "r-1"]
    assert at_work().state == State.READY
    assert WaitingChange.objects.get().outcome == WaitingOutcome.APPLIED


@pytest.mark.parametrize(
    ("how", "outcome"), [("signs out", "void"), ("cancels", "cancelled"), ("replaces", "replaced")]
)
def test_what_is_dropped_ends_in_the_error_of_the_refusal_with_its_request_id(
    on: None, api: API, at_work: Any, settle: Settle, how: str, outcome: str
) -> None:
    ready(api, "r-1")
    settle()
    waiting = WaitingChange.objects.get()
    if how == "signs out":
        end = ReasonCode.objects.get(label="End of shift")
        api.state("LOGOUT", end.pk, mrd=5000)
    elif how == "cancels":
        Page("carol").post(f"waiting/{waiting.pk}/cancel/", {})
    else:
        Media.objects.filter(mrd=5000).update(state="WORK", resume="READY")
        api.put("<Media><routable>false</routable></Media>", mrd=5000, requestId="r-2")
    told = settle()
    assert errors(told) == [("/finesse/api/User/alice/Media/5000", "r-1")]
    (error,) = [one for one in told if "<apiErrors>" in one.update]
    assert "<errorType>Invalid Input</errorType>" in error.update
    assert "<errorMedia>5000</errorMedia>" in error.update
    waiting.refresh_from_db()
    assert waiting.outcome == outcome


def test_a_state_that_came_about_after_the_202_lets_it_wait_too(
    on: None,
    api: API,
    put_in: Any,  # noqa: F811
    settle: Settle,
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    assert ready(api, "r-1").status_code == 202
    Media.objects.filter(mrd=5000).update(state="ACTIVE")
    assert errors(settle()) == []
    assert WaitingChange.objects.get().waits_for == WaitsFor.RULES


def test_the_same_again_changes_nothing(on: None, api: API, at_work: Any, settle: Settle) -> None:
    ready(api, "r-1")
    ready(api, "r-2")
    assert of_media(settle()) == []
    outcomes = MediaRequest.objects.order_by("pk").values_list("outcome", flat=True)
    assert [*outcomes] == [Outcome.WAITING, Outcome.IGNORED]
    assert WaitingChange.objects.get().request_id == "r-1"


def test_a_list_and_a_desktop_wait_too(on: None, api: API, at_work: Any, settle: Settle) -> None:
    body = "<MediaList><Media><id>5000</id><state>READY</state></Media></MediaList>"
    assert api.request("PUT", "User/alice/Media", body).status_code == 202
    Desktop.objects.create(
        user_id="alice", state="READY", state_change_time=timezone.now(), extension="1"
    )
    end = ReasonCode.objects.get(label="End of shift")
    body = f"<User><state>LOGOUT</state><reasonCodeId>{end.pk}</reasonCodeId></User>"
    assert api.request("PUT", "User/alice", body).status_code == 202
    settle()
    assert set(WaitingChange.objects.values_list("mrd_id", "requested")) == {
        (5000, "READY"),
        (None, "LOGOUT"),
    }
    lunch_code = ReasonCode.objects.get(label="Lunch")
    body = f"<User><state>NOT_READY</state><reasonCodeId>{lunch_code.pk}</reasonCodeId></User>"
    api.request("PUT", "User/alice", body)
    settle()
    assert Desktop.objects.get().state == State.LOGOUT


def test_a_sign_out_that_is_to_include_more_takes_the_place_of_the_one_that_waits(
    on: None, api: API, at_work: Any, settle: Settle
) -> None:
    Desktop.objects.create(
        user_id="alice", state="READY", state_change_time=timezone.now(), extension="1"
    )
    end = ReasonCode.objects.get(label="End of shift").pk
    for everywhere in ("false", "true", "true"):
        body = (
            f"<User><state>LOGOUT</state><reasonCodeId>{end}</reasonCodeId>"
            f"<logoutAllMedia>{everywhere}</logoutAllMedia></User>"
        )
        assert api.request("PUT", "User/alice", body).status_code == 202
    settle()
    waiting = WaitingChange.objects.order_by("pk").values_list("outcome", "logout_all_media")
    assert list(waiting) == [(WaitingOutcome.REPLACED, False), (None, True)]


@pytest.mark.parametrize("channel", ["1", "a"])
@pytest.mark.parametrize("everywhere", [True, False, None])
def test_a_sign_out_that_waits_includes_what_it_was_asked_to(
    on: None,
    api: API,
    at_work: Any,
    settle: Settle,
    settings: Any,
    everywhere: bool | None,
    channel: str,
) -> None:
    """logoutAllMedia, or else the setting, as of a sign-out that is applied at once."""
    settings.FINESSE_USER_SIGNOUT_CHANNEL = channel
    Desktop.objects.create(
        user_id="alice", state="READY", state_change_time=timezone.now(), extension="1"
    )
    asked = "" if everywhere is None else f"<logoutAllMedia>{everywhere}</logoutAllMedia>".lower()
    asked = asked.replace("logoutallmedia", "logoutAllMedia")
    end, lunch_code = (ReasonCode.objects.get(label=one).pk for one in ("End of shift", "Lunch"))
    body = f"<User><state>LOGOUT</state><reasonCodeId>{end}</reasonCodeId>{asked}</User>"
    assert api.request("PUT", "User/alice", body).status_code == 202
    settle()
    body = f"<User><state>NOT_READY</state><reasonCodeId>{lunch_code}</reasonCodeId></User>"
    assert api.request("PUT", "User/alice", body).status_code == 202
    settle()
    assert Desktop.objects.get().state == State.LOGOUT
    expected = channel == "a" if everywhere is None else everywhere
    states = set(Media.objects.filter(user="alice").values_list("state", flat=True))
    assert (states == {"LOGOUT"}) is expected


@pytest.mark.parametrize(
    ("state", "body"),
    [
        (State.READY, "<Media><state>ACTIVE</state></Media>"),
        (State.LOGOUT, "<Media><state>ACTIVE</state></Media>"),
        (State.ACTIVE, "<Media><state>FLYING</state></Media>"),
    ],
)
def test_what_no_state_of_the_session_would_allow_is_refused_as_ever(
    on: None,
    api: API,
    put_in: Any,  # noqa: F811
    settle: Settle,
    state: State,
    body: str,
) -> None:
    if state is not State.LOGOUT:
        put_in("alice", 5000, state)
    assert api.put(body, mrd=5000).status_code == 400
    assert not MediaRequest.objects.exists()


# --- places -------------------------------------------------------------------------------------


def rule_with_queue(reason: ReasonCode, **fields: Any) -> BreakRule:
    fields = {"most_at_once": 1, "when_full": WhenFull.QUEUE, **fields}
    return BreakRule.objects.create(reason_code=reason, **fields)


def test_a_request_waits_for_a_place_and_its_outcome_comes_with_its_request_id(
    on: None,
    api: API,
    chat: Any,  # noqa: F811
    lunch: ReasonCode,  # noqa: F811
    settle: Settle,
) -> None:
    rule_with_queue(lunch)
    asks("anna", lunch)
    settle()
    assert api.state("NOT_READY", lunch.pk, requestId="r-1").status_code == 202
    asks("axel", lunch, request_id="r-2")
    assert of_media(settle()) == []
    asked = WaitingChange.objects.order_by("pk").values_list("login_id", "request_id")
    assert [*asked] == [("alice", "r-1"), ("axel", "r-2")]
    api.state("READY", user="anna", login="anna", requestId="r-3")
    assert of_media(settle()) == ["r-3", "r-1"]
    assert in_reason(lunch) == [("alice", 5001)]
    # axel changes otherwise: the request that waited comes to nothing, and says so.
    api.state("READY", user="axel", login="axel", requestId="r-4")
    assert errors(settle()) == []
    api.state("LOGOUT", ReasonCode.objects.get(label="End of shift").pk, user="axel", login="axel")
    told = settle()
    assert errors(told) == [("/finesse/api/User/axel/Media/5001", "r-2")]
    assert any(FULL in one.update for one in told)


def test_a_rule_without_a_queue_refuses_as_ever(
    on: None,
    api: API,
    chat: Any,  # noqa: F811
    lunch: ReasonCode,  # noqa: F811
    settle: Settle,
) -> None:
    rule = rule_with_queue(lunch, when_full=WhenFull.REFUSE)
    asks("anna", lunch)
    asks("axel", lunch)
    settle()
    assert MediaRequest.objects.get(login_id="axel").error == FULL
    assert api.state("NOT_READY", lunch.pk).status_code == 400
    rule.when_full = WhenFull.QUEUE
    rule.save()
    api.state("NOT_READY", lunch.pk, requestId="r-1")
    settle()
    rule.when_full = WhenFull.REFUSE
    rule.save()
    assert errors(settle()) == [("/finesse/api/User/alice/Media/5001", "r-1")]
    assert WaitingChange.objects.get().outcome == WaitingOutcome.NO_QUEUE


def test_requests_of_supervisors_and_the_system_do_not_wait(
    on: None, at_work: Any, settle: Settle
) -> None:
    answer = Page("carol").act("READY", [("alice", 5000)])
    assert answer.json()["rows"][0]["result"] == "refused"
    assert not WaitingChange.objects.filter(requested=Requested.READY).exists()
