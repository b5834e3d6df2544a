"""Which kind of file it is: that is told by its content, not by its name."""

import codecs
from collections.abc import Callable, Collection

from finesse.files import separated, spreadsheets
from finesse.files.limits import FILE_BYTES, FILE_SIZE
from finesse.files.tables import EMPTY, FileRefusedError, Table

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_OTHERS = {
    b"%PDF": "a PDF",
    b"{\\rtf": "a text document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x1f\x8b": "a compressed file",
}
ReadXML = Callable[[bytes], Table]


def read(content: bytes, known: Collection[str], read_xml: ReadXML | None = None) -> Table:
    """`known` are names of columns. Raises FileRefusedError."""
    if len(content) > FILE_BYTES:
        raise FileRefusedError(f"The file is too large: {FILE_SIZE} are the most.")
    if not content.strip():
        raise FileRefusedError(EMPTY)
    if content.startswith(spreadsheets.SIGNATURE):
        return spreadsheets.read(content)
    if content.startswith(_OLD_EXCEL):
        raise FileRefusedError(
            "This is a file of an old Excel (XLS), or one with a password. Open it, and save it as "
            "XLSX without a password."
        )
    for signature, name in _OTHERS.items():
        if content.startswith(signature):
            raise FileRefusedError(f"This is {name}, no table. Choose a file in CSV or XLSX.")
    if _is_markup(content):
        if read_xml is None:
            raise FileRefusedError("This is XML, no table. Choose a file in CSV or XLSX.")
        return read_xml(content)
    return separated.read(content, known)


def _is_markup(content: bytes) -> bool:
    start = content[:100].replace(b"\0", b"")
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        start = start.removeprefix(mark)
    return start.lstrip().startswith(b"<")
