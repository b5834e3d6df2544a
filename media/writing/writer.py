"""The writer: applies accepted requests, one batch at a time, and tells what became of them.

It holds the lock of the log's head while it works, so there is one writer at a time whatever
number of workers run, and its batch becomes visible whole: states, history, notifications and
outcomes together, or nothing.
"""

import logging
from functools import cache

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from finesse.db.statements import Statement
from finesse.notifications import log
from media.models import MediaRequest
from media.writing.batch import Batch

logger = logging.getLogger(__name__)

BATCH = 200
"""Requests applied in one transaction: large enough to be cheap, short enough not to be felt."""


def apply_pending() -> bool:
    """Apply one batch of pending requests in their order; False if no more are pending.

    A batch that the database refuses is applied request by request, so that one bad request
    cannot hold up the others; that one ends in an error of its own.
    """
    try:
        return _apply(BATCH) == BATCH
    except (OperationalError, InterfaceError):
        raise  # The database is away, not the request bad: the sweep tries again.
    except DatabaseError:
        logger.exception("A batch was refused; applying its requests one by one")
    try:
        return _apply(1) == 1
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        logger.exception("A request was refused; it ends in an error")
        return _apply(1, give_up=True) == 1


@cache
def _pending(limit: int) -> Statement[MediaRequest]:
    pending = MediaRequest.objects.filter(outcome=None).order_by("id")
    return Statement(lambda: pending.select_related("reason_code")[:limit])


def _apply(limit: int, *, give_up: bool = False) -> int:
    with transaction.atomic():
        head = log.lock()
        requests = _pending(limit).all()
        if requests:
            batch = Batch(requests)
            for request in requests:
                batch.take(request, give_up=give_up)
            batch.write(head)
    return len(requests)
