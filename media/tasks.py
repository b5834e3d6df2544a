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

from finesse import heartbeat
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.outages import publish_status
from finesse.notifications.publisher import publish_all
from finesse.status.system_info import Status
from finesse.users import lockout
from finesse.users.sessions import SessionStore
from media.absence import sign_out_absent
from media.deactivation import sign_out_deactivated
from media.models import MediaRequest, StateInterval
from media.use_counting import count_new, forget_old
from media.writing import bell
from media.writing.writer import apply_pending

logger = logging.getLogger(__name__)

BATCH_INTERVAL_SECONDS = 0.04
"""At least so long from one batch that the bell has called for to the next of the same worker."""
LONGEST_WORK_SECONDS = 0.1
"""After so long a task ends, and calls for another: in between a sweep has its turn, and stamps."""
ROWS_PER_DELETE = 5_000
"""Old rows deleted in one statement: more would hold locks for longer."""


@shared_task
def apply_requests() -> None:
    """Apply and publish the pending requests, at the bell."""
    _gather()
    # Before the pending requests are read: a request that is accepted after that rings again.
    bell.clear()
    _work()


def _gather() -> None:
    """Under load, let requests gather into a batch while the bell counts as rung.

    Each batch has a fixed cost in the worker, in PostgreSQL and for the processes that it
    pre-empts: with half the interval a busy service did 660 requests a second from end to end, not
    960. In a quiet service a request does not wait.
    """
    global _gathered_at
    pause = _gathered_at + BATCH_INTERVAL_SECONDS - _monotonic()
    if pause > 0:
        _sleep(pause)
    _gathered_at = _monotonic()


_gathered_at = float("-inf")


@shared_task
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


def _work() -> None:
    """Apply and publish, batch after batch, and stamp the heartbeat of each part that succeeds.

    What is left after LONGEST_WORK_SECONDS waits for the next task.
    """
    more, end = True, _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed():
        while more:
            more = apply_pending()
            heartbeat.stamp(heartbeat.WORKER)
            publish_all()
            heartbeat.stamp(heartbeat.NOTIFICATIONS)
            if more and _monotonic() > end:
                bell.ring()
                return


@contextmanager
def _broken_connections_closed() -> Iterator[None]:
    """Close the database connection if it breaks: a task leaves its connection to the next one."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connection.close()
        raise
    except Exception:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        raise


@shared_task
def sign_out_the_deactivated() -> None:
    """Sign out whom something else than the administration has deactivated."""
    with _broken_connections_closed():
        has_signed_out = sign_out_deactivated()
    if has_signed_out:
        _work()


@shared_task
def count_use() -> None:
    """Count the use of reason codes in the intervals that have come since the last time.

    What is left after LONGEST_WORK_SECONDS, as after an upgrade, waits for the next task: requests
    are applied in between.
    """
    end = _monotonic() + LONGEST_WORK_SECONDS
    with _broken_connections_closed():
        while count_new():
            if _monotonic() > end:
                count_use.apply_async(retry=False)
                return


@shared_task
def prune() -> None:
    """Delete requests, intervals and notifications that are older than their retention, and
    expired sessions, failed sign-ins, and counts of use that nobody asks for any more.

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
    lockout.prune()
    forget_old()
    SessionStore.clear_expired()
    _delete(StateInterval.objects.filter(ended_at__lt=_ago(settings.FINESSE_KEEP_INTERVALS_DAYS)))
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


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _delete(old: "QuerySet[Any]") -> None:
    """Delete the oldest first, so that no gaps are left."""
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:ROWS_PER_DELETE]):
        deleted, _ = old.model._default_manager.filter(pk__in=batch).delete()
        logger.info("Pruned %s old rows of %s", deleted, old.model._meta.verbose_name)
