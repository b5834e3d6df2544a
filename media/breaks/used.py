"""The time that agents have spent in reasons, from the history with its corrections."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from media.break_tables import BreakRule
from media.breaks.budget import Span
from media.models import IntervalCorrection, StateInterval
from media.states import State

Spans: TypeAlias = dict[tuple[str, int], list[Span]]
"""By login id and reason code."""


def zone_of(rule: BreakRule) -> tzinfo:
    """The zone whose midnight ends the day of the rule's budget."""
    return ZoneInfo(rule.time_zone) if rule.time_zone else timezone.get_default_timezone()


def spans_since(
    since: datetime, now: datetime, login_ids: Collection[str], reason_codes: Collection[int]
) -> Spans:
    """The intervals of these agents in these reasons that had not ended at `since`. Those that are
    open end now."""
    found: Spans = defaultdict(list)
    if not login_ids or not reason_codes:
        return found
    reaching = Q(ended_at__gt=since) | Q(ended_at=None)
    intervals = StateInterval.objects.filter(
        reaching, login_id__in=login_ids, state=State.NOT_READY
    ).order_by()
    corrected = _corrected(intervals)
    of_these = intervals.filter(Q(reason_code__in=reason_codes) | Q(pk__in=corrected))
    rows = of_these.values_list("pk", "login_id", "reason_code", "started_at", "ended_at")
    for pk, login_id, entered, started_at, ended_at in rows:
        reason_code = corrected.get(pk, entered)
        if reason_code is not None and reason_code in reason_codes:
            found[login_id, reason_code].append((started_at, max(ended_at or now, started_at)))
    return found


def newest_correction() -> int:
    """The id of the last correction; what was computed before it may be wrong."""
    newest = IntervalCorrection.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _corrected(intervals: "QuerySet[StateInterval]") -> dict[int, int | None]:
    """The reason that the last correction gives to each of these intervals that has any."""
    corrections = IntervalCorrection.objects.filter(interval__in=intervals.values("pk"))
    return dict(corrections.order_by("pk").values_list("interval", "reason_code"))
