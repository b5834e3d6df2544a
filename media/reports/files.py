"""Tables as files, which are made while they are sent: a million rows are never in memory.

The first rows are made before the answer begins, so that what fails there is an error. What fails
later breaks the answer off: its end is missing, which HTTP tells its reader.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from django.http import StreamingHttpResponse

from finesse import wait_limit
from finesse.files import long_spreadsheets
from finesse.files.harmless import harmless
from media.reports.tables import Table, Value

_ROWS_OF_A_PART = 1_000
"""Made at once, and then sent."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def response_with(table: Table, kind: str, wait_seconds: float) -> StreamingHttpResponse:
    """The table as a file of a kind of `KINDS`; each part may wait so long for the database."""
    parts_of, content_type = KINDS[kind]
    parts = _waiting(parts_of(table), wait_seconds)
    # The heading alone may be the first one.
    begin = [*islice(parts, 2)]
    response = StreamingHttpResponse(
        chain(begin, parts),
        content_type=content_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{table.name}.{kind}"',
        },
    )
    if len(begin) < 2:
        response.headers["Content-Length"] = str(sum(map(len, begin)))
    return response


def _waiting(parts: Iterator[bytes], seconds: float) -> Iterator[bytes]:
    """Each part is made in the thread that asks for it, which may be another one each time."""
    while True:
        with wait_limit.raised(seconds):
            part = next(parts, None)
        if part is None:
            return
        yield part


def _csv(table: Table) -> Iterator[bytes]:
    # With the mark: without one, Excel would not read it as UTF-8.
    yield _BYTE_ORDER_MARK + _lines([table.columns])
    for rows in _in_parts(table.rows):
        yield _lines(map(_harmless, rows))


def _lines(rows: Iterable[Sequence[Value]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _xlsx(table: Table) -> Iterator[bytes]:
    return long_spreadsheets.parts(table.name, table.columns, map(_harmless, table.rows))


def _json(table: Table) -> Iterator[bytes]:
    separator = "[\n"
    for rows in _in_parts(table.rows):
        texts = (json.dumps(one, ensure_ascii=False) for one in items(table.columns, rows))
        yield (separator + ",\n".join(texts)).encode()
        separator = ",\n"
    yield b"\n]\n" if separator == ",\n" else b"[]\n"


def _in_parts(rows: Iterable[Sequence[Value]]) -> Iterator[list[Sequence[Value]]]:
    left = iter(rows)
    while part := [*islice(left, _ROWS_OF_A_PART)]:
        yield part


def items(columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterable[dict[str, Value]]:
    """The rows as JSON objects."""
    return (dict(zip(columns, row, strict=True)) for row in rows)


def _harmless(row: Sequence[Value]) -> list[Value]:
    return [harmless(value) if isinstance(value, str) else value for value in row]


KINDS: dict[str, tuple[Callable[[Table], Iterator[bytes]], str]] = {
    "csv": (_csv, "text/csv; charset=utf-8"),
    "xlsx": (_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (_json, "application/json"),
}
