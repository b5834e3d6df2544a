"""A table between its check and its import: signed, in the page that shows the check.

So nothing is stored that nobody would confirm, each tab of a browser has its own, and every server
process can go on with it. It is no more than what its user has uploaded: the import checks it
again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing

from finesse.files.limits import KEPT_BYTES
from finesse.files.tables import FileRefusedError, Row, Table

_SALT = "finesse.files.kept"
SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Kept:
    name: str
    """Of the file."""
    table: Table
    options: Mapping[str, Any]
    """What else the form asked for."""
    seen: Mapping[str, str]
    """What its user was shown (`Plan.digests`)."""


class ExpiredError(Exception):
    """It is too old, or somebody else's."""


def keep(kept: Kept, by: str, kind: str) -> str:
    """As text for a form. Raises FileRefusedError if it is too much."""
    rows = [kept.table.head, *kept.table.rows]
    text = signing.dumps(
        {
            "by": by,
            "kind": kind,
            "name": kept.name,
            "rows": [[row.number, *row.cells] for row in rows],
            "notes": list(kept.table.notes),
            "options": dict(kept.options),
            "seen": dict(kept.seen),
        },
        salt=_SALT,
        compress=True,
    )
    if len(text) > KEPT_BYTES:
        raise FileRefusedError(
            "The file has too much text. Split it, and import one part after the other."
        )
    return text


def open_kept(text: str, by: str, kind: str) -> Kept:
    """Raises ExpiredError."""
    try:
        found = signing.loads(text, salt=_SALT, max_age=SECONDS)
    except signing.BadSignature:
        raise ExpiredError from None
    if (found["by"], found["kind"]) != (by, kind):
        raise ExpiredError
    head, *rows = [Row(number, tuple(cells)) for number, *cells in found["rows"]]
    table = Table(head=head, rows=rows, notes=found["notes"])
    return Kept(name=found["name"], table=table, options=found["options"], seen=found["seen"])
