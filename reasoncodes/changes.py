"""Who changes reason codes, and by which way: the history of each code says so.

Code that changes reason codes names the change in `change()`. What is saved outside of one, as in a
shell, has a change of its own, made by the system.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import models


class Way(models.TextChoices):
    """How a change came in."""

    ADMIN = "admin", "administration"
    API = "api", "API"
    IMPORT = "import", "import"
    UNDO = "undo", "undo"
    SYSTEM = "system", "system"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that one person did: it may have changed many reason codes."""

    by: str = ""
    """Login ID; empty for the system."""
    way: Way = Way.SYSTEM
    id: uuid.UUID = field(default_factory=uuid.uuid4)


_present: ContextVar[Change | None] = ContextVar("change_of_reason_codes", default=None)


@contextmanager
def change(by: str, way: Way) -> Iterator[Change]:
    """Whatever is saved in it belongs to this one change."""
    named = Change(by=by, way=way)
    token = _present.set(named)
    try:
        yield named
    finally:
        _present.reset(token)


def present_change() -> Change:
    """The change that is under way; a new one of the system if nobody has named one."""
    return _present.get() or Change()


class VersionOfReasonCode(models.Model):
    """What a version in the history has beside the fields of its reason code."""

    change = models.UUIDField(default=uuid.uuid4, db_index=True)
    """The `Change` that made it."""
    way = models.CharField(max_length=6, choices=Way, default=Way.SYSTEM)
    team_names = models.JSONField(default=dict)
    """The teams that it was offered to: their names then, by id as text (JSON has no other keys).
    Kept as they were, since teams are renamed and deleted."""

    class Meta:
        abstract = True

    def rivals(self) -> "models.QuerySet[Any]":
        """None: versions share the label of their reason code."""
        return type(self)._default_manager.none()


# What django-simple-history asks for: here a "user" is a login ID.


def changed_by(**options: Any) -> str:
    return present_change().by


def version_user(version: Any) -> str:
    return str(version.history_user_id)


def set_version_user(version: Any, login_id: str) -> None:
    version.history_user_id = login_id
