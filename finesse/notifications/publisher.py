"""Hands the log over to each transport, in order, from where the transport's cursor stands."""

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from finesse import traces
from finesse.db.bulk import BulkUpdate
from finesse.db.statements import Placeholder, Statement
from finesse.metrics import timing
from finesse.notifications.models import LogHead, Notification, TransportCursor
from finesse.notifications.places import Place

logger = logging.getLogger(__name__)

NOTIFICATIONS_PER_BATCH = 500
"""Handed over in one call: bounds memory, not correctness."""


class Transport(Protocol):
    """A module that takes notifications in order; named in FINESSE_TRANSPORTS."""

    def deliver(self, batch: Sequence[Notification], head: LogHead, after: Place) -> None:
        """Hand the batch over or raise; an empty one says how long the log is.

        It follows the place `after`, up to which all was handed over. A receiver that is elsewhere
        has missed something, or has seen what a restored backup has undone.
        """


def publish_after_commit() -> None:
    """Publish when the transaction has been committed: once, however often this is called in it."""
    if all(registered[1] is not publish_now for registered in connection.run_on_commit):
        transaction.on_commit(publish_now)


def publish_now() -> None:
    """Publish if possible. Never raises: the sweep publishes what fails, half a second later."""
    try:
        publish_all()
    except Exception as error:
        logger.warning("Publishing at once failed; the sweep will publish: %s", error)


def publish_all() -> None:
    """Bring every transport up to the head, and say to each of them where the head is.

    Raises what a transport raises, and DatabaseError.
    """
    for name, path in settings.FINESSE_TRANSPORTS.items():
        publish(name, import_module(path))


def publish(name: str, transport: Transport) -> None:
    """Deliver everything past the cursor. The cursor moves after the hand-over: at least once."""
    more = True
    while more:
        with transaction.atomic():
            # Two publishers at once would hand over out of order: the cursor's lock queues them.
            cursor = _locked(name)
            batch = _NEXT.all(after=cursor.position)
            # Read after them: its `access` is then at least as new as any of the notifications.
            (head,) = _HEAD.all()
            transport.deliver(batch, head, cursor.place)
            if batch:
                cursor.position, cursor.check_digits = batch[-1].place
                _MOVE([cursor])
        if batch:
            timing.count_published(name, (timezone.now() - batch[0].at).total_seconds())
            if traces.on:
                traces.published(name, batch)
        # Each append is published after its commit: a batch that is not full is the last one.
        more = len(batch) == NOTIFICATIONS_PER_BATCH


_NEXT = Statement(
    lambda: Notification.objects.filter(position__gt=Placeholder("after"))[:NOTIFICATIONS_PER_BATCH]
)
_HEAD = Statement(lambda: LogHead.objects.all())
_MOVE = BulkUpdate(TransportCursor, ("position", "check_digits"))
_LOCKED_CURSOR = Statement(
    lambda: TransportCursor.objects.select_for_update().filter(pk=Placeholder("name"))
)


def _locked(name: str) -> TransportCursor:
    """The transport's cursor, made when it is new."""
    cursor = _LOCKED_CURSOR.first(name=name)
    if cursor is None:
        TransportCursor.objects.get_or_create(name=name)
        (cursor,) = _LOCKED_CURSOR.all(name=name)
    return cursor
