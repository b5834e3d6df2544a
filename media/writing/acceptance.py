"""Accepts requests: from here on each of them gets an outcome, whatever happens."""

from collections.abc import Sequence

from django.db import IntegrityError

from finesse.api.errors import REASON_CODE_INVALID, TABLE
from finesse.db.statements import Insertion
from media.models import Desktop, Media, MediaRequest
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, Requested, State, refusal
from media.writing import bell

_INSERT = Insertion(MediaRequest)


def refuse(requested: Requested, state: State, login_id: str, mrd_id: int | None) -> None:
    """Raise the FinesseError with which the transition table refuses the request in this state.

    It is about a Media, or without an MRD about the user's desktop. While another request about the
    same is pending nothing is raised: that one may change the state before this one is applied.
    """
    table = DESKTOP_TRANSITIONS if mrd_id is None else TRANSITIONS
    if refusal(state, requested, table) is None:
        return
    pending = MediaRequest.objects.filter(outcome=None, login_id=login_id, mrd_id=mrd_id)
    if pending.exists():
        return
    # What was pending when the state was read may have been applied before this look.
    if error := refusal(_state_now(login_id, mrd_id), requested, table):
        raise TABLE[error]()


def _state_now(login_id: str, mrd_id: int | None) -> State:
    found: Media | Desktop | None
    if mrd_id is None:
        found = Desktop.objects.filter(user=login_id).first()
    else:
        found = Media.objects.filter(user=login_id, mrd=mrd_id).first()
    return State(found.state) if found else State.LOGOUT


def accept(requests: Sequence[MediaRequest]) -> None:
    """Save the requests, all or none, and ring the bell. Answer 202 afterwards.

    Raises FinesseError `Invalid Input` if a reason code was deleted after it was read.
    """
    # The bell and the answer come after the commit: a 202 is a promise.
    try:
        if len(requests) == 1:
            _INSERT(requests[0])
        else:
            MediaRequest.objects.bulk_create(requests)
    except IntegrityError:
        raise REASON_CODE_INVALID() from None
    bell.ring_soon()
