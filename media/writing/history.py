"""The history of states: one interval after another, for each Media and each desktop."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from finesse.db.bulk import BulkInsert, BulkUpdate
from media.models import Desktop, Media, MediaRequest, StateInterval

Key: TypeAlias = tuple[str, int]
"""Login id and MRD id of a Media; a desktop has those of the voice MRD."""


_OPEN = BulkInsert(StateInterval)
_CLOSE = BulkUpdate(
    StateInterval,
    ("ended_at",),
    keys=("login_id", "mrd_id"),
    condition="o.ended_at IS NULL",
    # A clock that was set back must not make an interval end before it started.
    not_before={"ended_at": "started_at"},
)


def close_intervals(keys: Collection[Key], at: datetime) -> None:
    """End the open interval of each of these Media and desktops, if there is one."""
    _CLOSE.execute((*key, at) for key in keys)


def open_intervals(intervals: Collection[StateInterval]) -> None:
    """Insert these intervals, which may be over already."""
    _OPEN(intervals)


def interval_of(
    subject: Media | Desktop, mrd_id: int, request: MediaRequest, now: datetime
) -> StateInterval:
    """The interval that this request begins for a Media or a desktop. It is not saved."""
    reason_code = request.reason_code
    return StateInterval(
        login_id=subject.user_id,
        mrd_id=mrd_id,
        state=subject.state,
        reason_code=reason_code,
        code=reason_code.code if reason_code else None,
        label=reason_code.label if reason_code else "",
        started_at=now,
        cause=request.cause,
        actor=request.actor,
    )
