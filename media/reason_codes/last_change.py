"""Who has changed a reason code last, and what: with a button that takes it back."""

from dataclasses import dataclass
from typing import Any

from finesse.users.access import supervised_teams
from finesse.users.models import User
from media.reason_codes.two_at_once import author, moment_of
from media.reason_codes.wording import differences
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode


@dataclass(frozen=True)
class LastChange:
    by: str
    at: str
    what: str
    change: Any
    """The id of the `Change`."""
    is_first: bool
    """Whether it made the code: there is nothing before it to go back to."""


def last_change(reason_code: ReasonCode, reader: User) -> LastChange | None:
    """None for one that has no history."""
    newest = list(Version.objects.filter(id=reason_code.pk).order_by("-history_id")[:2])
    if not newest:
        return None
    last, *before = newest
    changed = differences(before[0], last, supervised_teams(reader)) if before else []
    what = "; ".join(map(str, changed)) or ("saved again" if before else "made it")
    return LastChange(author(last, reader), moment_of(last), what, last.change, not before)


def is_made_by(reason_code: ReasonCode, change: Any) -> bool:
    """Whether this change has made its latest version."""
    newest = Version.objects.filter(id=reason_code.pk).order_by("-history_id").first()
    return newest is not None and newest.change == change.id
