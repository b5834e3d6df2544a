"""The tasks that Celery runs: apply requests at the bell, sweep, sign out, count, prune."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic as _monotonic
from time import sleep as _sleep
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Min, QuerySet
from django.utils import timezone

from finesse import heartbeat, wait_limit
from finesse.metrics import counters, timing
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.outages import publish_status
from finesse.notifications.publisher import publish_all
from finesse.status.system_info import Status
from finesse.users import lockout
from finesse.users.sessions import SessionStore
from finesse.users.team_history import record_all
from media.absence import sign_out_absent
from media.deactivation import sign_out_deactivated
from media.models import MediaRequest, StateInterval
from media.overdue import act_on_limits
from media.reports.making import forget_before, make_some
from media.supervision_tables import SupervisorAction, WaitingChange
from media.use_counting import count_new, forget_old
from media.writing import bell
from media.writing.writer import apply_batch, serve_queues

logger = logging.getLogger(__name__)

BATCH_INTERVAL_SECONDS = 0.04
"""At most so long from one batch that the bell has called for to the next of the same worker."""
REQUESTS_OF_A_BUSY_SERVICE = 20
"""After a batch of so many requests or more, the interval is waited for in full."""
LONGEST_WORK_SECONDS = 0.1
"""After so long a task ends, and calls for another: in between a sweep has its turn, and stamps."""
LONGEST_WAIT_SECONDS = 10.0
"""For the answers of database and cache to one task. Without a bound a task would wait for ever on
a connection whose other end is gone and where nobody says so: a proxy takes what is sent. A batch
takes a hundredth of it."""
LONGEST_WAIT_FOR_REPORTS_SECONDS = 300.0
"""The same for what reads much, and holds up nobody else."""
PAUSE_BETWEEN_SUMS_SECONDS = 0.05
"""Six times as long as making the sums of an hour takes. A week of the demo takes ten seconds."""
ROWS_PER_DELETE = 5_000
"""Old rows deleted in one statement: more would hold locks for longer."""


@shared_task
@timing.task("apply_requests")
def apply_requests() -> None:
    """Apply and publish the pending requests, at the bell."""
    global _last_applied
    _gather()
    # Before the pending requests are read: a request that is accepted after that rings again.
    bell.clear()
    _last_applied = _work()


def _gather() -> None:
    """Under load, let requests gather into a batch while the bell counts as rung.

    Each batch has a fixed cost in the worker, in PostgreSQL and for the processes that it
    pre-empts: with half the interval a busy service did 660 requests a second from end to end, not
    960. The fewer there were, the shorter the pause: in a quiet service a request does not
    wait, and at 170 a second it waits for a part of the interval.
    """
    global _gathered_at
    busy = min(1.0, _last_applied / REQUESTS_OF_A_BUSY_SERVICE)
    pause = _gathered_at + busy * BATCH_INTERVAL_SECONDS - _monotonic()
    if pause > 0:
        _sleep(pause)
    _gathered_at = _monotonic()


_last_applied = 0
"""Requests that this process has applied when the bell called last."""
_gathered_at = float("-inf")


@shared_task
@timing.task("sweep")
def sweep() -> None:
    """Do what a lost bell or a killed worker has left undone, and what is due twice a second.

    A sweep that succeeds proves that all parts work together.
    """
    # Beat has called, however much there is to do.
    heartbeat.stamp(heartbeat.SWEEP)
    _work()
    # Not at the bell, which each request waits for: half a second later is soon enough for these.
    with _broken_connections_closed():
        publish_status(Status.IN_SERVICE)
        # Last: looking for absent users must not delay the outcomes of accepted requests.
        has_signed_out = sign_out_absent()
    if has_signed_out:
        _work()


def _work() -> int:
    """Apply and publish, batch after batch, and stamp the heartbeat of each part that succeeds.

    What is left after LONGEST_WORK_SECONDS waits for the next task. Returns how many requests it
    has applied.
    """
    applied, more, end = 0, True, _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed():
        while more:
            number, more = apply_batch()
            applied += number
            heartbeat.stamp(heartbeat.WORKER)
            publish_all()
            heartbeat.stamp(heartbeat.NOTIFICATIONS)
            if more and _monotonic() > end:
                bell.ring()
                break
    return applied


@contextmanager
def _broken_connections_closed(wait_seconds: float | None = None) -> Iterator[None]:
    """Close the database connection if it breaks, or is silent for so long: a task leaves its
    connection to the next one."""
    seconds = LONGEST_WAIT_SECONDS if wait_seconds is None else wait_seconds
    try:
        # A probe: unlike a request a task waits for what stands still, and notices its return.
        with wait_limit.bounded(seconds, is_probe=True):
            yield
    except (OperationalError, InterfaceError):
        connection.close()
        raise
    except Exception:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        raise


@shared_task
@timing.task("sign_out_the_deactivated")
def sign_out_the_deactivated() -> None:
    """Sign out whom something else than the administration has deactivated."""
    with _broken_connections_closed():
        has_signed_out = sign_out_deactivated()
    if has_signed_out:
        _work()


@shared_task
@timing.task("mind_limits")
def mind_limits() -> None:
    """Do what break rules say of those who stay over the time of a reason.

    Places that have become free let others in at once; this is for what has passed that by.
    """
    end = _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed():
        serve_queues()
        while act_on_limits():
            if _monotonic() > end:
                mind_limits.apply_async(retry=False)
                return


@shared_task
@timing.task("count_use")
def count_use() -> None:
    """Count the use of reason codes in the intervals that have come since the last time.

    What is left after LONGEST_WORK_SECONDS, as after an upgrade, waits for the next task: requests
    are applied in between.
    """
    end = _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed(LONGEST_WAIT_FOR_REPORTS_SECONDS):
        while count_new():
            if _monotonic() > end:
                count_use.apply_async(retry=False)
                return


@shared_task
@timing.task("sum_up")
def sum_up() -> None:
    """Make the sums of reports that are due, and write changes of teams that nobody else
    has written."""
    end = _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed(LONGEST_WAIT_FOR_REPORTS_SECONDS):
        record_all()
        while make_some():
            if connection.vendor == "sqlite":
                # One step has the lock of the whole database. SQLite lets those who wait for it
                # try now and then: with one step after another some of them never had it in time.
                sum_up.apply_async(countdown=PAUSE_BETWEEN_SUMS_SECONDS, retry=False)
                return
            if _monotonic() > end:
                sum_up.apply_async(retry=False)
                return


@shared_task
@timing.task("prune")
def prune() -> None:
    """Delete requests, intervals and notifications that are older than their retention, and
    expired sessions, failed sign-ins, actions of supervisors, changes that waited, and counts of
    use that nobody asks for any more.

    A request without an outcome, an open interval, and a notification that a transport has not
    handed over yet stay, however old; so does the last one that it has, which proves its place.
    """
    # The cursor of a transport that is no longer in use must not keep the log for ever.
    in_use = {*settings.FINESSE_TRANSPORTS}
    if settings.FINESSE_XMPP_SECRET:
        in_use.add(TransportCursor.XMPP)
    cursors = TransportCursor.objects.filter(name__in=in_use)
    handed_over = cursors.aggregate(upto=Min("position"))["upto"] or 0
    _delete(
        MediaRequest.objects.filter(
            outcome__isnull=False, accepted_at__lt=_ago(settings.FINESSE_KEEP_REQUESTS_DAYS)
        )
    )
    _delete(WaitingChange.objects.filter(ended_at__lt=_ago(settings.FINESSE_KEEP_REQUESTS_DAYS)))
    _delete(
        SupervisorAction.objects.filter(created_at__lt=_ago(settings.FINESSE_KEEP_REQUESTS_DAYS))
    )
    lockout.prune()
    forget_old()
    SessionStore.clear_expired()
    oldest = _ago(settings.FINESSE_KEEP_INTERVALS_DAYS)
    forget_before(oldest)
    _delete(_before_the_first_interval_since(oldest).filter(ended_at__lt=oldest))
    _delete(
        _before_the_first_since(_ago(settings.FINESSE_KEEP_NOTIFICATIONS_DAYS)).filter(
            position__lt=handed_over
        )
    )


def _before_the_first_since(time: datetime) -> "QuerySet[Notification]":
    """The beginning of the log, before the first notification that is as young as this time.

    By position: if the clock was set back, an older time may stand after a younger one. Deleted by
    time alone, it would leave a gap that no client would notice.
    """
    young = Notification.objects.filter(at__gte=time).order_by("position").first()
    old = Notification.objects.all()
    return old.filter(position__lt=young.position) if young else old


def _before_the_first_interval_since(time: datetime) -> "QuerySet[StateInterval]":
    """The beginning of the history, before the first interval that began as late as this time.

    Without an index of times, which the writer would pay for: ids are in the order of time, but
    where the clock was set back. What that has put further behind is pruned later.
    """
    young = StateInterval.objects.filter(started_at__gte=time).order_by("pk")
    first = young.values_list("pk", flat=True).first()
    old = StateInterval.objects.all()
    return old.filter(pk__lt=first) if first else old


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _delete(old: "QuerySet[Any]") -> None:
    """Delete the oldest first, so that no gaps are left."""
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:ROWS_PER_DELETE]):
        deleted, _ = old.model._default_manager.filter(pk__in=batch).delete()
        counters.pruned_rows.labels(old.model._meta.db_table).inc(deleted)
        logger.info("Pruned %s old rows of %s", deleted, old.model._meta.verbose_name)
