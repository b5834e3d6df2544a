"""Figures, made of the rounds that were measured, and their targets."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least so many percent of them do not exceed."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def percentiles(samples: Sequence[float]) -> dict[str, float]:
    return {f"p{percent}": percentile(samples, percent) for percent in (50, 95, 99)}


@dataclass(frozen=True, slots=True)
class Target:
    """The bound of a figure's value, its ratio to the ceiling, or its ratio to plain DRF."""

    of: Literal["ours", "ratio", "of plain"]
    bound: float
    at_most: bool = False

    def __str__(self) -> str:
        return f"{self.of} {'≤' if self.at_most else '≥'} {self.bound:g}"

    def is_met_by(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound


@dataclass(kw_only=True)
class Figure:
    """Rounds of each contender, in the order in which they alternated.

    The ratio is ours as a part of the ceiling; 1 is as good. It is the median of the ratios of each
    pair of rounds, so that other work on the machine slows both.
    """

    name: str
    unit: str
    ours: Sequence[float]
    ceiling: Sequence[float] = ()
    plain: Sequence[float] = ()
    better: Literal["more", "less"] = "more"
    target: Target | None = None
    beside: str = "the ceiling"
    """The name of what it is compared with, if not the ceiling."""
    shown: bool = True
    """Whether it is in the picture."""
    percentiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By contender, in milliseconds."""
    cpu: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """By contender and role, in milliseconds a request."""
    notes: Sequence[str] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.ours)

    @property
    def ratio(self) -> float | None:
        return self._ratio(self.ceiling)

    @property
    def of_plain(self) -> float | None:
        return self._ratio(self.plain)

    @property
    def met(self) -> bool | None:
        """None if there is no target."""
        if self.target is None:
            return None
        values = {"ours": self.median, "ratio": self.ratio, "of plain": self.of_plain}
        value = values[self.target.of]
        return value is not None and self.target.is_met_by(value)

    def _ratio(self, others: Sequence[float]) -> float | None:
        pairs = [
            (our, other) for our, other in zip(self.ours, others, strict=False) if our and other
        ]
        if not pairs:
            return None
        return statistics.median(
            our / other if self.better == "more" else other / our for our, other in pairs
        )

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": self.name,
            "unit": self.unit,
            "ours": rounded(self.median),
            "ceiling": rounded(statistics.median(self.ceiling)) if self.ceiling else None,
            "ratio": rounded(self.ratio),
            "target": str(self.target) if self.target else None,
            "met": self.met,
            "rounds": {
                name: [rounded(one) for one in samples]
                for name, samples in self.contenders().items()
            },
        }
        if self.plain:
            found |= {"plain": rounded(statistics.median(self.plain))}
            found |= {"of_plain": rounded(self.of_plain)}
        if self.percentiles:
            found["percentiles"] = _rounded(self.percentiles)
        if self.cpu:
            found["cpu_ms"] = _rounded(self.cpu)
        if self.ceiling:
            found["beside"] = self.beside
        if self.notes:
            found["notes"] = list(self.notes)
        return found

    def contenders(self) -> dict[str, Sequence[float]]:
        by_name = {"ours": self.ours, "ceiling": self.ceiling, "plain DRF": self.plain}
        return {name: samples for name, samples in by_name.items() if samples}


def rounded(value: float | None) -> float | None:
    """The value to three significant digits, at most four of them after the point."""
    if value is None or value == 0 or not math.isfinite(value):
        return None if value is None or not math.isfinite(value) else 0.0
    digits = max(0, min(4, 2 - math.floor(math.log10(abs(value)))))
    return round(value, digits)


def _rounded(groups: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float | None]]:
    return {
        name: {key: rounded(value) for key, value in group.items()}
        for name, group in groups.items()
    }


def text(figure: Figure) -> str:
    """The figure as lines for a terminal."""
    lines = [f"{figure.name}, {figure.unit}"]
    for name, samples in figure.contenders().items():
        spread = f"({min(samples):,.4g} to {max(samples):,.4g}, {len(samples)} rounds)"
        lines.append(f"    {name:<10} {statistics.median(samples):>12,.4g}  {spread}")
    if figure.ratio is not None:
        lines.append(f"    {'ratio':<10} {figure.ratio:>12.2f}  of {figure.beside}")
    if figure.of_plain is not None:
        lines.append(f"    {'':<10} {figure.of_plain:>12.2f}  times plain DRF")
    for name, group in figure.percentiles.items():
        listed = ", ".join(f"{key} {value:.1f}" for key, value in group.items())
        lines.append(f"    {name:<10} {listed} ms")
    for name, group in figure.cpu.items():
        listed = ", ".join(f"{role} {value:.2f}" for role, value in group.items() if value >= 0.005)
        lines.append(f"    {name:<10} CPU ms a request: {listed}, in all {sum(group.values()):.2f}")
    lines += [f"    {note}" for note in figure.notes]
    if figure.target:
        lines.append(f"    {'met' if figure.met else 'MISSED'}: {figure.target}")
    return "\n".join(lines)
