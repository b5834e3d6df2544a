"""The table of a run: a row for each fault."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from tests.faults.faults import Fault
from tests.faults.history import Kind
from tests.faults.rounds import Round

EVIDENCE = 20
"""Findings that are kept of each fault."""
WORST = frozenset({"outage", "silence", "until_503", "slowest_503", "back"})
"""Times, of which a row has the longest of its rounds."""


@dataclass(frozen=True, kw_only=True)
class Row:
    fault: str
    rounds: int
    ok: int
    """Requests that were answered 202."""
    refused: int
    """With 503."""
    unknown: int
    recovered: int
    lost: int
    duplicated: int
    out_of_order: int
    away_applied: int
    may_be_applied: bool
    """What was answered 503, as docs/api.md says."""
    other: int
    """Everything else that contradicts a promise, and rounds that did not end."""
    outage: float
    silence: float
    until_503: float | None
    slowest_503: float | None
    back: float
    findings: list[str]

    @classmethod
    def of(cls, fault: Fault, rounds: Sequence[Round], failures: Sequence[str]) -> "Row":
        verdicts = [one.verdict for one in rounds]

        def count(kind: Kind) -> int:
            return sum(verdict.count(kind) for verdict in verdicts)

        named = (Kind.LOST, Kind.DUPLICATED, Kind.OUT_OF_ORDER, Kind.AWAY_APPLIED)
        texts = [f"{kind}: {text}" for verdict in verdicts for kind, text in verdict.findings]
        return cls(
            fault=fault.name,
            rounds=len(rounds),
            ok=sum(verdict.answers["202"] for verdict in verdicts),
            refused=sum(verdict.answers["503"] for verdict in verdicts),
            unknown=sum(verdict.answers["unknown"] for verdict in verdicts),
            recovered=sum(verdict.recovered for verdict in verdicts),
            lost=count(Kind.LOST),
            duplicated=count(Kind.DUPLICATED),
            out_of_order=count(Kind.OUT_OF_ORDER),
            away_applied=count(Kind.AWAY_APPLIED),
            may_be_applied=fault.cuts_postgresql,
            other=sum(count(kind) for kind in Kind if kind not in named) + len(failures),
            outage=max((one.outage for one in rounds), default=0.0),
            silence=max((one.silence for one in rounds), default=0.0),
            until_503=_most(one.until_503 for one in rounds),
            slowest_503=_most(one.slowest_503 for one in rounds),
            back=max((one.back for one in rounds), default=0.0),
            findings=[*failures, *texts][:EVIDENCE],
        )

    def with_earlier(self, earlier: "Row") -> "Row":
        """The rounds of an earlier run are in it, too."""
        added, worst = {}, {}
        for one in fields(Row):
            before, now = getattr(earlier, one.name), getattr(self, one.name)
            if one.name in WORST:
                worst[one.name] = _most((before, now))
            elif one.type is int or one.name == "findings":
                added[one.name] = before + now
        added["findings"] = added["findings"][:EVIDENCE]
        return replace(self, **added, **worst)

    @property
    def is_good(self) -> bool:
        broken = self.lost, self.duplicated, self.out_of_order, self.other
        return not any(broken) and (self.may_be_applied or not self.away_applied)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def _most(times: Any) -> float | None:
    return max((one for one in times if one is not None), default=None)


COLUMNS = {
    "fault": "fault",
    "rounds": "rounds",
    "ok": "ok",
    "refused": "503",
    "unknown": "unknown",
    "recovered": "recovered",
    "lost": "lost",
    "duplicated": "duplicated",
    "out_of_order": "out of order",
    "away_applied": "503, yet applied",
    "other": "other",
    "outage": "longest outage",
    "silence": "longest silence",
    "until_503": "until 503",
    "slowest_503": "slowest 503",
    "back": "back after",
}


def markdown(rows: Sequence[Row]) -> str:
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine()}, Python {platform.python_version()}",
        "",
        _line(COLUMNS.values()),
        "|---" + "|---:" * (len(COLUMNS) - 1) + "|",
        *(_line(_shown(getattr(row, name)) for name in COLUMNS) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.1f} s" if isinstance(value, float) else str(value)


def machine() -> str:
    """What it is, and how much it had to do: beside other work times say little."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[2]
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, load of the last 15 minutes {load:.1f}"
