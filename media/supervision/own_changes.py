"""An agent's own change that waits: what a supervisor can do, for oneself."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from finesse.notifications import log
from finesse.users.models import User
from media.breaks.places import is_full
from media.documents.user import desktop_of, with_desktops
from media.models import Cause, Desktop, Media
from media.states import Requested, State
from media.supervision.asking import (
    CATEGORIES,
    OF_AGENTS,
    AskingError,
    read_mrd,
    read_note,
    read_reason,
    read_requested,
)
from media.supervision.waiting import begin_to_wait, waits_already
from media.supervision_tables import WaitingChange, WaitsFor
from media.writing.waiting import is_later_possible, is_refused
from reasoncodes.models import ReasonCode
from reasoncodes.selection import selectable_by, selected_by


def wait_for_turn(user: User, sent: dict[str, Any]) -> WaitingChange:
    """Let a change of the user's own state wait that the rules refuse now, or that finds no place.

    Raises AskingError, with 409 if nothing refuses it now, if it waits already, or if the user is
    signed out.
    """
    requested, mrd_id = read_requested(sent, OF_AGENTS), read_mrd(sent)
    waiting = WaitingChange(
        login_id=user.pk,
        mrd_id=mrd_id,
        requested=requested,
        reason_code=_reason(user, requested, read_reason(sent)),
        note=read_note(sent),
        cause=Cause.SELF,
        actor=user.pk,
        created_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            head = log.lock()
            state = State(_subject(user, mrd_id).state)
            if state is State.LOGOUT:
                raise AskingError("You are signed out: sign in first", 409)
            if not is_refused((user.pk, mrd_id), state, requested):
                _take_place_in_queue(user, waiting)
            elif not is_later_possible(mrd_id, state, requested):
                raise AskingError("The desktop has no such mode")
            if waits_already(waiting):
                raise AskingError("It waits already", 409)
            begin_to_wait([waiting], head, user.pk)
    except IntegrityError:
        raise AskingError("The reason was deleted meanwhile: choose another one", 409) from None
    return waiting


def _take_place_in_queue(user: User, waiting: WaitingChange) -> None:
    """Raises AskingError if there is no queue to wait in."""
    full = is_full(user, waiting.reason_code_id) if waiting.reason_code_id else None
    if full is None or waiting.requested != Requested.NOT_READY:
        raise AskingError("Nothing stands against it now: ask for it at once", 409)
    if not full.has_queue:
        raise AskingError("All places are taken, and nobody can wait for one", 409)
    waiting.waits_for = WaitsFor.PLACE


def _subject(user: User, mrd_id: int | None) -> Media | Desktop:
    if mrd_id is None:
        return desktop_of(with_desktops(User.objects.filter(pk=user.pk)).get())
    media = Media.objects.filter(user=user, mrd=mrd_id).first()
    if media is None:
        raise AskingError("You are not in this MRD", 404)
    return media


def _reason(user: User, requested: str, reason_code: int | None) -> ReasonCode | None:
    """As the API has it: one of the own list, and required if there is any."""
    category = {key.value: value for key, value in CATEGORIES.items()}.get(requested)
    if category is None:
        if reason_code is not None:
            raise AskingError("Only “Not ready” and “Sign out” have reasons")
        return None
    if reason_code is None:
        if selectable_by(user, category):
            raise AskingError("Choose a reason")
        return None
    found = selected_by(user, category, reason_code)
    if found is None:
        raise AskingError("Choose a reason of your list")
    return found
