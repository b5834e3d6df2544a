"""What Celery runs: apply what the bell announces, sweep in case it was lost, prune by age."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
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
from media.absence import sign_out_absent
from media.models import MediaRequest, StateInterval
from media.writing import bell
from media.writing.writer import apply_pending

logger = logging.getLogger(__name__)

PACE = 0.04
"""Seconds from one batch that the bell has called for to the next of the same worker, at least."""
PRUNE_BATCH = 5_000


@shared_task
def apply_requests() -> None:
    """What the bell calls for."""
    _gather()
    # Before the pending requests are read: one accepted after the reading rings anew.
    bell.clear()
    _work()


def _gather() -> None:
    """Under load, let requests come together while the bell counts as rung.

    A batch has its price, here, in PostgreSQL and for whoever is switched off for it: with half
    the pause a busy service did 660 requests a second from end to end, not 960. Whoever comes to a
    quiet one waits for nothing.
    """
    global _gathered_at
    pause = _gathered_at + PACE - time.monotonic()
    if pause > 0:
        time.sleep(pause)
    _gathered_at = time.monotonic()


_gathered_at = float("-inf")


@shared_task
def sweep() -> None:
    """What a lost bell or a killed worker left. Running it proves that all parts work together."""
    _work()
    # Here alone: a second later is soon enough, and the bell's way is every request's.
    with _broken_connections_closed():
        publish_status(Status.IN_SERVICE)
        # Last: looking for who is gone must not keep what was accepted from its outcome.
        has_signed_out = sign_out_absent()
    if has_signed_out:
        _work()


def _work() -> None:
    """Apply and publish, batch after batch, stamping the heartbeat of each part that did it."""
    more = True
    with _broken_connections_closed():
        while more:
            more = apply_pending()
            heartbeat.stamp(heartbeat.WORKER)
            publish_all()
            heartbeat.stamp(heartbeat.NOTIFICATIONS)


@contextmanager
def _broken_connections_closed() -> Iterator[None]:
    """The connection outlives its task; a broken one must not."""
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
def prune() -> None:
    """Delete what is older than its retention, in batches that hold no lock for long.

    What has no outcome yet, is not over yet or was not handed over yet stays, however old.
    """
    # One that nothing moves any more must not keep the log for ever.
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
    _delete(StateInterval.objects.filter(ended_at__lt=_ago(settings.FINESSE_KEEP_INTERVALS_DAYS)))
    _delete(
        Notification.objects.filter(
            position__lte=handed_over, at__lt=_ago(settings.FINESSE_KEEP_NOTIFICATIONS_DAYS)
        )
    )


def _ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _delete(old: "QuerySet[Any]") -> None:
    """Delete oldest first, so that what remains has no gaps."""
    while batch := list(old.order_by("pk").values_list("pk", flat=True)[:PRUNE_BATCH]):
        deleted, _ = old.model._default_manager.filter(pk__in=batch).delete()
        logger.info("Pruned %s old rows of %s", deleted, old.model._meta.verbose_name)
