"""A table of a page as a file: the same rows, with times in seconds."""

import json
from collections import Counter
from collections.abc import Sequence

from django.http import HttpResponse

from finesse.files import separated, spreadsheets
from finesse.files.harmless import harmless
from finesse.files.pages import CONTENT_TYPES
from media.report_pages.questions import Question
from media.report_pages.tables import Table

FORMATS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "json": "JSON"}


def file_of(table: Table, extension: str, question: Question) -> HttpResponse:
    """`extension` is one of FORMATS."""
    head = _apart([name for one in table.heads for name in one.in_file])
    rows = [[value for cell in row for value in cell.in_file] for row in table.rows]
    first, last = question.period.first_day, question.period.last_day
    answer = HttpResponse(_content(table, extension, question, head, rows))
    answer.headers["Content-Type"] = CONTENT_TYPES.get(extension, "application/json")
    name = f"{table.name}-{first}-{last}.{extension}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _content(
    table: Table,
    extension: str,
    question: Question,
    head: Sequence[str],
    rows: Sequence[Sequence[int | str]],
) -> bytes:
    if extension == "csv":
        return separated.write([harmless(name) for name in head], rows)
    if extension == "xlsx":
        title = table.name.capitalize()
        return spreadsheets.write(title, [harmless(name) for name in head], rows)
    document = {
        "table": table.name,
        "from": question.period.start.astimezone(question.zone).isoformat(),
        "until": question.period.end.astimezone(question.zone).isoformat(),
        "zone": question.zone.key,
        "rows": [dict(zip(head, row, strict=True)) for row in rows],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _apart(names: Sequence[str]) -> list[str]:
    """Two reasons may have one label, of which one is retired: the second is numbered."""
    met: Counter[str] = Counter()
    apart = []
    for name in names:
        met[name] += 1
        apart.append(f"{name} {met[name]}" if met[name] > 1 else name)
    return apart
