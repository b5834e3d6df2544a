"""The history of states: one interval after the other, for each Media."""

from collections.abc import Collection
from datetime import datetime
from typing import TypeAlias

from django.db.models import F, Value
from django.db.models.functions import Greatest

from media.models import Desktop, Media, MediaRequest, StateInterval

Key: TypeAlias = tuple[str, int]
"""Login id and MRD id: what a request is about."""


def close_intervals(keys: Collection[Key], at: datetime) -> None:
    """End the interval that is open for each of these, if there is one."""
    # By key, and not by a condition for each: that would be another statement for every batch,
    # and building it took a tenth of the writer's time.
    candidates = StateInterval.objects.filter(
        login_id__in={login_id for login_id, _ in keys},
        mrd_id__in={mrd_id for _, mrd_id in keys},
        ended_at=None,
    ).values_list("pk", "login_id", "mrd_id")
    wanted = {*keys}
    ending = [pk for pk, login_id, mrd_id in candidates if (login_id, mrd_id) in wanted]
    # A clock that was set back must not make an interval end before it started.
    StateInterval.objects.filter(pk__in=ending).update(
        ended_at=Greatest(F("started_at"), Value(at))
    )


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
