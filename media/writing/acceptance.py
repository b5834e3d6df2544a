"""Accepts requests: from here on each of them gets an outcome, whatever happens."""

from collections.abc import Sequence
from time import monotonic, sleep

from django.db import IntegrityError, InterfaceError, OperationalError, connection

from finesse import traces, wait_limit
from finesse.api.errors import REASON_CODE_FULL, REASON_CODE_INVALID, TABLE
from finesse.db.lost_connection import leave_lost
from finesse.db.statements import Insertion
from finesse.users.models import User
from media.breaks.places import is_full
from media.breaks.rules import gives_numbers
from media.models import Desktop, Media, MediaRequest
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, Requested, State, refusal
from media.writing import bell
from media.writing.options import lets_requests_wait
from media.writing.request_lines import say_accepted
from media.writing.waiting import may_wait
from reasoncodes.models import ReasonCode

_INSERT = Insertion(MediaRequest)
LOOK_SECONDS = 0.3
"""To find out whether a request was saved whose answer was lost: after 1.5 s of waiting for that a
503 still comes within two. If the connection broke earlier there is more time."""
LOOK_AGAIN_SECONDS = 0.02
"""Pause while PostgreSQL still has the session of the connection that was lost."""

SAVE_SECONDS = 0.3
"""With less time left of a request's bound nothing is sent: it would be saved, and its answer would
come too late."""


def refuse(requested: Requested, state: State, login_id: str, mrd_id: int | None) -> None:
    """Raise the FinesseError with which the transition table refuses the request in this state.

    It is about a Media, or without an MRD about the user's desktop. While another request about the
    same is pending nothing is raised: that one may change the state before this one is applied. Nor
    is it if requests wait for such a change (FINESSE_AFTER_THIS_ONE): the writer lets it wait.
    """
    table = DESKTOP_TRANSITIONS if mrd_id is None else TRANSITIONS
    if refusal(state, requested, table) is None:
        return
    if lets_requests_wait() and may_wait(mrd_id, state, requested):
        return
    pending = MediaRequest.objects.filter(outcome=None, login_id=login_id, mrd_id=mrd_id)
    if pending.exists():
        return
    # What was pending when the state was read may have been applied before this look.
    if error := refusal(_state_now(login_id, mrd_id), requested, table):
        raise TABLE[error]()


def refuse_without_place(user: User, requested: Requested, reason_code: ReasonCode | None) -> None:
    """Raise FinesseError `Maximum Exceeded` if a break rule leaves no place for the user.

    Only if it is certain: while a request of the user or of one who has a place is pending, that
    one may make a place. Without this look, too, the writer refuses the request at its turn, or
    lets it wait in the queue, if requests do (FINESSE_AFTER_THIS_ONE).
    """
    if reason_code is None or requested is not Requested.NOT_READY or not gives_numbers():
        return
    full = is_full(user, reason_code.pk)
    if full is None or (full.has_queue and lets_requests_wait()):
        return
    pending = MediaRequest.objects.filter(outcome=None, login_id__in={user.pk, *full.by})
    # What was pending at the first look may have been applied before the second.
    if not pending.exists() and is_full(user, reason_code.pk) is not None:
        raise REASON_CODE_FULL()


def _state_now(login_id: str, mrd_id: int | None) -> State:
    found: Media | Desktop | None
    if mrd_id is None:
        found = Desktop.objects.filter(user=login_id).first()
    else:
        found = Media.objects.filter(user=login_id, mrd=mrd_id).first()
    return State(found.state) if found else State.LOGOUT


def accept(requests: Sequence[MediaRequest]) -> None:
    """Save the requests, all or none, and ring the bell. Answer 202 afterwards.

    Raises FinesseError `Invalid Input` if a reason code was deleted after it was read, and
    OperationalError or InterfaceError if they are not saved, or nobody can tell now.
    """
    traces.mark(traces.CHECK)
    left = wait_limit.left(wait_limit.DATABASE)
    if left is not None and left < SAVE_SECONDS:
        raise OperationalError("Too little time is left to save a request")
    # The bell and the answer come after the commit: a 202 is a promise.
    try:
        if len(requests) == 1:
            _INSERT(requests[0])
        else:
            MediaRequest.objects.bulk_create(requests)
    except IntegrityError:
        raise REASON_CODE_INVALID() from None
    except (OperationalError, InterfaceError):
        if not _are_saved(requests):
            raise
    traces.mark(traces.SAVE)
    bell.ring_soon()
    traces.mark(traces.RING)
    say_accepted(requests)


def _are_saved(requests: Sequence[MediaRequest]) -> bool:
    """Whether they were committed, and only the answer was lost with the connection.

    A 503 would be a lie then. All or none are saved, so the first one shows it. PostgreSQL may not
    have noticed yet that the connection is broken, and commit after a look: so none is the last one
    before it has ended that session.
    """
    if connection.in_atomic_block:
        return False
    has_session = leave_lost()
    first = requests[0]
    same = MediaRequest.objects.filter(
        accepted_at=first.accepted_at,
        login_id=first.login_id,
        mrd_id=first.mrd_id,
        request_id=first.request_id,
    )
    # The wait for the answer has spent the bound; and the watch may have noticed it, too.
    seconds = max(LOOK_SECONDS, wait_limit.left(wait_limit.DATABASE) or 0)
    end = monotonic() + seconds
    try:
        with wait_limit.raised(seconds), wait_limit.bounded(seconds, is_probe=True):
            while True:
                is_known = has_session()
                if same.exists():
                    return True
                if not is_known or monotonic() > end:
                    return False
                sleep(LOOK_AGAIN_SECONDS)
    except (OperationalError, InterfaceError):
        return False
