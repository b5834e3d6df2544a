"""The rules stand in the database: no form, no shell and no bug gets past them."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from finesse.notifications.models import LogHead, Notification
from finesse.users.models import User
from media.models import Media, MediaRequest, MediaRoutingDomain, StateInterval
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("cast")
NOW = timezone.now()


def refused(model: type[models.Model], **fields: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        model._base_manager.bulk_create([model(**fields)])


REQUEST = {
    "login_id": "alice",
    "mrd_id": 5001,
    "requested": "READY",
    "actor": "alice",
    "accepted_at": NOW,
}
INTERVAL = {
    "login_id": "alice",
    "mrd_id": 5001,
    "state": "READY",
    "started_at": NOW,
    "cause": "self",
    "actor": "alice",
}
SIGNED_IN = {
    "max_dialog_limit": 1,
    "interrupt_action": "ACCEPT",
    "dialog_logout_action": "CLOSE",
}
NOTIFICATION = {"node": "n", "source": "s", "at": NOW, "update": "<Update></Update>"}


@pytest.mark.parametrize("login_id", ["ALICE", "a b", "a/b", "a@b", "", "é", "a\n"])
def test_login_ids_are_addresses_and_unique_without_case(login_id: str) -> None:
    refused(User, login_id=login_id, first_name="X")


@pytest.mark.parametrize("login_id", ["a b", "a@b", "ALICE", "alice\n"])
def test_the_form_explains_what_is_wrong_with_a_login_id(login_id: str) -> None:
    with pytest.raises(ValidationError):
        User(login_id=login_id, first_name="X", password="x").full_clean()


@pytest.mark.parametrize(
    "fields",
    [
        {"category": "READY"},
        {"code": 0},
        {"code": 65536},
        {"label": ""},
        {"label": " Lunch"},
        {"label": "Lunch "},
    ],
)
def test_a_reason_code_out_of_its_limits_is_refused(fields: dict[str, Any]) -> None:
    refused(ReasonCode, **{"category": "NOT_READY", "code": 9, "label": "X", **fields})


def test_code_and_label_are_unique_in_their_category_until_retired(
    codes: dict[str, ReasonCode],
) -> None:
    refused(ReasonCode, category="NOT_READY", code=1, label="Another")
    with pytest.raises(ValidationError), transaction.atomic():
        ReasonCode.objects.create(category="NOT_READY", code=9, label="LUNCH")
    ReasonCode.objects.create(category="LOGOUT", code=9, label="Lunch")
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(retired=True)
    ReasonCode.objects.create(category="NOT_READY", code=1, label="Lunch")


def test_blanks_around_a_label_are_trimmed_by_the_form() -> None:
    reason_code = ReasonCode(category="NOT_READY", code=9, label="  Tea ")
    reason_code.full_clean()
    assert reason_code.label == "Tea"


def test_a_label_with_control_characters_is_refused_by_the_form() -> None:
    with pytest.raises(ValidationError):
        ReasonCode(category="NOT_READY", code=9, label="a\x07b").full_clean()


@pytest.mark.parametrize(
    "fields",
    [
        {"mrd_id": 5001},
        {"mrd_id": 1},
        {"mrd_id": 5002, "state": "AWAY", **SIGNED_IN},
        {"mrd_id": 5002, "state": "READY"},
        {"mrd_id": 5002, "state": "READY", **SIGNED_IN, "max_dialog_limit": 11},
        {"mrd_id": 5002, "state": "READY", **SIGNED_IN, "interrupt_action": ""},
        {"mrd_id": 5002, "state": "READY", **SIGNED_IN, "max_dialog_limit": None},
        {"mrd_id": 5002, "state": "LOGOUT", **SIGNED_IN},
        {"mrd_id": 5002, "state": "LOGOUT", "routable": True},
    ],
)
def test_a_media_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    refused(Media, user_id="alice", **fields)


def test_only_not_ready_has_a_reason(codes: dict[str, ReasonCode]) -> None:
    lunch = codes["Lunch"].pk
    fields = {"user_id": "alice", "mrd_id": 5002, "reason_code_id": lunch, **SIGNED_IN}
    refused(Media, state="READY", **fields)
    Media.objects.bulk_create([Media(state="NOT_READY", **fields)])


@pytest.mark.parametrize(
    "outcome",
    [
        {"outcome": "changed"},
        {"outcome": "changed", "applied_at": NOW},
        {"outcome": "changed", "position": 1},
        {"outcome": "ignored", "applied_at": NOW, "position": 1},
        {"outcome": "error", "applied_at": NOW, "position": 1},
        {"outcome": "error", "applied_at": NOW, "error": "E"},
        {"outcome": "lost", "applied_at": NOW},
        {"applied_at": NOW},
        {"position": 1},
        {"error": "E"},
    ],
)
def test_half_an_outcome_is_refused(outcome: dict[str, Any]) -> None:
    refused(MediaRequest, **REQUEST, **outcome)


def test_two_requests_cannot_claim_the_same_notification() -> None:
    outcome = {"outcome": "changed", "applied_at": NOW, "position": 7}
    MediaRequest.objects.create(**REQUEST, **outcome)
    refused(MediaRequest, **REQUEST, **outcome)


def test_a_media_has_one_open_interval() -> None:
    StateInterval.objects.create(**INTERVAL)
    refused(StateInterval, **INTERVAL)
    StateInterval.objects.create(**{**INTERVAL, "mrd_id": 5000})


def test_an_interval_does_not_end_before_it_starts() -> None:
    refused(StateInterval, **INTERVAL, ended_at=NOW - timedelta(seconds=1))


def test_a_position_is_given_once_and_events_are_upper_case() -> None:
    Notification.objects.create(position=99, event="PUT", **NOTIFICATION)
    refused(Notification, position=99, event="PUT", **NOTIFICATION)
    refused(Notification, position=0, event="PUT", **NOTIFICATION)
    refused(Notification, position=100, event="put", **NOTIFICATION)


def test_the_log_has_one_head() -> None:
    refused(LogHead, pk=2)


def test_the_voice_mrd_is_always_there() -> None:
    assert MediaRoutingDomain.objects.get(pk=1).is_voice


def test_a_reason_code_that_the_history_names_cannot_be_deleted(
    codes: dict[str, ReasonCode],
) -> None:
    lunch = codes["Lunch"]
    assert not lunch.is_used()
    StateInterval.objects.create(**INTERVAL, reason_code=lunch)
    assert lunch.is_used()
    with pytest.raises(models.ProtectedError):
        lunch.delete()


def test_every_object_says_what_it_is(cast: Cast, codes: dict[str, ReasonCode]) -> None:
    assert str(cast.alice) == "Alice (alice)"
    assert str(cast.alice.team) == "Chat"
    assert str(codes["Lunch"]) == "Not ready 1 “Lunch”"
    assert str(Media.objects.get(user="alice", mrd=5001)) == "alice in 5001: Signed out"
    assert str(MediaRequest(**REQUEST)) == "alice in 5001: Ready"
    assert str(Notification(position=3, event="PUT", **NOTIFICATION)) == "3: PUT s"
