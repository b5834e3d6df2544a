"""What the address of a report asks for: days, zone, steps, and whose time.

The address keeps all of it, so that a report can be bookmarked and sent: `period=last-week`, or
`from=2026-11-23&to=2026-11-29`; `zone`, `step`, `show`, `team`, `agent`, `mrd`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from media.reports.periods import YEARS, Period, RefusedError, Step, zone_named

KEYS = ("period", "from", "to", "zone", "step", "show", "team", "agent", "mrd")
"""What a report's address may have; anything else in it is left out of the page's links."""
STEPS = {
    Step.MINUTES_15: "15 minutes",
    Step.MINUTES_30: "30 minutes",
    Step.HOUR: "60 minutes",
    Step.DAY: "Day",
    Step.WEEK: "Week",
}


class Shown(StrEnum):
    """What the table over time says of each state and reason."""

    TIME = "time"
    STAYS = "stays"
    MEAN = "mean"
    LONGEST = "longest"


SHOWN = {
    Shown.TIME: "Time",
    Shown.STAYS: "Stays",
    Shown.MEAN: "Mean",
    Shown.LONGEST: "Longest",
}
WEEK_DAYS = 7
LONG_DAYS = 62
"""From so many days on a report is in weeks, unless the address says otherwise."""

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _last_month(today: date, zone: ZoneInfo) -> Period:
    return Period.month(today.replace(day=1) - timedelta(days=1), zone)


@dataclass(frozen=True)
class Preset:
    text: str
    of: Callable[[date, ZoneInfo], Period]


PRESETS = {
    "today": Preset("Today", Period.day),
    "yesterday": Preset(
        "Yesterday", lambda today, zone: Period.day(today - timedelta(days=1), zone)
    ),
    "this-week": Preset("This week", Period.week),
    "last-week": Preset(
        "Last week", lambda today, zone: Period.week(today - timedelta(days=WEEK_DAYS), zone)
    ),
    "this-month": Preset("This month", Period.month),
    "last-month": Preset("Last month", _last_month),
}
DEFAULT = "today"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What was asked for, once it makes sense."""

    period: Period
    preset: str = ""
    """The key of PRESETS by which it was asked; empty for days of one's own."""
    step: Step
    shown: Shown = Shown.TIME
    now: datetime
    asked: Mapping[str, str]
    """The KEYS of the address, with their values."""

    @property
    def zone(self) -> ZoneInfo:
        return self.period.zone

    @property
    def days(self) -> int:
        return (self.period.last_day - self.period.first_day).days + 1


def question_of(address: Mapping[str, str], own_zone: ZoneInfo, now: datetime) -> Question:
    """Raises RefusedError, with a text for people, if the address makes no sense."""
    asked = {key: address[key].strip() for key in KEYS if address.get(key, "").strip()}
    zone = zone_named(asked["zone"]) if "zone" in asked else own_zone
    today = now.astimezone(zone).date()
    if "from" in asked or "to" in asked:
        preset, period = "", _days(asked, today, zone)
    else:
        preset = asked.get("period", DEFAULT)
        if preset not in PRESETS:
            raise RefusedError(f"“{preset[:64]}” is no period. Choose one below.")
        period = PRESETS[preset].of(today, zone)
    step = _step(asked.get("step", ""), period)
    # Refused here, before anything is asked of the database.
    period.buckets(step)
    return Question(
        period=period,
        preset=preset,
        step=step,
        shown=_shown(asked.get("show", "")),
        now=now,
        asked=asked,
    )


def plain_question(own_zone: ZoneInfo, now: datetime) -> Question:
    """Today: for a page whose address makes no sense, so that its reader can go on."""
    return question_of({}, own_zone, now)


def _days(asked: Mapping[str, str], today: date, zone: ZoneInfo) -> Period:
    """One day that is given alone is the whole period."""
    first = _day(asked.get("from") or asked["to"])
    last = _day(asked.get("to") or asked["from"])
    return Period.days(first, last, zone)


def _day(text: str) -> date:
    try:
        if not _ISO_DAY.fullmatch(text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"“{text[:64]}” is no day. Write it as in 2026-11-23.") from None
    if day.year not in YEARS:
        raise RefusedError(f"There is no history of the year {day.year}.")
    return day


def _step(text: str, period: Period) -> Step:
    if not text:
        return default_step(period)
    try:
        return Step(text)
    except ValueError:
        offered = ", ".join(STEPS)
        raise RefusedError(f"“{text[:64]}” is no step. Take one of {offered}.") from None


def _shown(text: str) -> Shown:
    try:
        return Shown(text or Shown.TIME)
    except ValueError:
        offered = ", ".join(SHOWN)
        raise RefusedError(f"“{text[:64]}” cannot be shown. Take one of {offered}.") from None


def default_step(period: Period) -> Step:
    days = (period.last_day - period.first_day).days + 1
    return Step.HOUR if days == 1 else Step.DAY if days <= LONG_DAYS else Step.WEEK
