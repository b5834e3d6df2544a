"""Who has changed a reason code last, and what: with a button that takes it back."""

import uuid
from dataclasses import dataclass

from finesse.users.models import User
from media.reason_codes.two_at_once import in_words, moment_of
from reasoncodes.access import versions_visible_to
from reasoncodes.changes import Change
from reasoncodes.history import latest_version
from reasoncodes.models import ReasonCode
from reasoncodes.record import Reader


@dataclass(frozen=True)
class LastChange:
    by: str
    at: str
    what: str
    change: uuid.UUID
    is_first: bool
    """Whether it made the code: there is nothing before it to go back to."""


def last_change(reason_code: ReasonCode, reader: User) -> LastChange | None:
    """None for one without a history that the reader may see."""
    versions = versions_visible_to(reader).filter(id=reason_code.pk).order_by("-history_id")[:1]
    for entry, version in zip(Reader(reader).entries(versions), versions, strict=False):
        is_first = version.before is None
        return LastChange(entry.who, moment_of(entry), in_words(entry), entry.change, is_first)
    return None


def is_made_by(reason_code: ReasonCode, change: Change) -> bool:
    """Whether this change has made its latest version."""
    newest = latest_version(reason_code.pk)
    return newest is not None and newest.change == change.id
