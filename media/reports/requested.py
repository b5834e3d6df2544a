"""What a program asks for: the parameters of an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings

from media.reports.files import KINDS
from media.reports.periods import YEARS, Period, RefusedError, Step, zone_named
from media.reports.scope import Scope
from media.reports.sums import By

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
KNOWN = frozenset(
    {"from", "to", "zone", "step", "by", "team", "agent", "mrd", "format", "limit", "after"}
)
MOST_ITEMS = 1_000
"""On one page."""
USUAL_ITEMS = 100
_MOST_VALUES = 1_000


@dataclass(frozen=True, kw_only=True)
class Requested:
    period: Period
    scope: Scope
    """What was asked for of what the user may see."""
    step: Step
    by: tuple[By, ...]
    file: str
    """The kind of the file, of `media.reports.files.KINDS`; empty for a page of items."""
    limit: int
    after: str
    """Where the page before this one ended; empty for the first."""

    @property
    def zone(self) -> ZoneInfo:
        return self.period.zone


def requested(given: Mapping[str, str], may: Scope) -> Requested:
    """Raises RefusedError, whose message names the parameter."""
    if unknown := sorted(given.keys() - KNOWN):
        known = ", ".join(sorted(KNOWN))
        raise RefusedError(f"There is no parameter “{unknown[0][:64]}”. There are: {known}.")
    zone = zone_named(given.get("zone") or settings.TIME_ZONE)
    kind = given.get("format", "")
    if kind and kind not in KINDS:
        raise RefusedError(f"format must be one of: {', '.join(KINDS)}.")
    by = tuple(_one(By, "by", name) for name in _listed(given, "by", str) or ("state", "reason"))
    return Requested(
        period=_period(given, zone),
        scope=may.asked(
            teams=_listed(given, "team", _number),
            login_ids=_listed(given, "agent", str),
            mrd_ids=_listed(given, "mrd", _number),
        ),
        step=_one(Step, "step", given.get("step", "")),
        by=by,
        file=kind,
        limit=_limit(given.get("limit", "")),
        after=given.get("after", ""),
    )


def _period(given: Mapping[str, str], zone: ZoneInfo) -> Period:
    start, end = given.get("from", ""), given.get("to", "")
    if not start:
        raise RefusedError("from is missing: a day as 2026-11-29, or a time as 2026-11-29T08:00.")
    first, last = _day("from", start), _day("to", end or start)
    if first and last:
        return Period.days(first, last, zone)
    begins = _time("from", start)
    if not end:
        raise RefusedError("to is missing: the time at which the period ends.")
    return Period.between(begins, _time("to", end), zone)


def _day(name: str, text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-11-29") else None
    except ValueError:
        return None
    if day:
        _refuse_far(name, day)
    return day


def _refuse_far(name: str, day: date) -> None:
    if day.year not in YEARS:
        raise RefusedError(f"{name} must be from {YEARS[0]} to {YEARS[-1]}.")


def _time(name: str, text: str) -> datetime:
    try:
        # An unescaped plus is a blank in an address.
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise RefusedError(
            f"{name} must be a day as 2026-11-29, or a time as 2026-11-29T08:00."
        ) from None
    _refuse_far(name, at)
    return at


def _listed(given: Mapping[str, str], name: str, read: Callable[[str], T]) -> tuple[T, ...] | None:
    text = given.get(name, "")
    if not text:
        return None
    values = text.split(",")
    if len(values) > _MOST_VALUES:
        raise RefusedError(f"{name} has more than {_MOST_VALUES} values.")
    try:
        return tuple(read(value.strip()) for value in values)
    except ValueError:
        raise RefusedError(f"{name} must be numbers with commas between them.") from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(text)
    return int(text)


def _one(kind: type[E], name: str, text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(one for one in kind if one)
        raise RefusedError(f"{name} must be one of: {known}.") from None


def _limit(text: str) -> int:
    if not text:
        return USUAL_ITEMS
    digits = len(str(MOST_ITEMS))
    if text.isascii() and text.isdigit() and len(text) <= digits and 1 <= int(text) <= MOST_ITEMS:
        return int(text)
    raise RefusedError(f"limit must be a number from 1 to {MOST_ITEMS}.")
