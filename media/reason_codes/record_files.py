"""The record as a file: one row for each value that a change has changed."""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.utils.timezone import localtime
from openpyxl import Workbook

from reasoncodes.record import Entry, Reader

HEADS = (
    "Time",
    "Who",
    "By way of",
    "What",
    "Category",
    "Code",
    "Label",
    "Field",
    "From",
    "To",
    "Change",
)
CHUNK = 500
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What a cell must not begin with: spreadsheets would take it for a formula."""


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it and does not run it: with an apostrophe before it."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def rows(reader: Reader, versions: "QuerySet[Any]") -> Iterator[tuple[str | int, ...]]:
    """In the order of the versions, a few hundred at a time in memory."""
    chunk: list[Any] = []
    for version in versions.iterator(chunk_size=CHUNK):
        chunk.append(version)
        if len(chunk) == CHUNK:
            yield from _of_entries(reader.entries(chunk))
            chunk = []
    yield from _of_entries(reader.entries(chunk))


def csv_file(reader: Reader, versions: "QuerySet[Any]") -> FileResponse:
    """UTF-8 with a mark, by which Excel knows it."""

    def write(file: IO[bytes]) -> None:
        file.write(codecs.BOM_UTF8)
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(HEADS)
        writer.writerows(rows(reader, versions))
        text.detach()

    return _file(write, "csv", "text/csv; charset=utf-8")


def xlsx_file(reader: Reader, versions: "QuerySet[Any]") -> FileResponse:
    """Written row by row: a workbook of a hundred thousand rows needs no more memory."""

    def write(file: IO[bytes]) -> None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Who changed what")
        sheet.append(HEADS)
        for row in rows(reader, versions):
            sheet.append(row)
        book.save(file)

    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(write, "xlsx", kind)


FORMATS: dict[str, Callable[[Reader, "QuerySet[Any]"], FileResponse]] = {
    "csv": csv_file,
    "xlsx": xlsx_file,
}


def _of_entries(entries: Iterable[Entry]) -> Iterator[tuple[str | int, ...]]:
    for entry in entries:
        at = localtime(entry.at).isoformat(sep=" ", timespec="seconds")
        head = (at, entry.who, entry.way, entry.what, entry.category, entry.code, entry.label)
        changed = [(one.what, one.before, one.after) for one in entry.differences]
        for what in changed or [("", "", "")]:
            cells = (*head, *what, str(entry.change))
            yield tuple(harmless(cell) if isinstance(cell, str) else cell for cell in cells)


def _file(write: Callable[[IO[bytes]], None], kind: str, content_type: str) -> FileResponse:
    """Put together in a file without a name before the answer begins, as long lists of the API."""
    file = TemporaryFile()  # noqa: SIM115 (the response closes it)
    try:
        write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    name = f"history-of-reason-codes.{kind}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
