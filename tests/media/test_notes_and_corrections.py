"""What a supervisor says about a change, and reasons that are put right without a new interval."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from finesse.notifications import frames
from finesse.notifications.models import Notification
from finesse.users.models import User
from media.models import (
    Cause,
    Desktop,
    IntervalCorrection,
    Media,
    MediaRequest,
    StateInterval,
)
from media.states import Requested
from media.writing.acceptance import accept
from media.writing.history import correct_past
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, outcomes, update_of

pytestmark = pytest.mark.usefixtures("cast")
Settle = Callable[[], list[Notification]]


@pytest.fixture(autouse=True)
def quiet_start(cast: Cast, settle: Settle) -> None:
    """The cast's own memberships have been published."""
    User.objects.filter(pk=cast.carol.pk).update(first_name="Dana", last_name="Ruiz")
    settle()


@pytest.fixture
def at_lunch(api: API, codes: dict[str, ReasonCode], settle: Settle) -> StateInterval:
    api.put(LOGIN)
    settle()
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    return StateInterval.objects.get(ended_at=None)


def by_supervisor(requested: Requested, reason: ReasonCode | None = None, **more: Any) -> None:
    options = {"cause": Cause.SUPERVISOR, "actor": "carol", "reason_code": reason, **more}
    mrd_id = options.pop("mrd_id", 5001)
    accept([new_request("alice", mrd_id, requested, **options)])


def context_of(notification: Notification) -> Any:
    return json.loads(frames.message(notification)["text"]).get("context")


def test_viewers_are_told_who_has_changed_a_state_and_why_and_finesse_clients_are_not(
    at_lunch: StateInterval, settle: Settle
) -> None:
    by_supervisor(Requested.READY, note="The queue is long")
    (published,) = settle()
    assert context_of(published) == {
        "cause": "supervisor",
        "actor": {"id": "carol", "name": "Dana Ruiz"},
        "note": "The queue is long",
        "requested": "READY",
    }
    assert "Dana" not in published.update
    assert "queue is long" not in published.update


def test_an_agents_own_change_has_no_context(at_lunch: StateInterval) -> None:
    newest = Notification.objects.latest("position")
    assert update_of(newest).findtext("data/Media/state") == "NOT_READY"
    assert newest.context == ""
    assert "context" not in json.loads(frames.message(newest)["text"])


def test_the_error_of_a_supervisors_change_names_the_supervisor(settle: Settle) -> None:
    by_supervisor(Requested.READY, note="Please")
    (published,) = settle()
    assert "E_ARM_STAT_AGENT_NOT_LOGGED_IN" in published.update
    assert context_of(published)["actor"]["id"] == "carol"


def test_the_history_keeps_the_note(at_lunch: StateInterval, settle: Settle) -> None:
    by_supervisor(Requested.READY, note="The queue is long")
    settle()
    running = StateInterval.objects.get(ended_at=None)
    assert (running.cause, running.actor, running.note) == (
        "supervisor",
        "carol",
        "The queue is long",
    )


def test_a_corrected_reason_leaves_time_and_interval_as_they_are(
    at_lunch: StateInterval, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    before = Media.objects.get(user="alice", mrd=5001)
    by_supervisor(Requested.CORRECT_REASON, codes["Coaching"], note="It was coaching")
    (published,) = settle()
    now = Media.objects.get(user="alice", mrd=5001)
    assert (now.state, now.reason_code) == ("NOT_READY", codes["Coaching"])
    assert now.state_change_time == before.state_change_time
    assert update_of(published).findtext("data/Media/ReasonCode/label") == "Coaching"
    running = StateInterval.objects.get(ended_at=None)
    assert (running.pk, running.label) == (at_lunch.pk, "Lunch")
    (correction,) = running.corrections.all()
    assert (correction.label, correction.code) == ("Coaching", codes["Coaching"].code)
    assert (correction.actor, correction.note) == ("carol", "It was coaching")


def test_the_same_reason_again_corrects_nothing(
    at_lunch: StateInterval, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    by_supervisor(Requested.CORRECT_REASON, codes["Lunch"])
    assert settle() == []
    assert outcomes()[-1] == ("CORRECT_REASON", "ignored", "")
    assert not IntervalCorrection.objects.exists()


@pytest.mark.parametrize("to", [Requested.READY, Requested.FORCED_LOGOUT])
def test_a_state_without_a_reason_has_none_to_correct(
    at_lunch: StateInterval,
    codes: dict[str, ReasonCode],
    settle: Settle,
    to: Requested,
) -> None:
    by_supervisor(to)
    settle()
    MediaRequest.objects.all().delete()
    by_supervisor(Requested.CORRECT_REASON, codes["Coaching"])
    settle()
    (outcome,) = outcomes()
    assert outcome[1] == "error"
    assert not IntervalCorrection.objects.exists()


def test_an_interval_that_begins_and_is_corrected_in_one_batch_has_its_correction(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    by_supervisor(Requested.CORRECT_REASON, codes["Coaching"])
    api.state("READY")
    settle()
    (correction,) = IntervalCorrection.objects.select_related("interval")
    assert (correction.interval.label, correction.label) == ("Lunch", "Coaching")
    chain = StateInterval.objects.order_by("pk").values_list("state", "label")
    assert list(chain) == [("NOT_READY", ""), ("NOT_READY", "Lunch"), ("READY", "")]


def test_the_reason_of_a_desktop_can_be_corrected_too(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    for requested, reason in ((Requested.LOGIN, None), (Requested.NOT_READY, codes["Lunch"])):
        by_supervisor(requested, reason, mrd_id=None, cause=Cause.SELF, actor="alice")
    settle()
    since = Desktop.objects.get().state_change_time
    by_supervisor(Requested.CORRECT_REASON, codes["Coaching"], mrd_id=None)
    settle()
    desktop = Desktop.objects.get()
    assert (desktop.reason_code, desktop.state_change_time) == (codes["Coaching"], since)
    assert IntervalCorrection.objects.get().interval.mrd_id == 1


def test_a_past_interval_is_corrected_without_a_notification(
    at_lunch: StateInterval, codes: dict[str, ReasonCode], api: API, settle: Settle
) -> None:
    with pytest.raises(ValueError, match="is over"):
        correct_past(at_lunch, codes["Coaching"], actor="carol", note="")
    api.state("READY")
    settle()
    at_lunch.refresh_from_db()
    correct_past(at_lunch, codes["Coaching"], actor="carol", note="She told me")
    assert settle() == []
    assert [one.label for one in at_lunch.corrections.all()] == ["Coaching"]
    assert Media.objects.get(user="alice", mrd=5001).state == "READY"


def test_deleting_old_intervals_deletes_their_corrections(
    at_lunch: StateInterval, codes: dict[str, ReasonCode], api: API, settle: Settle
) -> None:
    by_supervisor(Requested.CORRECT_REASON, codes["Coaching"])
    settle()
    StateInterval.objects.filter(pk=at_lunch.pk).delete()
    assert not IntervalCorrection.objects.exists()
