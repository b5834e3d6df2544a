"""The writer: applies accepted requests, one batch at a time, and tells what became of them.

It holds the lock of the log's head while it works, so there is one writer at a time whatever
number of workers run, and its batch becomes visible whole: states, history, notifications and
outcomes together, or nothing.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from functools import cache

from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from finesse.db.statements import Parameter, Statement
from finesse.notifications import log
from media.models import MediaRequest
from media.writing.batch import Batch

logger = logging.getLogger(__name__)

BATCH = 200
"""Requests applied in one transaction: large enough to be cheap, short enough not to be felt."""
LOOK = 1.0
"""Seconds from one look at all that is pending to the next; batches in between begin higher up."""
LOOKS = 30
"""How many looks have to have seen nothing below: a commit that takes half a minute is in time."""


def apply_pending() -> bool:
    """Apply one batch of pending requests in their order; False if no more are seen (`Floor`).

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


class Floor:
    """The id from which on requests may be pending.

    The index of what is pending has an entry of whatever was, until VACUUM takes it out: of a
    large table, which is vacuumed seldom, a million, and each batch would pass all of them. Ids are
    given before their rows are committed, so the floor is what none of the last `LOOKS` has seen
    anything below. A request that took longer to be committed is found by the next look, but may
    then come after later ones.
    """

    def __init__(self) -> None:
        self._lowest = deque([0], maxlen=LOOKS)
        self._id = 0
        self._looked_at = float("-inf")

    def begin(self) -> int:
        """Where the next batch begins; 0 is a look at everything."""
        return 0 if time.monotonic() - self._looked_at >= LOOK else self._id

    def seen(self, begin: int, requests: Sequence[MediaRequest]) -> None:
        """What was pending from there on."""
        if begin:
            return
        self._looked_at = time.monotonic()
        if requests:
            self._lowest.append(requests[0].pk)
            self._id = min(self._lowest)


_floor = Floor()


@cache
def _pending(limit: int) -> Statement[MediaRequest]:
    pending = MediaRequest.objects.filter(outcome=None, pk__gte=Parameter("begin")).order_by("id")
    return Statement(lambda: pending.select_related("reason_code")[:limit])


def _apply(limit: int, *, give_up: bool = False) -> int:
    with transaction.atomic():
        head = log.lock()
        begin = _floor.begin()
        requests = _pending(limit).all(begin=begin)
        _floor.seen(begin, requests)
        if requests:
            batch = Batch(requests)
            for request in requests:
                batch.take(request, give_up=give_up)
            batch.write(head)
    return len(requests)
