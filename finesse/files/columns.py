"""The columns of a table, found by their names however these are spelt."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from finesse.db.names import folded
from finesse.files.tables import FileRefusedError, Row


def spelling(name: str) -> str:
    """Equal for names that differ in case alone, or in blanks, underscores and hyphens."""
    return re.sub(r"[\s_-]+", " ", folded(name)).strip()


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where the columns of a table stand."""

    places: Mapping[str, int]
    """By `spelling`."""
    notes: tuple[str, ...]
    width: int

    def values(self, row: Row) -> dict[str, str]:
        """The row's cells by the names of their columns; a row may end before its last ones."""
        cells = row.cells
        return {
            name: cells[place] if place < len(cells) else "" for name, place in self.places.items()
        }


def find(head: Row, known: Collection[str], required: Iterable[str]) -> Columns:
    """Raises FileRefusedError if a required column is missing, or one is there twice."""
    names = [spelling(cell) for cell in head.cells]
    missing = [name for name in required if name not in names]
    named = zip(head.cells, names, strict=True)
    unknown = [cell for cell, name in named if name and name not in known]
    if missing:
        found = f" Its first row has: {', '.join(filter(None, head.cells))}." if unknown else ""
        raise FileRefusedError(
            f"{_these('column', missing)} missing.{found} The first row of the file names the "
            "columns; the template has them all."
        )
    counted = Counter(name for name in names if name in known)
    if twice := [name for name, count in counted.items() if count > 1]:
        raise FileRefusedError(f"{_these('column', twice)} there twice. Keep one of the two.")
    return Columns(
        places={name: place for place, name in enumerate(names) if name in known},
        notes=tuple(_ignored(name, known) for name in unknown),
        width=len(names),
    )


def _these(what: str, names: Collection[str]) -> str:
    quoted = ", ".join(f"“{name}”" for name in names)
    return f"The {what} {quoted} is" if len(names) == 1 else f"The {what}s {quoted} are"


def _ignored(name: str, known: Collection[str]) -> str:
    close = get_close_matches(spelling(name), known, 1)
    advice = f" Is it “{close[0]}”? Then rename it and check the file again." if close else ""
    return f"The column “{name}” is not known, and is left out.{advice}"
