"""The writer: applies accepted requests batch by batch, and appends the outcomes to the log.

It holds the lock of the log's head while it works: so there is one writer at a time, however many
workers run. A batch becomes visible as a whole: states, history, notifications and outcomes, or
nothing.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from finesse.db.statements import Statement
from finesse.log_context import about
from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.notifications.publisher import publish_after_commit
from media.breaks.queues import Queues
from media.documents.waiting import entries_of
from media.models import MediaRequest
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor
from media.writing.batch import Batch, UndecidedError
from media.writing.request_lines import say_applied

logger = logging.getLogger(__name__)

REQUESTS_PER_BATCH = 200
"""Applied in one transaction: more share its fixed cost, and wait for one another longer."""


class Applied(NamedTuple):
    """What one call has done."""

    requests: int
    is_more: bool
    """Whether more may be pending."""


def apply_pending() -> bool:
    """As `apply_batch`; False if no more are pending."""
    return apply_batch().is_more


def apply_batch() -> Applied:
    """Apply one batch of pending requests in their order.

    If the database refuses a batch, or one of its requests cannot be decided, its requests are
    applied one by one, so that a bad request does not hold up the others: it ends in an error.
    Raises OperationalError or InterfaceError when the database is away.
    """
    try:
        number = _apply(REQUESTS_PER_BATCH)
        return Applied(number, number == REQUESTS_PER_BATCH)
    except (OperationalError, InterfaceError):
        raise  # The database is away: no request is to blame, and the sweep tries again.
    except (DatabaseError, UndecidedError) as error:
        with _about_the_undecided(error):
            logger.exception("A batch was refused; applying its requests one by one")
    try:
        number = _apply(1)
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, UndecidedError) as error:
        with _about_the_undecided(error):
            logger.exception("A request was refused; it ends in an error")
        number = _apply(1, give_up=True)
    return Applied(number, number == 1)


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


def serve_queues() -> None:
    """Let those who wait for places have what is free, without any request: a break rule, a team or
    its members are others than before.

    Call it in the transaction that changes them; the sweep calls it, too, for what has passed that
    by. It takes the lock only if there is something to do.
    """
    waiting = WaitingChange.objects.filter(outcome=None, waits_for=WaitsFor.PLACE)
    if not waiting.exists() or not _served().waiting.ended:
        return
    with transaction.atomic():
        head = log.lock()
        _served(head).write(head)
        publish_after_commit()


def _served(head: LogHead | None = None) -> Batch:
    return _decided([], saved=False, head=head)


def _decided(
    requests: Sequence[MediaRequest],
    *,
    saved: bool = True,
    give_up: bool = False,
    head: LogHead | None = None,
) -> Batch:
    """Raises UndecidedError for a request that cannot be decided. What cannot be decided of a queue
    ends there, and holds nobody up."""
    while True:
        batch = Batch(requests, saved=saved)
        try:
            batch.serve_queues()
            for request in requests:
                batch.take(request, give_up=give_up)
        except UndecidedError as error:
            if error.waiting is None or error.waiting.pk is None:
                raise
            logger.exception("A change that waited for a place cannot be applied; it ends")
            _end_undecided(error.waiting.pk, head)
        else:
            return batch


def _end_undecided(waiting_id: int, head: LogHead | None) -> None:
    """`head` is that of a caller who has locked the log, and writes behind it afterwards."""
    with transaction.atomic():
        head = head or log.lock()
        waiting = WaitingChange.objects.select_related("reason_code").get(pk=waiting_id)
        if waiting.outcome is None:
            waiting.outcome, waiting.ended_at = WaitingOutcome.VOID, timezone.now()
            waiting.save(update_fields=["outcome", "ended_at"])
            moved = Queues().in_queues_of([waiting])
            log.append(head, entries_of({}, {waiting.pk: waiting}, moved))


@cache
def _pending(limit: int) -> Statement[MediaRequest]:
    pending = MediaRequest.objects.filter(outcome=None).order_by("id")
    return Statement(lambda: pending.select_related("reason_code")[:limit])


def _apply(limit: int, *, give_up: bool = False) -> int:
    with transaction.atomic():
        head = log.lock()
        requests = _pending(limit).all()
        if requests:
            batch = _decided(requests, give_up=give_up, head=head)
            batch.write(head)
    if requests:
        say_applied(requests, batch.consequences)
    return len(requests)


def _about_the_undecided(error: Exception) -> AbstractContextManager[None]:
    return about(error.request) if isinstance(error, UndecidedError) else nullcontext()
