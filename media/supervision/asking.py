"""Reads what a page asks for: JSON of a known shape, within bounds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import HttpRequest

from finesse.db.names import validate_visible
from media.states import Requested
from media.supervision_tables import NOTE_LENGTH
from reasoncodes.models import Category

MAX_ROWS = 1_000
"""Rows of one action, and Media and desktops that they may stand for."""
LARGEST_ID = 2**31 - 1
ACTIONS = {
    "READY": Requested.READY,
    "NOT_READY": Requested.NOT_READY,
    "ROUTABLE": Requested.ROUTABLE,
    "NOT_ROUTABLE": Requested.NOT_ROUTABLE,
    # As in PUT User by a supervisor: out of every state.
    "LOGOUT": Requested.FORCED_LOGOUT,
    "CORRECT_REASON": Requested.CORRECT_REASON,
}
"""What a supervisor may ask for, by its name on the wire."""
CATEGORIES = {
    Requested.NOT_READY: Category.NOT_READY,
    Requested.CORRECT_REASON: Category.NOT_READY,
    Requested.FORCED_LOGOUT: Category.LOGOUT,
    Requested.LOGOUT: Category.LOGOUT,
}
"""Of the reasons for what has any."""
_LOGIN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class AskingError(ValueError):
    """What was sent cannot be done; the text says why, `status` is that of the answer."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


OF_AGENTS = {
    **{name: requested for name, requested in ACTIONS.items() if name != "CORRECT_REASON"},
    "LOGOUT": Requested.LOGOUT,
}
"""What agents may let wait for themselves."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A Media, or without an MRD a desktop."""

    login_id: str
    mrd_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One action, as it was sent."""

    id: UUID
    requested: Requested
    subjects: tuple[Subject, ...]
    whole: bool
    """All MRDs of these agents, and their desktops."""
    reason_code: int | None
    note: str
    later: bool
    """What the state rules refuse now is to wait until they allow it."""
    queue: bool
    """Where all places at the reason are taken, agents are to wait for one, instead of going beyond
    the rule."""
    digest: str
    """Of all that was sent."""


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The object in the body. Raises AskingError."""
    if request.content_type != "application/json":
        raise AskingError("Send JSON, as application/json", 415)
    try:
        sent = json.loads(request.body)
    except RequestDataTooBig:
        raise AskingError("The body is too long", 413) from None
    except (ValueError, RecursionError):
        raise AskingError("The body is not JSON") from None
    if not isinstance(sent, dict):
        raise AskingError("The body must be a JSON object")
    return sent


def read_subjects(sent: dict[str, Any]) -> tuple[Subject, ...]:
    """The rows, each once, in their order. Raises AskingError."""
    rows = sent.get("rows")
    if not isinstance(rows, list) or not rows:
        raise AskingError('"rows" must be a list of at least one row')
    if len(rows) > MAX_ROWS:
        raise AskingError(f'"rows" must not have more than {MAX_ROWS} rows', 413)
    return tuple(dict.fromkeys(_subject(row) for row in rows))


def read_action(sent: dict[str, Any]) -> Asked:
    """What one action is to do. Raises AskingError."""
    action_id = read_id(sent.get("id"))
    requested, reason_code = read_requested(sent), read_reason(sent)
    if read_flag(sent, "queue") and requested is not Requested.NOT_READY:
        raise AskingError("Only for “Not ready” agents wait for a place")
    if reason_code is not None and requested not in CATEGORIES:
        raise AskingError("Only “Not ready” and “Sign out” have reasons")
    if reason_code is None and requested is Requested.CORRECT_REASON:
        raise AskingError("Choose the right reason")
    return Asked(
        id=action_id,
        requested=requested,
        subjects=read_subjects(sent),
        whole=read_flag(sent, "whole"),
        reason_code=reason_code,
        note=read_note(sent),
        later=read_flag(sent, "later"),
        queue=read_flag(sent, "queue"),
        digest=sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest(),
    )


def read_reason(sent: dict[str, Any]) -> int | None:
    return _number(sent.get("reasonCode"), "reasonCode")


def read_note(sent: dict[str, Any]) -> str:
    """Raises AskingError for a note that is too long, or has what cannot be seen."""
    note = sent.get("note", "")
    if not isinstance(note, str):
        raise AskingError('"note" must be a text')
    note = " ".join(note.split())
    if len(note) > NOTE_LENGTH:
        raise AskingError(f"The note has {len(note)} characters; {NOTE_LENGTH} is the most")
    if note:
        try:
            validate_visible(note)
        except ValidationError as error:
            raise AskingError(f"The note: {error.messages[0]}") from None
    return note


def read_flag(sent: dict[str, Any], name: str) -> bool:
    flag = sent.get(name, False)
    if not isinstance(flag, bool):
        raise AskingError(f'"{name}" must be true or false')
    return flag


def read_requested(sent: dict[str, Any], possible: Mapping[str, Requested] = ACTIONS) -> Requested:
    name = sent.get("requested")
    if not isinstance(name, str) or name not in possible:
        raise AskingError(f'"requested" must be one of {", ".join(possible)}')
    return possible[name]


def read_mrd(sent: dict[str, Any]) -> int | None:
    return _number(sent.get("mrdId"), "mrdId")


def read_id(text: object) -> UUID:
    try:
        return UUID(text if isinstance(text, str) else "")
    except ValueError:
        raise AskingError('"id" must be a UUID, made by the client') from None


def _subject(row: object) -> Subject:
    if not isinstance(row, dict):
        raise AskingError('Each row must be an object with "agentId" and "mrdId"')
    login_id = row.get("agentId")
    if not isinstance(login_id, str) or not _LOGIN_ID.fullmatch(login_id):
        raise AskingError('"agentId" must be a login ID')
    return Subject(login_id, _number(row.get("mrdId"), "mrdId"))


def _number(value: object, name: str) -> int | None:
    """A number of the database, also as a text of digits, as pages have it; None for null."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,9}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_ID:
        raise AskingError(f'"{name}" must be a number from 1, or null')
    return value
