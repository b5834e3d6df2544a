"""The changes that wait: read with a batch, taken right after the change that allows them."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import TypeAlias

from django.db.models import Q

from finesse.db.bulk import Among, BulkUpdate, keys
from finesse.db.statements import Placeholder, Statement
from media.models import MediaRequest
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, Refused, Requested, State, refusal
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor

Subject: TypeAlias = tuple[str, int | None]
"""Login id and MRD id of a Media; without an MRD a desktop."""

_MAY_WAIT = frozenset(
    {
        Requested.READY,
        Requested.NOT_READY,
        Requested.LOGOUT,
        Requested.ROUTABLE,
        Requested.NOT_ROUTABLE,
    }
)
"""What a request of the API may wait for; signing in and back to work are no such changes."""

# In one statement: a batch asks once. Few are open, and an index has these alone.
_OPEN = Statement(
    lambda: (
        WaitingChange.objects.filter(
            Q(Among("login_id", Placeholder("keys"))) | Q(waits_for=WaitsFor.PLACE), outcome=None
        )
        .select_related("reason_code")
        .order_by("pk")
    )
)
_END = BulkUpdate(WaitingChange, ("outcome", "ended_at", "ended_by"))


class Waiting:
    """The open changes about the users of a batch, and all queues, under the writer's lock."""

    def __init__(self, requests: Iterable[MediaRequest]) -> None:
        login_ids = sorted({one.login_id for one in requests})
        found = _OPEN.all(keys=keys((one,) for one in login_ids))
        self._open: dict[Subject, WaitingChange] = {
            (one.login_id, one.mrd_id): one for one in found
        }
        self._queued = sum(one.waits_for == WaitsFor.PLACE for one in found)
        self.ended: list[WaitingChange] = []
        self._new: list[WaitingChange] = []

    @property
    def open(self) -> list[WaitingChange]:
        return [*self._open.values()]

    @property
    def queued(self) -> list[WaitingChange]:
        """Those that wait for a place, in the order of their turns."""
        if not self._queued:
            return []
        return [one for one in self._open.values() if one.waits_for == WaitsFor.PLACE]

    @property
    def signing_out(self) -> set[str]:
        """The users who wait to sign out of the desktop."""
        return {
            login_id
            for (login_id, mrd_id), one in self._open.items()
            if mrd_id is None and one.requested in {Requested.LOGOUT, Requested.FORCED_LOGOUT}
        }

    def after(self, subject: Subject, state: State, now: datetime) -> WaitingChange | None:
        """The change about this Media or desktop if it ends with another state or reason: applied,
        void, or overtaken."""
        waiting = self._open.get(subject) if self._open else None
        if waiting is None:
            return None
        if state is State.LOGOUT:
            return self._end(waiting, WaitingOutcome.VOID, now)
        if waiting.waits_for == WaitsFor.PLACE:
            return self._end(waiting, WaitingOutcome.OVERTAKEN, now)
        if is_refused(subject, state, Requested(waiting.requested)):
            return None
        return self._end(waiting, WaitingOutcome.APPLIED, now)

    def next_in_queue(
        self,
        has_place: Callable[[WaitingChange], bool],
        has_queue: Callable[[WaitingChange], bool],
        now: datetime,
    ) -> WaitingChange | None:
        """End the first that has a place now, or that has no queue any more; None if all wait on.

        Call it again until it finds none: who gets a place may leave another one.
        """
        for waiting in self.queued:
            if has_place(waiting):
                return self._end(waiting, WaitingOutcome.APPLIED, now)
            if not has_queue(waiting):
                return self._end(waiting, WaitingOutcome.NO_QUEUE, now)
        return None

    def has(self, request: MediaRequest) -> bool:
        """Whether the same waits already."""
        waiting = self._open.get((request.login_id, request.mrd_id))
        return waiting is not None and _wants(waiting) == _wants(request)

    def begin(self, request: MediaRequest, waits_for: WaitsFor, now: datetime) -> None:
        """Let a request wait, in the place of what waits about the same Media or desktop."""
        if former := self._open.get((request.login_id, request.mrd_id)):
            former.ended_by = request.actor
            self._end(former, WaitingOutcome.REPLACED, now)
        waiting = WaitingChange(
            login_id=request.login_id,
            mrd_id=request.mrd_id,
            requested=request.requested,
            reason_code=request.reason_code,
            waits_for=waits_for,
            request_id=request.request_id,
            logout_all_media=request.logout_all_media,
            note=request.note,
            cause=request.cause,
            actor=request.actor,
            created_at=now,
        )
        self._open[waiting.login_id, waiting.mrd_id] = waiting
        self._new.append(waiting)
        self._queued += waits_for == WaitsFor.PLACE

    def give_up(self, subject: Subject, now: datetime) -> WaitingChange | None:
        """End the change without applying it: it may be what could not be decided."""
        waiting = self._open.get(subject)
        return waiting and self._end(waiting, WaitingOutcome.VOID, now)

    def write(self) -> Collection[WaitingChange]:
        """Save what has begun and ended; returns what has begun. Raises DatabaseError."""
        new = {id(one) for one in self._new}
        # First: there is one open for each Media and desktop.
        _END([one for one in self.ended if id(one) not in new])
        WaitingChange.objects.bulk_create(self._new)
        return self._new

    def _end(self, waiting: WaitingChange, outcome: WaitingOutcome, now: datetime) -> WaitingChange:
        del self._open[waiting.login_id, waiting.mrd_id]
        self._queued -= waiting.waits_for == WaitsFor.PLACE
        waiting.outcome, waiting.ended_at = outcome, now
        self.ended.append(waiting)
        return waiting


def _wants(one: WaitingChange | MediaRequest) -> tuple[str, int | None, bool | None]:
    return one.requested, one.reason_code_id, one.logout_all_media


def is_refused(subject: Subject, state: State, requested: Requested) -> bool:
    """Whether the rules refuse this now, about a Media or a desktop."""
    table = DESKTOP_TRANSITIONS if subject[1] is None else TRANSITIONS
    return requested not in table[state] or refusal(state, requested, table) is not None


def is_later_possible(mrd_id: int | None, state: State, requested: Requested) -> bool:
    """Whether a change that is refused now may wait: the agent is signed in, and another state of
    the same session would allow it."""
    if state is State.LOGOUT or requested is Requested.CORRECT_REASON:
        return False
    table = DESKTOP_TRANSITIONS if mrd_id is None else TRANSITIONS
    return isinstance(table[state].get(requested), Refused)


def may_wait(mrd_id: int | None, state: State, requested: Requested) -> bool:
    """The same of a request of the API."""
    return requested in _MAY_WAIT and is_later_possible(mrd_id, state, requested)
