"""What an import would do, row by row: shown first, and carried out if its user says so."""

import enum
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class Outcome(enum.Enum):
    """What becomes of a row."""

    REFUSED = "refused"
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left out"


MEANWHILE = "Somebody else has saved something of the same name at the same moment."


@dataclass(frozen=True)
class Difference:
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Problem:
    column: str
    """Empty if it is about the row as a whole."""
    text: str
    """What is wrong and what to do, in whole sentences."""


@dataclass(kw_only=True)
class PlannedRow:
    number: int
    name: str
    """What the row is about."""
    outcome: Outcome = Outcome.UNCHANGED
    differences: Sequence[Difference] = ()
    problems: list[Problem] = field(default_factory=list)
    note: str = ""
    wanted: Any = None
    """The object as it is to be saved."""

    def refuse(self, column: str, text: str) -> None:
        self.outcome = Outcome.REFUSED
        self.problems.append(Problem(column, text))

    @property
    def is_refused(self) -> bool:
        return self.outcome is Outcome.REFUSED

    def digest(self) -> str:
        """Equal as long as the row means the same."""
        parts = [self.outcome.value, self.name]
        parts += [f"{one.column}\0{one.before}\0{one.after}" for one in self.differences]
        parts += [f"{one.column}\0{one.text}" for one in self.problems]
        return hashlib.blake2b("\1".join(parts).encode(), digest_size=6).hexdigest()


@dataclass(kw_only=True)
class Plan:
    rows: Sequence[PlannedRow]
    notes: Sequence[str] = ()
    """About the file, and about what else would be made."""

    def of(self, outcome: Outcome) -> list[PlannedRow]:
        return [row for row in self.rows if row.outcome is outcome]

    @property
    def counts(self) -> Mapping[Outcome, int]:
        return Counter(row.outcome for row in self.rows)

    @property
    def to_save(self) -> list[PlannedRow]:
        return [row for row in self.rows if row.outcome in {Outcome.NEW, Outcome.CHANGED}]

    @property
    def may_be_saved(self) -> bool:
        return bool(self.to_save) and not self.of(Outcome.REFUSED)

    def digests(self) -> dict[str, str]:
        """By the number of the row, as text: JSON has no other keys."""
        return {str(row.number): f"{row.outcome.name}:{row.digest()}" for row in self.rows}

    def moved_since(self, seen: Mapping[str, str]) -> list[str]:
        """The rows that mean something else than when `seen` was noted, in whole sentences."""
        return list(_moved(self.rows, seen))


def _moved(rows: Sequence[PlannedRow], seen: Mapping[str, str]) -> Iterable[str]:
    for row in rows:
        before, _, digest = seen.get(str(row.number), "").partition(":")
        if digest == row.digest():
            continue
        was = Outcome[before].value if before in Outcome.__members__ else "not there"
        now = row.outcome.value
        change = f"was {was}, and is {now} now" if was != now else f"is still {now}, but otherwise"
        yield f"Row {row.number}, {row.name}: it {change}."
