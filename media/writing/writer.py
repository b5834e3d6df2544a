"""The writer: applies accepted requests batch by batch, and appends the outcomes to the log.

It holds the lock of the log's head while it works: so there is one writer at a time, however many
workers run. A batch becomes visible as a whole: states, history, notifications and outcomes, or
nothing.
"""

import logging
from collections.abc import Sequence
from functools import cache

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from finesse.db.statements import Statement
from finesse.notifications import log
from finesse.notifications.publisher import publish_after_commit
from media.models import MediaRequest
from media.writing.batch import Batch, UndecidedError

logger = logging.getLogger(__name__)

REQUESTS_PER_BATCH = 200
"""Applied in one transaction: more share its fixed cost, and wait for one another longer."""


def apply_pending() -> bool:
    """Apply one batch of pending requests in their order; False if no more are pending.

    If the database refuses a batch, or one of its requests cannot be decided, its requests are
    applied one by one, so that a bad request does not hold up the others: it ends in an error.
    Raises OperationalError or InterfaceError when the database is away.
    """
    try:
        return _apply(REQUESTS_PER_BATCH) == REQUESTS_PER_BATCH
    except (OperationalError, InterfaceError):
        raise  # The database is away: no request is to blame, and the sweep tries again.
    except (DatabaseError, UndecidedError):
        logger.exception("A batch was refused; applying its requests one by one")
    try:
        return _apply(1) == 1
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, UndecidedError):
        logger.exception("A request was refused; it ends in an error")
        return _apply(1, give_up=True) == 1


def apply_at_once(requests: Sequence[MediaRequest]) -> None:
    """Apply requests of the system that are not saved yet, before all that are pending.

    For what is about to be deleted, in the transaction that deletes it, which has locked the log.
    """
    if requests:
        try:
            batch = _decided(requests, saved=False)
        except UndecidedError:
            logger.exception("A request of the system cannot be applied; it ends in an error")
            batch = _decided(requests, saved=False, give_up=True)
        batch.write(log.lock())
        publish_after_commit()


def _decided(
    requests: Sequence[MediaRequest], *, saved: bool = True, give_up: bool = False
) -> Batch:
    batch = Batch(requests, saved=saved)
    for request in requests:
        batch.take(request, give_up=give_up)
    return batch


@cache
def _pending(limit: int) -> Statement[MediaRequest]:
    pending = MediaRequest.objects.filter(outcome=None).order_by("id")
    return Statement(lambda: pending.select_related("reason_code")[:limit])


def _apply(limit: int, *, give_up: bool = False) -> int:
    with transaction.atomic():
        head = log.lock()
        requests = _pending(limit).all()
        if requests:
            _decided(requests, give_up=give_up).write(head)
    return len(requests)
