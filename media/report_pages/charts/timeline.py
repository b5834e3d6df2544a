"""One line of a day: what followed what, from left to right."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString

from media.report_pages.charts.drawing import element, percent

HEIGHT = 26
AXIS_HEIGHT = 18
LONGEST_AXIS = timedelta(hours=26)
"""A day has 25 hours at most; more is no line of a day."""
MOST_LABELS = 9


@dataclass(frozen=True)
class Segment:
    """A stay in one state, cut to what is shown."""

    begin: datetime
    end: datetime
    fill: str
    """The paint; empty for signed out, which is drawn as a thin line."""
    says: str
    """What a pointer on it shows."""


def line(segments: Iterable[Segment], begin: datetime, end: datetime, label: str) -> SafeString:
    """The line from `begin` to `end`; `label` is what screen readers say of it."""
    drawn = [_drawn(one, begin, end) for one in segments if one.end > begin and one.begin < end]
    return element(
        "svg", *drawn, role="img", aria_label=label, class_="line", width="100%", height=HEIGHT
    )


def _drawn(one: Segment, begin: datetime, end: datetime) -> SafeString:
    whole = (end - begin).total_seconds()
    start = (max(one.begin, begin) - begin).total_seconds()
    lasts = (min(one.end, end) - begin).total_seconds() - start
    thick = {"y": 2, "height": HEIGHT - 4} if one.fill else {"y": HEIGHT // 2 - 1, "height": 2}
    return element(
        "rect",
        element("title", one.says),
        x=percent(start, whole),
        width=percent(lasts, whole),
        fill=one.fill or None,
        class_="edge" if one.fill else "absent",
        **thick,
    )


def axis(begin: datetime, end: datetime, zone: ZoneInfo) -> SafeString:
    """The hours under lines from `begin` to `end`, as clocks in this zone show them.

    They stand where they are in time: when clocks are set back, an hour comes twice.
    """
    whole = (end - begin).total_seconds()
    hours = list(full_hours(begin, end, zone))
    every = -(-len(hours) // MOST_LABELS) or 1
    drawn = []
    for number, at in enumerate(hours):
        across = percent((at - begin).total_seconds(), whole)
        drawn.append(element("line", x1=across, x2=across, y1=0, y2=4, class_="tick"))
        if number % every == 0:
            anchor = "start" if at == begin else "end" if at == end else "middle"
            text = f"{at.astimezone(zone):%H:%M}"
            drawn.append(
                element("text", text, x=across, y=15, text_anchor=anchor, class_="axis-label")
            )
    return element(
        "svg", *drawn, class_="axis", width="100%", height=AXIS_HEIGHT, aria_hidden="true"
    )


def full_hours(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    """The full hours of this zone's clocks from `begin` to `end`, both included, as instants."""
    if end - begin > LONGEST_AXIS:
        return
    local = begin.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    at = begin - past if not past else begin - past + timedelta(hours=1)
    while at <= end:
        yield at
        at += timedelta(hours=1)
