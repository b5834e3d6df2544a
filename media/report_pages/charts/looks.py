"""How a state or a reason looks in the charts of one page: a colour and a pattern."""

from dataclasses import dataclass, field
from typing import TypeAlias
from zlib import crc32

from django.utils.safestring import SafeString, mark_safe

from media.report_pages.charts.drawing import element
from media.states import State
from reasoncodes.colours import PALETTE

TILE = 8
"""Pixels of a pattern's side."""
PATTERNS = (
    "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4",
    "M2,2 h1 M6,6 h1",
    "M0,4 h8",
    "M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4",
    "M4,0 v8",
    "M0,4 h8 M4,0 v8",
    "M0,0 l8,8 M0,8 l8,-8",
)
"""Strokes on the colour: hatched, dotted, lying, hatched back, standing, squares, lozenges."""
COLOURS = tuple(PALETTE.values())

Series: TypeAlias = tuple[str, str]
"""A state, and the id or label of its reason; the reason is empty if there is none."""


@dataclass
class Looks:
    """Gives each state and reason of a page its look, the same in all its charts."""

    numbers: dict[Series, int] = field(default_factory=dict)
    """In the order in which they came: charts put their parts into the same one."""
    _colours: dict[Series, str] = field(default_factory=dict)
    _patterns: dict[Series, int] = field(default_factory=dict)

    def fill(self, state: str, reason: str = "", colour: str = "") -> str:
        """The paint of this state and reason. A reason without a colour of its own gets one."""
        series = (state, reason)
        if series not in self.numbers:
            self.numbers[series] = len(self.numbers)
            if reason:
                self._colours[series] = colour or COLOURS[5 * crc32(reason.encode()) % len(COLOURS)]
                self._patterns[series] = self._free_pattern(series)
        return f"url(#look-{self.numbers[series]})"

    def swatch(self, state: str, reason: str = "", colour: str = "") -> SafeString:
        """A small square of the look, to stand before its name."""
        square = element(
            "rect", width=14, height=14, rx=2, fill=self.fill(state, reason, colour), class_="edge"
        )
        return element("svg", square, width=14, height=14, class_="swatch", aria_hidden="true")

    def definitions(self) -> SafeString:
        """What the paints refer to. It stands once on the page; where does not matter."""
        patterns = [self._pattern(series, number) for series, number in self.numbers.items()]
        defs = element("defs", *patterns)
        return element("svg", defs, width=0, height=0, class_="looks", aria_hidden="true")

    def _pattern(self, series: Series, number: int) -> SafeString:
        colour = self._colours.get(series)
        ground = element(
            "rect",
            width=TILE,
            height=TILE,
            fill=colour,
            class_=None if colour else f"fill-{_word(series[0])}",
        )
        return element(
            "pattern",
            ground,
            self._strokes(series),
            id=f"look-{number}",
            width=TILE,
            height=TILE,
            patternUnits="userSpaceOnUse",
        )

    def _strokes(self, series: Series) -> SafeString:
        if series[0] == State.READY:
            return mark_safe("")
        of_state = list(State).index(State(series[0])) % len(PATTERNS)
        path = PATTERNS[self._patterns.get(series, of_state)]
        return element("path", d=path, class_="strokes")

    def _free_pattern(self, series: Series) -> int:
        """The reason's own, if no other one of the page has it; one that is free otherwise."""
        own = crc32(series[1].encode()) % len(PATTERNS)
        turns = [place % len(PATTERNS) for place in range(own, own + len(PATTERNS))]
        colour = self._colours[series]
        of_colour = {self._patterns[one] for one in self._patterns if self._colours[one] == colour}
        for taken in ({*self._patterns.values()}, of_colour):
            if free := [place for place in turns if place not in taken]:
                return free[0]
        return own


def _word(state: str) -> str:
    return state.lower().replace("_", "-")
