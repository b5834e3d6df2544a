"""Counts requests by outcome without reading the whole table: only what came since the last look.

The cache keeps how far the count has come, for all servers together, so that it never goes back.
An emptied cache begins anew at 0, as any counter of Prometheus may.
"""

from collections import Counter
from datetime import timedelta

from django.core.cache import cache
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from media.models import MediaRequest

CACHE_KEY = "metrics:requests"
SETTLED_SECONDS = 30
"""So long after it was accepted a request with an outcome counts for good: ids are given before the
commit, so a lower one may still come. Younger ones are counted anew at each look."""
ROWS_AT_ONCE = 100_000
"""That one look reads at most; after a long time without a look the next ones go on."""

Counts = Counter[tuple[str, str]]
"""By outcome (empty for none yet) and error (empty for none)."""


def counted() -> Counts:
    """The requests since the count has begun. Raises DatabaseError, RedisError."""
    upto, counts = _kept()
    rows = MediaRequest.objects.filter(id__gt=upto)
    beyond = rows.order_by("id").values_list("id", flat=True)[ROWS_AT_ONCE : ROWS_AT_ONCE + 1]
    if last := list(beyond):
        rows = rows.filter(id__lt=last[0])
    settled = _settled(rows)
    if settled is not None:
        counts += _count(rows.filter(id__lte=settled))
        cache.set(CACHE_KEY, (settled, counts), timeout=None)
        rows = rows.filter(id__gt=settled)
    return counts + _count(rows)


def _kept() -> tuple[int, Counts]:
    kept: tuple[int, Counts] | None = cache.get(CACHE_KEY)
    newest = MediaRequest.objects.aggregate(newest=Max("id"))["newest"]
    # A database that was restored gives ids again. One without rows says nothing.
    if kept is None or (newest is not None and newest < kept[0]):
        begin = _settled(MediaRequest.objects.all()) if kept is None else newest
        kept = (begin or 0, Counter())
        cache.set(CACHE_KEY, kept, timeout=None)
    return kept


def _settled(rows: "QuerySet[MediaRequest]") -> int | None:
    """The last id of these rows that is counted for good, with all before it."""
    first_pending = MediaRequest.objects.filter(outcome=None).aggregate(first=Min("id"))["first"]
    old = rows.filter(accepted_at__lt=timezone.now() - timedelta(seconds=SETTLED_SECONDS))
    if first_pending is not None:
        old = old.filter(id__lt=first_pending)
    found: int | None = old.aggregate(last=Max("id"))["last"]
    return found


def _count(rows: "QuerySet[MediaRequest]") -> Counts:
    grouped = rows.order_by().values_list("outcome", "error").annotate(number=Count("pk"))
    return Counter({(outcome or "", error): number for outcome, error, number in grouped})
