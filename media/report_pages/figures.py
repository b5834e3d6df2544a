"""Sums of sums: what the groups of a report come to together."""

from collections.abc import Iterable
from dataclasses import dataclass

from media.reports.sums import Sum
from media.states import State


@dataclass
class Figures:
    """Times in seconds."""

    signed_in: float = 0.0
    signed_out: float = 0.0
    ready: float = 0.0
    not_ready: float = 0.0
    other: float = 0.0
    """In states of work, such as ACTIVE."""
    productive: float = 0.0
    unproductive: float = 0.0
    over: float = 0.0
    stays_over: int = 0
    stays: int = 0
    """Without those signed out."""
    stays_not_ready: int = 0
    longest_not_ready: float = 0.0
    open: int = 0

    @property
    def unclassed(self) -> float:
        """Signed in, for reasons of which nobody has said whether they are productive."""
        return max(self.signed_in - self.productive - self.unproductive, 0.0)

    def add(self, one: Sum) -> None:
        self.signed_in += one.signed_in_seconds
        self.productive += one.productive_seconds
        self.unproductive += one.unproductive_seconds
        self.over += one.over_seconds
        self.stays_over += one.over
        self.open += one.open
        if one.state == State.LOGOUT:
            self.signed_out += one.seconds
            return
        self.stays += one.stays
        if one.state == State.READY:
            self.ready += one.seconds
        elif one.state == State.NOT_READY:
            self.not_ready += one.seconds
            self.stays_not_ready += one.stays
            self.longest_not_ready = max(self.longest_not_ready, one.longest)
        else:
            self.other += one.seconds


def together(found: Iterable[Sum]) -> Figures:
    figures = Figures()
    for one in found:
        figures.add(one)
    return figures


@dataclass
class Line:
    """One state and reason, whatever the groups were."""

    state: str
    reason: int | None
    code: int | None
    label: str
    seconds: float = 0.0
    stays: int = 0
    began: int = 0
    longest: float = 0.0
    open: int = 0
    over: int = 0
    over_seconds: float = 0.0

    @property
    def mean(self) -> float:
        return self.seconds / self.stays if self.stays else 0.0

    def add(self, one: "Sum | Line") -> None:
        self.seconds += one.seconds
        self.stays += one.stays
        self.began += one.began
        self.longest = max(self.longest, one.longest)
        self.open += one.open
        self.over += one.over
        self.over_seconds += one.over_seconds


def added(made: Iterable[Line]) -> Line:
    """The lines as one, of no state or reason."""
    found = Line("", None, None, "")
    for line in made:
        found.add(line)
    return found


def lines(found: Iterable[Sum]) -> list[Line]:
    """One for each state and reason, those that took most time first."""
    made: dict[tuple[str, int | None], Line] = {}
    for one in found:
        key = (one.state, one.reason_code_id)
        line = made.setdefault(key, Line(one.state, one.reason_code_id, one.code, one.label))
        line.add(one)
    return sorted(made.values(), key=lambda line: -line.seconds)
