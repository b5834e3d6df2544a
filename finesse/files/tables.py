"""A table as it stands in a file, whatever the kind of file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from finesse.files.limits import CELL_CHARACTERS, COLUMNS, ROWS

EMPTY = "The file is empty. Its first row names the columns."


class FileRefusedError(Exception):
    """The whole file cannot be read; its text says why, and what to do."""


@dataclass(frozen=True)
class Row:
    number: int
    """As spreadsheets count: the first row is 1, and empty rows count."""
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    head: Row
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())
    """What its reader took the file for, in whole sentences."""


def table_of(rows: Iterable[Sequence[str]], notes: Sequence[str] = ()) -> Table:
    """The first row with a text in it is the head; empty rows are skipped.

    Raises FileRefusedError for an empty file, and for one that is too long or too wide.
    """
    found: list[Row] = []
    for number, cells in enumerate(rows, start=1):
        if number > ROWS + 1:
            raise FileRefusedError(
                f"The file has more than {ROWS:,} rows. Split it, and import one part after the "
                "other."
            )
        texts = tuple(text.strip() for text in cells)
        if any(texts):
            found.append(_checked(Row(number, _without_end(texts))))
    if not found:
        raise FileRefusedError(EMPTY)
    head, *others = found
    if not others:
        raise FileRefusedError("The file has no rows below the names of its columns.")
    return Table(head=head, rows=others, notes=notes)


def _without_end(texts: tuple[str, ...]) -> tuple[str, ...]:
    last = max((place for place, text in enumerate(texts) if text), default=-1)
    return texts[: last + 1]


def _checked(row: Row) -> Row:
    if len(row.cells) > COLUMNS:
        raise FileRefusedError(
            f"Row {row.number} has {len(row.cells)} cells; {COLUMNS} are the most."
        )
    if any(len(text) > CELL_CHARACTERS for text in row.cells):
        raise FileRefusedError(
            f"A cell in row {row.number} has more than {CELL_CHARACTERS:,} characters. In a CSV "
            "file that may be a quotation mark that is not closed."
        )
    return row
