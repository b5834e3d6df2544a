"""The days of one agent as lines: what followed what in each MRD and at the desktop."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils.safestring import SafeString

from media.report_pages.charts.timeline import Segment, axis, line
from media.report_pages.durations import spoken
from media.report_pages.series import Series
from media.report_pages.wording import mrd_word
from media.reports.periods import Bucket, Period, Step
from media.reports.stays import Stay
from media.states import State

MOST_DAYS = 35
"""Days up to which each is drawn: more are read as sums."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Lane:
    name: str
    drawn: SafeString


@dataclass(frozen=True)
class Day:
    day: date
    text: str
    lanes: Sequence[Lane]
    axis: SafeString


def days_of(
    found: Sequence[Stay], period: Period, series: Series, mrds: Mapping[int, str]
) -> list[Day]:
    """Days with a stay other than signed out, all with the same hours of the day."""
    buckets = period.buckets(Step.DAY)
    by_day = [(bucket, _stays_in(bucket, found)) for bucket in buckets]
    busy = [(bucket, of_day) for bucket, of_day in by_day if any(map(_is_in, of_day))]
    if not busy:
        return []
    begin = min(_since(bucket, _first(bucket, of_day)) for bucket, of_day in busy)
    end = max(_since(bucket, _last(bucket, of_day)) for bucket, of_day in busy)
    begin, end = begin // HOUR * HOUR, -(-end // HOUR) * HOUR
    return [_day(bucket, of_day, (begin, end), series, mrds) for bucket, of_day in busy]


def _day(
    bucket: Bucket,
    found: Sequence[Stay],
    hours: tuple[timedelta, timedelta],
    series: Series,
    mrds: Mapping[int, str],
) -> Day:
    text = f"{bucket.start:%A}, {bucket.start.day} {bucket.start:%B %Y}"
    # In UTC: arithmetic in a zone would leave out a change of its clocks.
    begin = _utc(bucket.start) + hours[0]
    end = min(_utc(bucket.start) + max(hours[1], hours[0] + HOUR), _utc(bucket.end))
    by_mrd: defaultdict[int, list[Stay]] = defaultdict(list)
    for stay in found:
        by_mrd[stay.mrd_id].append(stay)
    lanes = [
        Lane(name, line([_segment(one, series) for one in of_mrd], begin, end, f"{name}, {text}"))
        for name, of_mrd in ((mrd_word(pk, mrds.get(pk, "")), by_mrd[pk]) for pk in sorted(by_mrd))
        if any(map(_is_in, of_mrd))
    ]
    return Day(bucket.start.date(), text, lanes, axis(begin, end, bucket.start.tzinfo))  # type: ignore[arg-type]


def _segment(stay: Stay, series: Series) -> Segment:
    look = series.appearance(stay.state, stay.reason_code_id, stay.code, stay.label)
    says = f"{look.name}: {spoken(stay.seconds)}"
    return Segment(stay.shown_from, stay.shown_until, look.fill, says)


def _stays_in(bucket: Bucket, found: Sequence[Stay]) -> list[Stay]:
    return [one for one in found if one.shown_from < bucket.end and one.shown_until > bucket.start]


def _is_in(stay: Stay) -> bool:
    return stay.state != State.LOGOUT


def _first(bucket: Bucket, found: Sequence[Stay]) -> datetime:
    return max(min(one.shown_from for one in found if _is_in(one)), _utc(bucket.start))


def _last(bucket: Bucket, found: Sequence[Stay]) -> datetime:
    return min(max(one.shown_until for one in found if _is_in(one)), _utc(bucket.end))


def _since(bucket: Bucket, at: datetime) -> timedelta:
    return at - _utc(bucket.start)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)
