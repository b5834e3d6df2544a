"""The history of states: one interval after the other, for each Media."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from media.models import Desktop, Media, MediaRequest, StateInterval

Key: TypeAlias = tuple[str, int]
"""Login id and MRD id: what a request is about."""


def open_intervals(keys: Iterable[Key]) -> QuerySet[StateInterval]:
    of_one_of_them = Q()
    for login_id, mrd_id in keys:
        of_one_of_them |= Q(login_id=login_id, mrd_id=mrd_id)
    return StateInterval.objects.filter(of_one_of_them, ended_at=None)


def close_intervals(intervals: QuerySet[StateInterval], at: datetime) -> None:
    # A clock that was set back must not make an interval end before it started.
    intervals.update(ended_at=Greatest(F("started_at"), Value(at)))


def interval_of(
    subject: Media | Desktop, mrd_id: int, request: MediaRequest, now: datetime
) -> StateInterval:
    """The interval that the request opens for a Media, or for the desktop in the voice MRD."""
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
