"""The time that a report is about, and the steps into which it is cut. Pure arithmetic.

People ask for days in their own zone. Such a day has 23 or 25 hours when the clocks change: its
edges are found in the zone, and everything between them is reckoned in UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from finesse.users.time_zones import zone_of_name

LONGEST_DAYS = 400
"""Days that one report may be about: as long as the history is kept."""
YEARS = range(2000, 2101)
"""The first and the last days of the calendar have no midnight in some zones."""
MOST_BUCKETS = 3_000
"""Steps of one report: 31 days of quarter-hours."""


_TOO_LONG = f"A report is about {LONGEST_DAYS} days at most."


class RefusedError(ValueError):
    """What was asked for is no period or step; the message says why, for people."""


class Step(StrEnum):
    """How long each part of the period is for which there are sums of its own."""

    NONE = ""
    MINUTES_15 = "15m"
    MINUTES_30 = "30m"
    HOUR = "1h"
    DAY = "day"
    WEEK = "week"

    @property
    def minutes(self) -> int:
        """0 for those that the calendar measures."""
        return {Step.MINUTES_15: 15, Step.MINUTES_30: 30, Step.HOUR: 60}.get(self, 0)


@dataclass(frozen=True, order=True)
class Bucket:
    """A part of the period: from `start` until before `end`, both in the zone of the period."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Period:
    """From `start` until before `end`; both are moments in UTC."""

    start: datetime
    end: datetime
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise RefusedError("The period must end after it begins.")
        if self.end - self.start > timedelta(days=LONGEST_DAYS + 1):
            raise RefusedError(_TOO_LONG)

    @classmethod
    def days(cls, first: date, last: date, zone: ZoneInfo) -> "Period":
        """From the beginning of a day to the end of another. Raises RefusedError."""
        if last < first:
            raise RefusedError("The last day must not be before the first.")
        if (last - first).days > LONGEST_DAYS:
            raise RefusedError(_TOO_LONG)
        return cls(start=midnight(first, zone), end=midnight(_next(last), zone), zone=zone)

    @classmethod
    def day(cls, day: date, zone: ZoneInfo) -> "Period":
        return cls.days(day, day, zone)

    @classmethod
    def week(cls, day: date, zone: ZoneInfo) -> "Period":
        """The week, from Monday on, in which this day is."""
        monday = day - timedelta(days=day.weekday())
        return cls.days(monday, monday + timedelta(days=6), zone)

    @classmethod
    def month(cls, day: date, zone: ZoneInfo) -> "Period":
        first = day.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        return cls.days(first, following - timedelta(days=1), zone)

    @classmethod
    def between(cls, start: datetime, end: datetime, zone: ZoneInfo) -> "Period":
        """Times without an offset are those of the zone. Raises RefusedError."""
        return cls(start=_moment(start, zone), end=_moment(end, zone), zone=zone)

    @property
    def first_day(self) -> date:
        return self.start.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        # In UTC: the clock on the wall may have no such moment.
        last = self.end.astimezone(UTC) - timedelta(microseconds=1)
        return last.astimezone(self.zone).date()

    def buckets(self, step: Step) -> list[Bucket]:
        """The parts of the period, in their order; they leave nothing out.

        The first and the last one may be shorter than the step. Raises RefusedError if there are
        too many.
        """
        edges = [self.start]
        for edge in self._edges(step):
            if edges[-1] < edge < self.end:
                edges.append(edge)
                if len(edges) > MOST_BUCKETS:
                    raise RefusedError(
                        f"The period has more than {MOST_BUCKETS} of these steps. Take a longer "
                        "step or a shorter period."
                    )
        local = [edge.astimezone(self.zone) for edge in [*edges, self.end]]
        return [Bucket(*pair) for pair in pairwise(local)]

    def _edges(self, step: Step) -> Iterator[datetime]:
        """Edges of the steps in UTC, in their order; some may be outside of the period."""
        if step is Step.NONE:
            return
        day = self.first_day
        if step is Step.WEEK:
            day -= timedelta(days=day.weekday())
        while (start := midnight(day, self.zone)) < self.end:
            yield start
            following = _next(day, 7 if step is Step.WEEK else 1)
            if step.minutes:
                yield from _within(start, midnight(following, self.zone), step.minutes, self.zone)
            day = following


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this name, as in `Europe/Berlin`. Raises RefusedError."""
    if zone := zone_of_name(name):
        return zone
    raise RefusedError(f"There is no time zone “{name[:64]}”. Write it as in Europe/Berlin or UTC.")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the day, in UTC.

    Where clocks are put forward at midnight that is one o'clock; of two midnights it is the first.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _within(start: datetime, end: datetime, minutes: int, zone: ZoneInfo) -> Iterator[datetime]:
    """The edges after the beginning of a day: as the clock on the wall shows them.

    Each lasts as long as any other in UTC, but where the clock is changed by less than a step.
    """
    edge = start
    while edge < end:
        past = edge.astimezone(zone)
        over = timedelta(
            minutes=past.minute % minutes,
            seconds=past.second,
            microseconds=past.microsecond,
        )
        edge += timedelta(minutes=minutes) - over
        if edge < end:
            yield edge


def _moment(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _next(day: date, days: int = 1) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise RefusedError("The calendar ends before that day.") from None
