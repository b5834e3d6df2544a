"""CSV: cells separated by commas, semicolons or tabs."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence

from finesse.files.columns import spelling
from finesse.files.encodings import decoded
from finesse.files.harmless import harmless, original
from finesse.files.tables import EMPTY, FileRefusedError, Table, table_of

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_BYTE_ORDER_MARK = "\ufeff"


def read(content: bytes, known: Collection[str]) -> Table:
    """`known` are names of columns: the separator is the one by which most of them are found.

    Raises FileRefusedError.
    """
    text, encoding = decoded(content)
    separator, text = _declared(text)
    separator = separator or _likeliest(text, known)
    notes = [f"The cells are separated by {_SEPARATORS[separator]}."] if separator != "," else []
    if encoding:
        notes.append(f"It is read as {encoding}: look whether accents and umlauts are right.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    return table_of(_cells(reader), notes)


def _declared(text: str) -> tuple[str, str]:
    """The separator that Excel's line `sep=;` names, and the text with that line emptied."""
    first, line_break, rest = text.partition("\n")
    named = first.strip().lower()
    if named.startswith("sep=") and named[4:] in {",", ";"}:
        return named[4:], line_break + rest
    return "", text


def _likeliest(text: str, known: Collection[str]) -> str:
    head = next((line for line in text.splitlines() if line.strip(" \t,;")), "")
    if not head:
        raise FileRefusedError(EMPTY)

    def found(separator: str) -> tuple[int, int]:
        cells = head.split(separator)
        return sum(spelling(cell.strip('" ')) in known for cell in cells), len(cells)

    return max(_SEPARATORS, key=found)


def _cells(reader: Iterable[list[str]]) -> Iterable[Sequence[str]]:
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):  # noqa: B007 (named in the error)
            yield [original(cell) for cell in cells]
    except csv.Error:
        raise FileRefusedError(
            f"Row {row + 1} cannot be read: a quotation mark in it is not closed, or stands where "
            "none may be. Inside a quoted cell, write it twice."
        ) from None


def write(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """With a byte order mark: without one, Excel would not read it as UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return (_BYTE_ORDER_MARK + text.getvalue()).encode()
