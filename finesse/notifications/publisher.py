"""Hands the log over to a transport, in order, from where its cursor stands."""

import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from django.conf import settings
from django.db import transaction

from finesse.db.bulk import BulkUpdate
from finesse.db.statements import Parameter, Statement
from finesse.notifications import log
from finesse.notifications.models import LogHead, Notification, TransportCursor

logger = logging.getLogger(__name__)


class Transport(Protocol):
    """A module that takes notifications in order; named in FINESSE_TRANSPORTS."""

    def deliver(self, batch: Sequence[Notification], head: LogHead) -> None:
        """Hand the batch over or raise; an empty one says how long the log is."""


def publish_all() -> None:
    """Bring every transport up to the head, and tell each of them where the head is."""
    for name, path in settings.FINESSE_TRANSPORTS.items():
        publish(name, import_module(path))


def announce() -> None:
    """Publish now if possible. Failing costs a second: the sweep publishes all the same."""
    try:
        publish_all()
    except Exception as error:
        logger.warning("Publishing at once failed, the sweep will do it: %s", error)


def publish(name: str, transport: Transport) -> None:
    """Deliver everything past the cursor. The cursor moves after the hand-over: at least once."""
    more = True
    while more:
        with transaction.atomic():
            # Two publishers at once would hand over out of order: the cursor's lock queues them.
            cursor = _locked(name)
            page, head = log.read_with_head(cursor.position)
            transport.deliver(page, head)
            if page:
                cursor.position = page[-1].position
                _MOVE([cursor])
        # Whoever appends later publishes later: a page that is not full is the last one.
        more = len(page) == log.PAGE


_MOVE = BulkUpdate(TransportCursor, ("position",))
_LOCKED_CURSOR = Statement(
    lambda: TransportCursor.objects.select_for_update().filter(pk=Parameter("name"))
)


def _locked(name: str) -> TransportCursor:
    """The transport's cursor, made when it is new."""
    cursor = _LOCKED_CURSOR.first(name=name)
    if cursor is None:
        TransportCursor.objects.get_or_create(name=name)
        (cursor,) = _LOCKED_CURSOR.all(name=name)
    return cursor
