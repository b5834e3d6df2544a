"""XLSX of any length, made while it is sent: neither its rows nor the file are ever whole.

openpyxl puts a file together before its first byte can be sent, for which proxies do not wait: of
a million rows of 26 columns that takes seven minutes of a core, and this a fifth of it.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

Value: TypeAlias = str | int | float | None

SHEET_ROWS = 1_048_576
"""Of one sheet, with its heading: programs read no more. What is more goes on in the next one."""
_CELL_LENGTH = 32_767
_ROWS_OF_A_PART = 1_000
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_BOLD = f"""{_XML}<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/>\
<name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="2"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>\
<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf xfId="0"/>\
<xf fontId="1" applyFont="1" xfId="0"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"""
_SHEET = f"""{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">\
<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>\
</sheetViews><sheetData>"""


def parts(
    title: str, head: Sequence[str], rows: Iterable[Sequence[Value]], most: int = SHEET_ROWS
) -> Iterator[bytes]:
    """The file, as it is made; `most` is the number of rows in one sheet, with the heading."""
    sink: Any = _Sink()
    left = iter(rows)
    sheets = 0
    following = next(left, None)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        while following is not None or not sheets:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w") as sheet:
                sheet.write((_SHEET + _row(head, ' s="1"')).encode())
                own = islice(chain(() if following is None else (following,), left), most - 1)
                while page := [*islice(own, _ROWS_OF_A_PART)]:
                    sheet.write("".join(map(_row, page)).encode())
                    if made := sink.taken():
                        yield made
                sheet.write(b"</sheetData></worksheet>")
            following = next(left, None)
        for name, text in _frame(title, sheets):
            archive.writestr(name, text)
    yield sink.taken()


class _Sink:
    """A file to which a ZIP archive is only appended, as it has no place to go back to."""

    def __init__(self) -> None:
        self._made: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._made.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        made, self._made = b"".join(self._made), []
        return made


def _row(values: Sequence[Value], style: str = "") -> str:
    return f"<row>{''.join([_cell(value, style) for value in values])}</row>"


def _cell(value: Value, style: str) -> str:
    if value is None or value == "":
        return "<c/>"
    if not isinstance(value, str):
        return f"<c><v>{value}</v></c>"
    text = escape(_NO_XML.sub(" ", value[:_CELL_LENGTH]))
    return f'<c{style} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _frame(title: str, sheets: int) -> Iterator[tuple[str, str]]:
    """What says which sheets there are, and that a heading is bold."""
    numbers = range(1, sheets + 1)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    styles = f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    names = "".join(
        f'<sheet name="{title}{f" {n}" if n > 1 else ""}" sheetId="{n}" r:id="rId{n}"/>'
        for n in numbers
    )
    kinds = "".join(
        f'<Override PartName="/xl/{name}.xml" ContentType="{_TYPES}.{kind}+xml"/>'
        for name, kind in [
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            *((f"worksheets/sheet{n}", "worksheet") for n in numbers),
        ]
    )
    relationships = f'<Relationships xmlns="{_PACKAGE}/relationships">'
    yield "xl/styles.xml", _BOLD
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f"{_XML}{relationships}{styles}{related}</Relationships>",
    )
    yield (
        "_rels/.rels",
        f'{_XML}{relationships}<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
    )
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{kinds}</Types>',
    )
