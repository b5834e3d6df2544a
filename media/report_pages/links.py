"""Where a report leads: the same of another time, or of others; and what its time is called."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from media.report_pages.questions import PRESETS, SHOWN, Question, Shown
from media.reports.periods import Period

TIME_KEYS = frozenset({"period", "from", "to"})


@dataclass(frozen=True)
class NamedLink:
    name: str
    text: str
    link: str
    is_current: bool


def address(question: Question, **changes: str) -> str:
    """The query of this report with these changes; what is changed to nothing is left out."""
    kept = {key: value for key, value in question.asked.items() if key not in changes}
    return "?" + urlencode({key: value for key, value in {**kept, **changes}.items() if value})


def of_time(question: Question, period: Period) -> str:
    """The query of this report of another time."""
    first, last = period.first_day.isoformat(), period.last_day.isoformat()
    # A step that fits one time need not fit another.
    return address(question, **{"period": "", "from": first, "to": last, "step": ""})


def with_query(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def streamed(question: Question, name: str, **whose: str) -> str:
    """All of it as a file that the API streams, however much it is; without its `format`."""
    period = question.period
    asked = {
        "from": period.first_day.isoformat(),
        "to": period.last_day.isoformat(),
        "zone": question.zone.key,
        **{key: value for key, value in whose.items() if value},
    }
    return with_query(reverse(name), asked)


def kept(question: Question, *, without: Collection[str]) -> list[tuple[str, str]]:
    """What a form passes on unseen, beside the fields that it has."""
    return [(key, value) for key, value in question.asked.items() if key not in without]


def time_of(question: Question) -> Mapping[str, str]:
    """What the address says of time, for links to other reports."""
    keys = (*TIME_KEYS, "zone")
    return {key: value for key, value in question.asked.items() if key in keys}


def presets(question: Question) -> list[NamedLink]:
    without = {"from": "", "to": "", "step": ""}
    return [
        NamedLink(
            name, preset.text, address(question, period=name, **without), name == question.preset
        )
        for name, preset in PRESETS.items()
    ]


def shown(question: Question) -> list[NamedLink]:
    """What the table over time may show."""
    return [
        NamedLink(
            name,
            text,
            address(question, show="" if name is Shown.TIME else name) + "#over-time",
            name is question.shown,
        )
        for name, text in SHOWN.items()
    ]


def earlier(question: Question) -> str:
    try:
        return of_time(question, _turned(question.period, -1))
    except (OverflowError, ValueError):
        return ""


def later(question: Question) -> str:
    """Empty if all of it would be yet to come."""
    try:
        following = _turned(question.period, 1)
    except (OverflowError, ValueError):
        return ""
    return of_time(question, following) if following.start <= question.now else ""


def _turned(period: Period, way: int) -> Period:
    first, last = period.first_day, period.last_day
    if Period.month(first, period.zone) == period:
        return Period.month(
            last + timedelta(days=1) if way > 0 else first - timedelta(days=1), period.zone
        )
    by = timedelta(days=((last - first).days + 1) * way)
    return Period.days(first + by, last + by, period.zone)


def period_words(question: Question) -> str:
    first, last = question.period.first_day, question.period.last_day
    if first == last:
        return f"{first:%A}, {_day(first)} {first.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first:%a} {_day(first)}{year} to {last:%a} {_day(last)} {last.year}"


def zone_words(question: Question) -> str:
    """With its offset; with both where the clocks change in between."""
    start, end = question.period.start, question.period.end - timedelta(seconds=1)
    offsets = [_offset(at.astimezone(question.zone)) for at in (start, end)]
    if offsets[0] == offsets[1]:
        return f"{question.zone.key} (UTC{offsets[0]})"
    return f"{question.zone.key} (UTC{offsets[0]}, in the end UTC{offsets[1]})"


def _offset(at: datetime) -> str:
    digits = f"{at:%z}"
    return f"{digits[:3]}:{digits[3:5]}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
