"""Undoing an action: each row that nobody has changed since goes back to its former state.

It is done under the writer's lock, and applied at once: nobody can change a row between the look
and the change (decision 148).
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from finesse.notifications import log
from finesse.users.models import User
from media.models import Cause, Media, MediaRequest, Outcome
from media.states import Change, Requested
from media.supervision.asking import AskingError, Subject
from media.supervision.subjects import Present, read_present
from media.supervision.waiting import withdraw
from media.supervision.way_back import desktop_session, media_session, way_back
from media.supervision_tables import ActionRow, SupervisorAction
from media.writing.mapping import desktop_session_of, media_session_of
from media.writing.requests import new_request
from media.writing.writer import apply_at_once
from reasoncodes.models import ReasonCode

GRACE_SECONDS = 5
"""For what was pressed in time, and for notifications that arrive late."""

UNDONE = "As before"
NOT_CHANGED = "Nothing had changed"
CHANGED_SINCE = "Changed again since: left as it is"
NO_WAY_BACK = "The rules know no way back to that state"
NOT_MANAGED_NOW = "Not an agent of your teams any more"


def undo(action_id: UUID, by: User) -> SupervisorAction:
    """Undo what this user did, as a whole; what is undone already stays as it is.

    Raises AskingError: 404 for an action of nobody or of somebody else, 409 while outcomes are
    missing, 410 when it is too late.
    """
    with transaction.atomic():
        log.lock()
        action = SupervisorAction.objects.filter(pk=action_id, actor=by.pk).first()
        if action is None:
            raise AskingError("You have done no such action", 404)
        if action.undone_at is None:
            undoing = _Undoing(action, by)
            undoing.decide()
            apply_at_once([one for requests in undoing.steps.values() for one in requests])
            undoing.note_errors()
            action.undone_at = timezone.now()
            action.save(update_fields=["undone_at"])
            ActionRow.objects.bulk_update(undoing.rows, ["undone"])
    return action


def ends_at(action: SupervisorAction, outcomes: Collection[MediaRequest]) -> datetime:
    """Until when the action can be undone, by the times of its outcomes."""
    times = [one.applied_at for one in outcomes if one.applied_at]
    return max([action.created_at, *times]) + timedelta(seconds=settings.FINESSE_UNDO_SECONDS)


class _Undoing:
    """Decides about each row. The log is locked."""

    def __init__(self, action: SupervisorAction, by: User) -> None:
        self.action = action
        self.by = by
        self.rows = list(action.rows.all())
        self.steps: dict[int, list[MediaRequest]] = {}
        """The requests that lead back, by the row's id."""
        wanted = [row.request for row in self.rows if row.request]
        self.done = MediaRequest.objects.in_bulk(wanted)
        if any(one.outcome is None for one in self.done.values()):
            raise AskingError("Not everything is applied yet: try again in a moment", 409)
        grace = timedelta(seconds=GRACE_SECONDS)
        if timezone.now() > ends_at(action, self.done.values()) + grace:
            raise AskingError("It is too late to undo this", 410)
        self.present = read_present(by, {row.login_id for row in self.rows})
        self.changed = _changed_since(self.done.values(), self.present)
        former = [row.former["reason_code"] for row in self.rows if row.former]
        self.reasons = ReasonCode.objects.in_bulk({one for one in former if one})

    def decide(self) -> None:
        # The desktop's sign-in comes before the MRDs', as an agent does it.
        for row in sorted(self.rows, key=lambda one: one.mrd_id is not None):
            row.undone = self._result(row)

    def note_errors(self) -> None:
        """Call it when the requests have their outcomes."""
        for row in self.rows:
            errors = [one.error for one in self.steps.get(row.pk, ()) if one.error]
            if errors:
                row.undone = f"Failed: {errors[0]}"

    def _result(self, row: ActionRow) -> str:
        if row.waiting:
            return UNDONE if withdraw(row.waiting, self.by.pk) else CHANGED_SINCE
        request = self.done.get(row.request or 0)
        if request is None or request.outcome != Outcome.CHANGED:
            return NOT_CHANGED
        if row.login_id not in self.present.agents:
            return NOT_MANAGED_NOW
        if request.position != self.changed.get(Subject(row.login_id, row.mrd_id)):
            return CHANGED_SINCE
        steps = self._way_back(row, Requested(request.requested))
        if steps is None:
            return NO_WAY_BACK
        self.steps[row.pk] = [self._request(row, step) for step in steps]
        return UNDONE

    def _way_back(self, row: ActionRow, requested: Requested) -> list[Change] | None:
        subject = self.present.find(Subject(row.login_id, row.mrd_id))
        if subject is None or row.former is None:
            return None
        corrected = requested is Requested.CORRECT_REASON
        if isinstance(subject, Media):
            now, former = media_session_of(subject), media_session(row.former)
            return way_back(now, former, corrected=corrected)
        was = desktop_session(row.former)
        return way_back(desktop_session_of(subject), was, corrected=corrected)

    def _request(self, row: ActionRow, step: Change) -> MediaRequest:
        return new_request(
            row.login_id,
            row.mrd_id,
            step.requested,
            cause=Cause.SUPERVISOR,
            actor=self.by.pk,
            reason_code=self.reasons.get(step.reason_code) if step.reason_code else None,
            options=step.options,
            extension=step.extension,
            note="Undone",
        )


def _changed_since(done: Collection[MediaRequest], present: Present) -> dict[Subject, int | None]:
    """The position of the last change of each Media and desktop; None if another one is pending."""
    positions = [one.position for one in done if one.position]
    if not positions:
        return {}
    changes = MediaRequest.objects.filter(
        position__gte=min(positions), login_id__in=present.agents, outcome=Outcome.CHANGED
    ).order_by("position")
    found: dict[Subject, int | None] = {
        Subject(login_id, mrd_id): position
        for login_id, mrd_id, position in changes.values_list("login_id", "mrd_id", "position")
    }
    return found | dict.fromkeys(present.pending)
