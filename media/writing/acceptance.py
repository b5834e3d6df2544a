"""Accepting: from here on the request has an outcome, whatever happens."""

from collections.abc import Sequence

from django.db import IntegrityError

from finesse.api.errors import REASON_CODE_INVALID, TABLE
from finesse.db.statements import Insertion
from media.models import MediaRequest
from media.writing import bell

_INSERT = Insertion(MediaRequest)


def refuse(error: str | None, login_id: str, mrd_id: int | None) -> None:
    """Raise the error with which a transition table refuses a request, if it does.

    Not while another request about this Media, or about the user's desktop, waits for its turn:
    that may change the state by the time that this one is judged.
    """
    if error is None:
        return
    waiting = MediaRequest.objects.filter(outcome=None, login_id=login_id, mrd_id=mrd_id)
    if not waiting.exists():
        raise TABLE[error]()


def accept(requests: Sequence[MediaRequest]) -> None:
    """Commit the requests, all or none, and ring the bell. Answer 202 afterwards.

    Raises FinesseError `Invalid Input` if a reason code was deleted since it was found.
    """
    # Committed before the bell, and both before the answer: a 202 is a promise.
    try:
        if len(requests) == 1:
            _INSERT(requests[0])
        else:
            MediaRequest.objects.bulk_create(requests)
    except IntegrityError:
        raise REASON_CODE_INVALID() from None
    bell.ring()
