"""XLSX, the files of Excel and LibreOffice: a ZIP archive of XML documents."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from finesse.files.harmless import harmless, original
from finesse.files.limits import COLUMNS, PARTS, UNPACKED_BYTES
from finesse.files.tables import FileRefusedError, Table, table_of

SIGNATURE = b"PK\x03\x04"
_WIDEST = 60


def read(content: bytes) -> Table:
    """The first sheet. Raises FileRefusedError, for one that would unpack to too much, too."""
    _refuse_bombs(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        if not book.worksheets:
            raise FileRefusedError("The file has no sheet with cells.")
        sheet: Any = book.worksheets[0]
        # What the file says about its own size is not believed.
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_col=COLUMNS + 1, values_only=True)
        notes = ["The file has several sheets: the first one is read."]
        return table_of(_texts(rows), notes if len(book.worksheets) > 1 else [])
    except FileRefusedError:
        raise
    except Exception:
        # openpyxl has no errors of its own: KeyError, ValueError, those of ZIP and XML, DTDs among
        # them, and more.
        raise FileRefusedError(
            "The file cannot be read as XLSX: it is damaged, protected by a password, or not from "
            "a spreadsheet program. Open it there, and save it as XLSX again."
        ) from None


def _refuse_bombs(content: bytes) -> None:
    """By what the archive says of its parts: no part is unpacked further than that."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise FileRefusedError("The file is damaged: it is no complete XLSX file.") from None
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise FileRefusedError(
            f"The file unpacks to more than {UNPACKED_BYTES // 1024**2} MB, and is not read. "
            "Copy the rows into a new spreadsheet."
        )


def _texts(rows: Iterable[Sequence[Any]]) -> Iterator[list[str]]:
    for cells in rows:
        yield [_text(cell) for cell in cells]


def _text(value: Any) -> str:
    """A cell's value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return original(str(value))


def write(
    title: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    explanations: Iterable[Sequence[str]] = (),
) -> bytes:
    """Numbers stay numbers. `explanations` are the rows of a second sheet."""
    book = Workbook(write_only=True)
    _write_sheet(book, title, head, list(rows))
    if told := list(explanations):
        _write_sheet(book, "How to fill it in", told[0], told[1:])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write_sheet(
    book: Any, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, name in enumerate(head):
        longest = max((len(str(row[place])) for row in rows if place < len(row)), default=0)
        width = min(max(len(name), longest) + 3, _WIDEST)
        sheet.column_dimensions[get_column_letter(place + 1)].width = width
    sheet.append([_bold(sheet, name) for name in head])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _bold(sheet: Any, name: str) -> Any:
    cell = WriteOnlyCell(sheet, value=name)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: object) -> Any:
    if isinstance(value, int):
        return value
    cell = WriteOnlyCell(sheet, value=harmless(str(value)))
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
