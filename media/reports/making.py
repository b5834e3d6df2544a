"""Makes the sums of the history: of an hour once it is over, and of a day once all its hours are.

What happened does not change when the time is over: a stay that runs still has spent all of it.
Only corrections change the past. For a while after one (`SETTLED`) reports read what it concerns
from the history; then the hours are stale, and are made again, with their days.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from finesse.db.bulk import BulkInsert
from media.models import IntervalCorrection, StateInterval
from media.reports import folding, statements
from media.reports.cells import Cell
from media.reports.grains import DAYS, HOURS, HOURS_OF_A_DAY, Grain
from media.sum_tables import StaleHour, SumHead, SumOfDay, SumOfHour

SETTLED = timedelta(minutes=5)
"""After so long everything that was written at a time is committed, whatever it waited for."""
HOURS_PER_STEP = 1
"""Made in one transaction."""
_INSERTS: dict[Grain, Callable[[Any], None]] = {
    HOURS: BulkInsert(SumOfHour),
    DAYS: BulkInsert(SumOfDay),
}


@dataclass(frozen=True, kw_only=True)
class _Step:
    """What is written in one transaction."""

    sums: Sequence[tuple[Grain, Collection[int]]] = ()
    """Hours and days to be made."""
    stale: Collection[int] = ()
    """Hours that are stale from now on."""
    fresh: Collection[int] = ()
    """Hours that no longer are."""
    head: Mapping[str, int] = field(default_factory=dict)
    """What changes in the head."""


def make_some() -> bool:
    """Make the next sums, or stale ones; False if none are left to make.

    If another process is making some it does nothing: that one does it.
    """
    head = SumHead.objects.get()
    step = _next(head)
    if step is None:
        return False
    # Before the transaction, which has the lock of the whole database in SQLite.
    rows = [] if _in_database() else [rows_of(*each) for each in step.sums]
    with transaction.atomic():
        can_skip = connection.features.has_select_for_update_skip_locked
        found = SumHead.objects.select_for_update(skip_locked=can_skip)
        if found.filter(version=head.version).first() is None:
            return False
        for grain, numbers in step.sums:
            grain.model.objects.filter(**{f"{grain.column}__in": [*numbers]}).delete()
            if _in_database():
                statements.insert_sums(grain, _cells(grain, numbers), timezone.now())
        for (grain, _), made in zip(step.sums, rows, strict=False):
            _INSERTS[grain](made)
        StaleHour.objects.bulk_create(map(StaleHour, step.stale), ignore_conflicts=True)
        StaleHour.objects.filter(hour__in=[*step.fresh]).delete()
        _change(**step.head)
    return True


def forget_before(time: datetime) -> None:
    """Delete the sums of hours and days before this time: their intervals may be pruned."""
    with transaction.atomic():
        head = SumHead.objects.select_for_update().get()
        first = HOURS.number_of(time) + 1
        if head.since < first:
            head.since, head.upto = first, max(first, head.upto)
            SumOfHour.objects.filter(hour__lt=first).delete()
            SumOfDay.objects.filter(day__lt=DAYS.made(head).start).delete()
            StaleHour.objects.filter(hour__lt=first).delete()
            _change(since=head.since, upto=head.upto)


def start_again() -> None:
    """Forget all sums: they are to be made again from the whole history."""
    with transaction.atomic():
        SumHead.objects.select_for_update().get()
        for grain in (HOURS, DAYS):
            grain.model.objects.all().delete()
        StaleHour.objects.all().delete()
        _change(since=0, upto=0, days=0)


def stale_hours(head: SumHead) -> set[int]:
    """The hours whose past has changed since their sums were made."""
    stale = {*StaleHour.objects.values_list("hour", flat=True)}
    fresh = IntervalCorrection.objects.filter(id__gt=head.correction)
    return stale | _hours_of(fresh.select_related("interval"), head)


def rows_of(grain: Grain, numbers: Collection[int]) -> list[SumOfHour] | list[SumOfDay]:
    """What the sums of these hours or days are to be, by the history; they are not saved."""
    return folding.rows_of(grain, _cells(grain, numbers), timezone.now())


def _next(head: SumHead) -> _Step | None:
    settled = HOURS.number_of(timezone.now() - SETTLED)
    if not head.upto:
        first = StateInterval.objects.aggregate(first=Min("started_at"))["first"]
        if first is None:
            return None
        # Before the first stay there is nothing to be left out.
        begin = min(DAYS.number_of(first) * HOURS_OF_A_DAY, settled)
        return _Step(head={"since": begin, "upto": begin})
    if corrections := [*_settled_corrections(head).select_related("interval")]:
        return _Step(stale=_hours_of(corrections, head), head={"correction": corrections[-1].pk})
    if (stale := StaleHour.objects.order_by("hour").first()) is not None:
        return _again(head, stale.hour)
    day = max(DAYS.made(head).start, head.days)
    if day < head.upto // HOURS_OF_A_DAY:
        return _Step(sums=[(DAYS, [day])], head={"days": day + 1})
    upto = min(head.upto + HOURS_PER_STEP, settled)
    if upto <= head.upto:
        return None
    return _Step(sums=[(HOURS, range(head.upto, upto))], head={"upto": upto})


def _again(head: SumHead, hour: int) -> _Step:
    """A stale hour; with the last one of a day, the day."""
    sums: list[tuple[Grain, Collection[int]]] = [(HOURS, [hour])]
    (day,) = DAYS.holding([hour])
    following = (day + 1) * HOURS_OF_A_DAY
    is_last = not StaleHour.objects.filter(hour__gt=hour, hour__lt=following).exists()
    if is_last and day in DAYS.made(head):
        sums.append((DAYS, [day]))
    return _Step(sums=sums, fresh=[hour])


def _in_database() -> bool:
    """Whether the history is summed up where it is."""
    return connection.vendor == "postgresql"


def _cells(grain: Grain, numbers: Collection[int]) -> list[Cell]:
    begin = grain.beginning_of
    return [Cell(one, begin(one), begin(one) + grain.length, True) for one in numbers]


def _settled_corrections(head: SumHead) -> "QuerySet[IntervalCorrection]":
    """The next corrections that are old enough.

    Corrections of the past are written without the writer's lock: one with a smaller id may be
    committed later, but not by much.
    """
    fresh = IntervalCorrection.objects.filter(id__gt=head.correction).order_by("id")
    young = fresh.filter(at__gt=timezone.now() - SETTLED).values_list("id", flat=True).first()
    return fresh.filter(id__lt=young) if young else fresh


def _hours_of(corrections: "Iterable[IntervalCorrection]", head: SumHead) -> set[int]:
    found: set[int] = set()
    for correction in corrections:
        interval = correction.interval
        first = max(HOURS.number_of(interval.started_at), head.since)
        end = interval.ended_at or datetime.max.replace(tzinfo=UTC)
        found.update(range(first, min(HOURS.number_of(end) + 1, head.upto)))
    return found


def _change(**fields: int) -> None:
    SumHead.objects.update(version=F("version") + 1, **fields)
