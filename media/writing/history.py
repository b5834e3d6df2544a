"""The history of states: one interval after another, for each Media and each desktop."""

from collections.abc import Collection
from datetime import datetime
from itertools import chain
from typing import TypeAlias

from django.db.models import Q
from django.utils import timezone

from finesse.db.bulk import BulkInsert, BulkUpdate
from media.models import Desktop, IntervalCorrection, Media, MediaRequest, StateInterval
from media.states import State
from reasoncodes.models import ReasonCode

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
        note=request.note,
    )


def running(keys: Collection[Key]) -> dict[Key, StateInterval]:
    """The open interval of each of these Media and desktops that has one."""
    of_keys = Q()
    for login_id, mrd_id in keys:
        of_keys |= Q(login_id=login_id, mrd_id=mrd_id)
    found = StateInterval.objects.filter(of_keys, ended_at=None) if keys else []
    return {(interval.login_id, interval.mrd_id): interval for interval in found}


class History:
    """The intervals and corrections of a batch, which are written at its end."""

    def __init__(self, at: datetime, corrected: Collection[Key]) -> None:
        """`corrected` are the Media and desktops whose reasons the batch may correct."""
        self._at = at
        self._new: dict[Key, list[StateInterval]] = {}
        self._running = running(corrected)
        self._corrections: list[IntervalCorrection] = []

    def enter(self, subject: Media | Desktop, mrd_id: int, request: MediaRequest) -> None:
        """A Media or desktop is in another state now, or in the same for another reason."""
        subject.state_change_time = self._at
        interval = interval_of(subject, mrd_id, request, self._at)
        self._new.setdefault((subject.user_id, mrd_id), []).append(interval)

    def correct(self, subject: Media | Desktop, mrd_id: int, request: MediaRequest) -> None:
        """The interval that runs now had another reason from its beginning."""
        key = subject.user_id, mrd_id
        interval = self._new[key][-1] if key in self._new else self._running.get(key)
        # The history begins with the first change of state after an upgrade from the first version.
        if interval is not None:
            correction = correction_of(
                interval,
                request.reason_code,
                actor=request.actor,
                note=request.note,
                at=self._at,
            )
            self._corrections.append(correction)

    def write(self) -> None:
        """End the open interval of each Media and desktop that has entered another, and save all.

        Raises DatabaseError.
        """
        if self._new:
            close_intervals(self._new.keys(), self._at)
            for intervals in self._new.values():
                for interval in intervals[:-1]:
                    interval.ended_at = self._at
            new = [*chain(*self._new.values())]
            if any(correction.interval.pk is None for correction in self._corrections):
                # A correction names its interval by the key, which only Django's way brings back.
                StateInterval.objects.bulk_create(new)
            else:
                open_intervals(new)
        if self._corrections:
            IntervalCorrection.objects.bulk_create(self._corrections)


def correction_of(
    interval: StateInterval,
    reason_code: ReasonCode | None,
    *,
    actor: str,
    note: str,
    at: datetime,
) -> IntervalCorrection:
    """That the interval had this reason, in the words of this supervisor. It is not saved."""
    return IntervalCorrection(
        interval=interval,
        reason_code=reason_code,
        code=reason_code.code if reason_code else None,
        label=reason_code.label if reason_code else "",
        actor=actor,
        note=note,
        at=at,
    )


def correct_past(
    interval: StateInterval, reason_code: ReasonCode | None, *, actor: str, note: str
) -> IntervalCorrection:
    """Correct the reason of an interval that is over: no state changes, and nothing is published.

    Raises ValueError for one that still runs, which a request of the kind CORRECT_REASON corrects
    along with the state that clients see, and for a state that has no reasons.
    """
    if interval.ended_at is None or interval.state != State.NOT_READY:
        raise ValueError(f"Interval {interval.pk} is not a NOT_READY that is over")
    correction = correction_of(interval, reason_code, actor=actor, note=note, at=timezone.now())
    correction.save(force_insert=True)
    return correction
