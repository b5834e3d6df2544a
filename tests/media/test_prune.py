"""Pruning by age: old rows that are concluded are deleted, and no others."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Notification, TransportCursor
from finesse.users.models import BrowserSession
from media import tasks
from media.models import MediaRequest, StateInterval

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def retention(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FINESSE_KEEP_REQUESTS_DAYS = 30
    settings.FINESSE_KEEP_NOTIFICATIONS_DAYS = 7
    settings.FINESSE_KEEP_INTERVALS_DAYS = 400
    monkeypatch.setattr(tasks, "ROWS_PER_DELETE", 2)


def request(days: int, **outcome: Any) -> MediaRequest:
    return MediaRequest.objects.create(
        login_id="a",
        mrd_id=1,
        requested="READY",
        actor="a",
        accepted_at=NOW - timedelta(days=days),
        **outcome,
    )


def test_requests_go_when_they_are_old_and_have_their_outcome() -> None:
    ended = {"outcome": "ignored", "applied_at": NOW}
    for _ in range(5):
        request(31, **ended)
    kept = [request(29, **ended), request(31)]
    tasks.prune()
    assert list(MediaRequest.objects.order_by("id")) == kept


def test_intervals_go_when_they_ended_long_ago() -> None:
    def interval(mrd: int, ended_days: int | None) -> StateInterval:
        return StateInterval.objects.create(
            login_id="a",
            mrd_id=mrd,
            state="READY",
            started_at=NOW - timedelta(days=900),
            ended_at=None if ended_days is None else NOW - timedelta(days=ended_days),
            cause="self",
            actor="a",
        )

    interval(2, 401)
    kept = {interval(3, 399), interval(4, None)}
    tasks.prune()
    assert set(StateInterval.objects.all()) == kept


def test_notifications_go_when_they_are_old_and_handed_over() -> None:
    for position, days in enumerate((10, 9, 8, 8, 1), start=1):
        Notification.objects.create(
            position=position,
            node="n",
            source="s",
            event="PUT",
            at=NOW - timedelta(days=days),
            update="",
        )
    TransportCursor.objects.create(name="channels", position=3)
    tasks.prune()
    # The last one that was handed over shows where that is in this log.
    assert list(Notification.objects.values_list("position", flat=True)) == [3, 4, 5]
    assert log.floor() == 2


@pytest.mark.parametrize(
    ("days", "left"),
    [
        # While the clock was a month ahead; it was set back; it was set forward, and back again.
        ((9, 9, -30, 9, 1), [3, 4, 5]),
        ((9, 1, 9, 9, 1), [2, 3, 4, 5]),
        ((9, 99, 9, 1, 1), [4, 5]),
    ],
)
def test_a_clock_that_is_set_leaves_no_gap_in_the_log(days: list[int], left: list[int]) -> None:
    for position, age in enumerate(days, start=1):
        at = NOW - timedelta(days=age)
        Notification.objects.create(
            position=position, node="n", source="s", event="PUT", at=at, update=""
        )
    TransportCursor.objects.create(name="channels", position=5)
    tasks.prune()
    # Everything after the floor is there: a client that names a position gets all that it missed.
    assert list(Notification.objects.values_list("position", flat=True)) == left
    assert log.floor() == left[0] - 1


@pytest.mark.parametrize(("secret", "left"), [("there is an XMPP server", [1, 2, 3]), ("", [2, 3])])
def test_an_xmpp_server_keeps_what_it_has_not_got_as_long_as_there_is_one(
    settings: Any, secret: str, left: list[int]
) -> None:
    settings.FINESSE_XMPP_SECRET = secret
    old = {"node": "n", "source": "s", "event": "PUT", "at": NOW - timedelta(days=9), "update": ""}
    for position in (1, 2, 3):
        Notification.objects.create(position=position, **old)
    TransportCursor.objects.create(name="channels", position=2)
    TransportCursor.objects.create(name=TransportCursor.XMPP, position=1)
    tasks.prune()
    assert list(Notification.objects.values_list("position", flat=True)) == left


def test_sessions_go_when_they_have_expired() -> None:
    for key, days in (("old", -1), ("new", 1)):
        BrowserSession.objects.create(
            session_key=key, session_data="", expire_date=NOW + timedelta(days=days)
        )
    tasks.prune()
    assert [one.session_key for one in BrowserSession.objects.all()] == ["new"]


def test_without_any_hand_over_no_notification_goes() -> None:
    Notification.objects.create(
        position=1, node="n", source="s", event="PUT", at=NOW - timedelta(days=99), update=""
    )
    tasks.prune()
    assert Notification.objects.count() == 1
