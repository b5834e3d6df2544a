"""What a line of the log is about: the request that is served or applied when it is written.

Code that works on something sets it as the subject, which is one assignment. Only when a line is
written is the subject asked for its fields.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol

REQUEST_ID = "requestId"
USER = "user"
MRD = "mrd"
POSITION = "position"
NAMES = (REQUEST_ID, USER, MRD, POSITION)
"""The fields that a line may have, in the order in which they are written."""


class Subject(Protocol):
    """What has fields for lines of the log."""

    def log_fields(self) -> Mapping[str, object]:
        """Those of NAMES that are known. It must not ask the database."""
        ...


subject: ContextVar[Subject | None] = ContextVar("subject", default=None)


class about:  # noqa: N801 - used as a function, as contextlib's own
    """Lines that this thread or task writes in the context are about this subject."""

    __slots__ = ("_subject", "_token")

    def __init__(self, one: Subject) -> None:
        self._subject = one

    def __enter__(self) -> None:
        self._token = subject.set(self._subject)

    def __exit__(self, *error: object) -> None:
        subject.reset(self._token)


def fields() -> dict[str, object]:
    """The fields of the line that is written now: those that are known, in their order."""
    now = subject.get()
    if now is None:
        return {}
    known = now.log_fields()
    return {name: known[name] for name in NAMES if known.get(name) not in (None, "")}


class OfUser:
    """A connection of one user."""

    def __init__(self, login_id: str) -> None:
        self._login_id = login_id

    def log_fields(self) -> Mapping[str, object]:
        return {USER: self._login_id}
