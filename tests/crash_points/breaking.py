"""Faults that are put into the service on purpose: the checks must find each of them."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from finesse.notifications import publisher
from finesse.notifications.models import LogHead, Notification
from media.models import MediaRequest
from media.writing import acceptance, batch, bell, history


def nothing() -> None:
    """The service as it is."""


def the_outcome_after_the_commit() -> None:
    """States and notifications are committed before the requests have their outcomes."""
    conclude = batch.conclude

    def later(requests: Any) -> None:
        transaction.on_commit(lambda: conclude(requests))

    batch.conclude = later  # type: ignore[assignment]


def the_history_after_the_commit() -> None:
    """The intervals are written in a transaction of their own."""
    write = history.History.write

    def later(self: history.History) -> None:
        transaction.on_commit(lambda: write(self))

    history.History.write = later  # type: ignore[method-assign]


def the_answer_before_the_commit() -> None:
    """A request is saved when the bell is answered; until then it is in memory."""
    kept: list[MediaRequest] = []
    clear = bell.clear

    def save_and_clear() -> None:
        MediaRequest.objects.bulk_create(kept)
        kept.clear()
        clear()

    acceptance._INSERT = kept.append  # type: ignore[assignment]
    bell.clear = save_and_clear


def the_cursor_before_the_hand_over() -> None:
    """At most once, not at least once."""

    def publish(name: str, transport: Any) -> None:
        with transaction.atomic():
            cursor = publisher._locked(name)
            after = cursor.place
            found = list(Notification.objects.filter(position__gt=after.position))
            if found:
                cursor.position, cursor.check_digits = found[-1].place
                cursor.save()
        transport.deliver(found, LogHead.objects.get(), after)

    publisher.publish = publish


def a_cursor_that_stays() -> None:
    """Everything is handed over again and again."""
    publisher._MOVE = lambda cursors: None  # type: ignore[assignment]


BREAKS: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        nothing,
        the_outcome_after_the_commit,
        the_history_after_the_commit,
        the_answer_before_the_commit,
        the_cursor_before_the_hand_over,
        a_cursor_that_stays,
    )
}
