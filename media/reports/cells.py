"""Cuts the buckets of a report into what there are sums for, and what the history is read for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from media.reports.grains import Grain
from media.reports.periods import Bucket

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a bucket."""

    bucket: int
    """Its place in the period."""
    start: datetime
    end: datetime
    is_first: bool
    """Of its bucket: stays that go on into it are counted here, and in no later one."""
    is_last: bool = False
    """It ends now: stays that run still are counted in it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Whole hours or days of a bucket, from `start` until before `end`, counted since 1970."""

    bucket: int
    start: int
    end: int
    is_first: bool


def cells_of(buckets: Sequence[Bucket], now: datetime) -> list[Cell]:
    """One for each bucket, up to now."""
    found = []
    for place, bucket in enumerate(buckets):
        start, end = bucket.start.astimezone(UTC), bucket.end.astimezone(UTC)
        if start < now:
            is_last = now <= end
            found.append(Cell(place, start, min(end, now), is_first=True, is_last=is_last))
    return found


def split(
    cells: Sequence[Cell], grain: Grain, made: range, stale: Collection[int]
) -> tuple[list[Whole], list[Cell]]:
    """The hours or days for which there are sums, those that are `made` and not stale, and the
    rest."""
    whole: list[Whole] = []
    rest: list[Cell] = []
    for cell in cells:
        first = max(grain.number_of(cell.start + grain.length - _MICROSECOND), made.start)
        # Sums do not say what runs still: of what ends now some is read from the history.
        until = cell.end - _MICROSECOND if cell.is_last else cell.end
        last = min(grain.number_of(until), made.stop)
        at = cell.start
        for start, end in _fresh(first, last, stale):
            begin = grain.beginning_of(start)
            if at < begin:
                rest.append(Cell(cell.bucket, at, begin, at == cell.start))
            whole.append(Whole(cell.bucket, start, end, begin == cell.start))
            at = grain.beginning_of(end)
        if at < cell.end:
            rest.append(Cell(cell.bucket, at, cell.end, at == cell.start, cell.is_last))
    return whole, rest


def spans(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The cells, which are in their order, parted where time lies between two of them."""
    found: list[list[Cell]] = []
    for cell in cells:
        if found and found[-1][-1].end == cell.start:
            found[-1].append(cell)
        else:
            found.append([cell])
    return found


def _fresh(first: int, last: int, stale: Collection[int]) -> list[tuple[int, int]]:
    """The ranges between these that leave the stale ones out."""
    found = []
    for number in sorted(one for one in stale if first <= one < last):
        if first < number:
            found.append((first, number))
        first = number + 1
    if first < last:
        found.append((first, last))
    return found
