"""One action of a supervisor: a request for each row, a change that waits, or a refusal.

It is saved as a whole, rows and requests in one transaction, or not at all. Its id is the client's:
a client that got no answer sends it again, and gets what was saved (decision 147).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from finesse.notifications import log
from finesse.users.models import User
from media.breaks.places import Places
from media.models import VOICE_MRD, Cause, Desktop, Media, MediaRequest
from media.states import (
    DESKTOP_TRANSITIONS,
    TRANSITIONS,
    Error,
    Refused,
    Requested,
    State,
)
from media.supervision.asking import Asked, AskingError, Subject
from media.supervision.reasons import Reasons
from media.supervision.subjects import (
    NOT_MANAGED,
    Present,
    everything_of,
    read_present,
    session_as_json,
)
from media.supervision.waiting import begin_to_wait, waits_already
from media.supervision_tables import ActionRow, SupervisorAction, WaitingChange, WaitsFor
from media.writing import bell
from media.writing.options import signs_out_of_mrds
from media.writing.requests import new_request
from media.writing.waiting import is_later_possible
from media.writing.writer import apply_at_once, serve_queues
from reasoncodes.models import ReasonCode

MODES = {Requested.ROUTABLE: True, Requested.NOT_ROUTABLE: False}


@dataclass(slots=True)
class _Planned:
    """A row, and what it comes to."""

    row: ActionRow
    request: MediaRequest | None = None
    waiting: WaitingChange | None = None


def act(asked: Asked, supervisor: User) -> SupervisorAction:
    """Do it, unless it is done already. Raises AskingError."""
    if done := _done(asked, supervisor):
        return done
    try:
        with transaction.atomic():
            action = _save(asked, supervisor)
    except IntegrityError:
        # The same action was saved meanwhile; or else a reason code was deleted.
        if done := _done(asked, supervisor):
            return done
        raise AskingError("The reason was deleted meanwhile: choose another one", 409) from None
    # After the commit: what was accepted is applied, whatever happens to the bell.
    bell.ring_soon()
    return action


def _done(asked: Asked, supervisor: User) -> SupervisorAction | None:
    done = SupervisorAction.objects.filter(pk=asked.id).first()
    if done and (done.actor, done.digest) != (supervisor.pk, asked.digest):
        raise AskingError("Another action has this id", 409)
    return done


def _save(asked: Asked, supervisor: User) -> SupervisorAction:
    action = SupervisorAction.objects.create(
        pk=asked.id, actor=supervisor.pk, digest=asked.digest, created_at=timezone.now()
    )
    if asked.later or asked.queue:
        # Otherwise the state could come to allow a change before it is seen to wait.
        log.lock()
    present = read_present(supervisor, (one.login_id for one in asked.subjects))
    subjects = _meant(asked, present)
    plan = _Plan(asked, supervisor, present)
    if asked.queue:
        plan.look_for_places(subjects)
    planned = [plan.row(action, subject) for subject in subjects]
    requests = [one.request for one in planned if one.request]
    if asked.queue:
        # What is pending, and those who wait, must not take the places that these have.
        apply_at_once(requests)
    else:
        MediaRequest.objects.bulk_create(requests)
    if asked.later or asked.queue:
        waiting = [one.waiting for one in planned if one.waiting]
        # Locked, and read anew: what was applied has moved the head.
        begin_to_wait(waiting, log.lock(), supervisor.pk)
    if asked.queue:
        # For what was decided otherwise than it was planned.
        serve_queues()
    for one in planned:
        one.row.request = one.request.pk if one.request else None
        one.row.waiting = one.waiting.pk if one.waiting else None
    ActionRow.objects.bulk_create([one.row for one in planned])
    return action


def _meant(asked: Asked, present: Present) -> Sequence[Subject]:
    """The rows that were chosen, or all of their agents."""
    if asked.whole:
        return everything_of(present, asked.subjects)
    if asked.requested is not Requested.FORCED_LOGOUT or not signs_out_of_mrds():
        return asked.subjects
    # Signing out of the desktop takes the MRDs along: each is a row, that can be undone.
    of_desktops = [one for one in asked.subjects if one.mrd_id is None]
    return tuple(dict.fromkeys([*asked.subjects, *everything_of(present, of_desktops)]))


class _Plan:
    """Decides about each row by what is true now."""

    def __init__(self, asked: Asked, supervisor: User, present: Present) -> None:
        self.asked = asked
        self.supervisor = supervisor
        self.present = present
        self.reasons = Reasons(asked.requested)
        self.own_reason = self.reasons.supervisors_own() if asked.reason_code is None else None
        self.places: Places | None = None

    def look_for_places(self, subjects: Sequence[Subject]) -> None:
        """Let those wait who would go beyond a break rule that has a queue. The log is locked."""
        self.places = Places(
            [
                self._waiting(subject, reason_code, WaitsFor.PLACE)
                for subject in subjects
                if self.present.find(subject) and (reason_code := self._reason(subject))
            ]
        )

    def row(self, action: SupervisorAction, subject: Subject) -> _Planned:
        row = ActionRow(action=action, login_id=subject.login_id, mrd_id=subject.mrd_id)
        planned = _Planned(row)
        found = self.present.find(subject)
        if found is None:
            managed = subject.login_id in self.present.agents
            row.refusal = "Not in this MRD" if managed else NOT_MANAGED
            return planned
        row.former = session_as_json(found)
        reason_code = self._reason(subject)
        without_reason = self._without_reason(subject, reason_code)
        row.refusal = without_reason or self._refusal(subject, found)
        if not row.refusal and (waiting := self._in_queue(subject, reason_code)):
            if waits_already(waiting):
                row.refusal = "Waits for it already"
            else:
                planned.waiting = waiting
        elif not row.refusal:
            planned.request = self._request(subject, reason_code)
        elif not without_reason and is_later_possible(
            subject.mrd_id, State(found.state), self.asked.requested
        ):
            if self.asked.later:
                row.refusal = ""
                planned.waiting = self._waiting(subject, reason_code, WaitsFor.RULES)
            row.may_wait = not self.asked.later
        return planned

    def _in_queue(self, subject: Subject, reason_code: ReasonCode | None) -> WaitingChange | None:
        """The change that waits for a place; None if the agent has one, or need not wait."""
        if self.places is None or reason_code is None:
            return None
        waiting = self._waiting(subject, reason_code, WaitsFor.PLACE)
        if self.places.has_place(waiting):
            # The next rows count this one.
            self.places.move(subject.login_id, subject.mrd_id or VOICE_MRD, None, reason_code.pk)
            return None
        return waiting if self.places.has_queue(waiting) else None

    def _reason(self, subject: Subject) -> ReasonCode | None:
        if self.asked.reason_code is None:
            return self.own_reason
        agent = self.present.agents[subject.login_id]
        return self.reasons.of(agent).get(self.asked.reason_code)

    def _without_reason(self, subject: Subject, reason_code: ReasonCode | None) -> str:
        if self.asked.reason_code is None or reason_code:
            return ""
        return "Does not have this reason"

    def _refusal(self, subject: Subject, row: Media | Desktop) -> str:
        """Why the rules refuse it in this state; empty if they do not, or may not in a moment."""
        requested = self.asked.requested
        table = DESKTOP_TRANSITIONS if isinstance(row, Desktop) else TRANSITIONS
        cell = table[State(row.state)].get(requested)
        if cell is None:
            return "The desktop has no such mode"
        if subject in self.present.pending:
            return ""
        if isinstance(row, Media) and MODES.get(requested) is row.routable and row.max_dialog_limit:
            return "Routable already" if row.routable else "Not routable already"
        if not isinstance(cell, Error | Refused):
            return ""
        if row.state == State.LOGOUT:
            return "Signed out"
        return f"{row.state}: not possible in this state"

    def _request(self, subject: Subject, reason_code: ReasonCode | None) -> MediaRequest:
        return new_request(
            subject.login_id,
            subject.mrd_id,
            self.asked.requested,
            reason_code=reason_code,
            cause=Cause.SUPERVISOR,
            actor=self.supervisor.pk,
            note=self.asked.note,
            # Each Media is a row of its own: a desktop takes none along.
            logout_all_media=False if subject.mrd_id is None else None,
        )

    def _waiting(
        self, subject: Subject, reason_code: ReasonCode | None, waits_for: WaitsFor
    ) -> WaitingChange:
        return WaitingChange(
            login_id=subject.login_id,
            mrd_id=subject.mrd_id,
            requested=self.asked.requested,
            reason_code=reason_code,
            waits_for=waits_for,
            note=self.asked.note,
            cause=Cause.SUPERVISOR,
            actor=self.supervisor.pk,
            created_at=timezone.now(),
        )
