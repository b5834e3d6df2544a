"""Columns over time: one for each interval, with its parts on each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from media.report_pages.charts.drawing import element, percent

HEIGHT = 200
TOP, BOTTOM = 14, 22
PLOT = HEIGHT - TOP - BOTTOM
MOST_LABELS = 7
GAP = 0.15
"""Of a column's place that stays empty."""
HOUR = 3_600
STEPS = (60, 300, 600, 900, 1_800, *(HOUR * hours for hours in (1, 2, 5, 10, 25, 50, 100, 250)))
"""Seconds that lines across may be apart."""
HIGHEST = 4
"""Lines across at most."""


@dataclass(frozen=True)
class Part:
    seconds: float
    fill: str
    says: str


@dataclass(frozen=True)
class Column:
    label: str
    parts: Sequence[Part]

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)


def columns(shown: Sequence[Column], label: str) -> SafeString:
    """The chart of these columns; `label` is what screen readers say of it."""
    highest = max((column.seconds for column in shown), default=0)
    step = step_of(highest)
    top = max(-(-highest // step), 1) * step
    drawn = [*_lines(step, top), *_labels(shown)]
    for number, column in enumerate(shown):
        drawn += _stacked(column, number, len(shown), top)
    drawn += _heights(step, top)
    return element(
        "svg", *drawn, role="img", aria_label=label, class_="columns", width="100%", height=HEIGHT
    )


def step_of(highest: float) -> int:
    """Seconds between two lines across, so that there are few of them, and round."""
    for step in STEPS:
        if highest <= step * HIGHEST:
            return step
    return -(-int(highest) // (STEPS[-1] * HIGHEST)) * STEPS[-1]


def _stacked(column: Column, number: int, count: int, top: float) -> list[SafeString]:
    drawn = []
    x = percent(number + GAP / 2, count)
    width = percent(1 - GAP, count)
    y = float(TOP + PLOT)
    for part in column.parts:
        height = part.seconds / top * PLOT
        y -= height
        drawn.append(
            element(
                "rect",
                element("title", part.says),
                x=x,
                y=round(y, 2),
                width=width,
                height=round(height, 2),
                fill=part.fill,
                class_="edge",
            )
        )
    return drawn


def _lines(step: int, top: float) -> list[SafeString]:
    drawn = []
    for number in range(int(top // step) + 1):
        y = _height(number * step, top)
        drawn.append(element("line", x1="0%", x2="100%", y1=y, y2=y, class_="grid"))
    return drawn


def _heights(step: int, top: float) -> list[SafeString]:
    """What the lines across stand for: on top of the columns, which would hide it."""
    return [
        element(
            "text",
            _short(number * step),
            x=2,
            y=_height(number * step, top) - 3,
            class_="axis-label on-top",
        )
        for number in range(1, int(top // step) + 1)
    ]


def _height(seconds: float, top: float) -> float:
    return round(TOP + PLOT - seconds / top * PLOT, 2)


def _labels(shown: Sequence[Column]) -> list[SafeString]:
    every = -(-len(shown) // MOST_LABELS) or 1
    return [
        element(
            "text",
            column.label,
            x=percent(number + 0.5, len(shown)),
            y=HEIGHT - 6,
            text_anchor="start" if number == 0 and every > 1 else "middle",
            class_="axis-label" if number % (2 * every) == 0 else "axis-label wide-only",
        )
        for number, column in enumerate(shown)
        if number % every == 0
    ]


def _short(seconds: float) -> str:
    hours, minutes = divmod(int(seconds) // 60, 60)
    return (
        f"{hours}:{minutes:02} h"
        if minutes and hours
        else f"{hours} h"
        if hours
        else f"{minutes} min"
    )
