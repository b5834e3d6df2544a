"""A budget of time for each day: what is used of it, and when it is used up. Arithmetic alone.

A day begins at midnight of a time zone, and is 23 or 25 hours long when clocks are changed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TypeAlias

Span: TypeAlias = tuple[datetime, datetime]
"""From a moment to a later one, or to the same."""


def day_of(at: datetime, zone: tzinfo) -> Span:
    """The day in this zone that the moment belongs to: from its midnight to the next one, in UTC.

    Where clocks are set forward at midnight the day begins at the first moment that there is.
    """
    day = at.astimezone(zone).date()
    first, last = (
        datetime.combine(one, time(), zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    return first, last


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time, without overlaps: who is in a reason in three MRDs uses the time once."""
    found: list[Span] = []
    for began, ended in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ended)
        else:
            found.append((began, ended))
    return found


def used(spans: Iterable[Span], during: Span) -> timedelta:
    """How much of a time the spans fill, what two of them share once."""
    first, last = during
    clipped = ((max(began, first), min(ended, last)) for began, ended in spans)
    inside = joined((began, ended) for began, ended in clipped if began < ended)
    return sum((ended - began for began, ended in inside), timedelta())


def used_up_at(
    began: datetime, before: Iterable[Span], budget: timedelta, zone: tzinfo
) -> datetime | None:
    """When a stay that goes on for ever uses the budget of a day up; None if no day is so long.

    `before` are the spans of the same agent and reason that are over. With nothing left at the
    beginning that is when the stay began. Each midnight brings a new budget.
    """
    spans, at = [*before], began
    # The first day may be short, and the second one of 23 hours.
    for _ in range(4):
        first, last = day_of(at, zone)
        left = budget - used(spans, (first, at))
        if left <= timedelta():
            return at
        if at + left < last:
            return at + left
        at = last
    return None
