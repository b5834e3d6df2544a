"""Accepts requests: from here on each of them gets an outcome, whatever happens."""

from collections.abc import Sequence

from django.db import IntegrityError

from finesse.api.errors import REASON_CODE_INVALID, TABLE
from finesse.db.statements import Insertion
from media.models import MediaRequest
from media.writing import bell

_INSERT = Insertion(MediaRequest)


def refuse(error: str | None, login_id: str, mrd_id: int | None) -> None:
    """Raise the FinesseError of this name: a transition table refuses the request in this state.

    Nothing is raised without an error, nor while another request about this Media (without an MRD:
    about the user's desktop) is pending: that one may change the state before this one is applied.
    """
    if error is None:
        return
    pending = MediaRequest.objects.filter(outcome=None, login_id=login_id, mrd_id=mrd_id)
    if not pending.exists():
        raise TABLE[error]()


def accept(requests: Sequence[MediaRequest]) -> None:
    """Save the requests, all or none, and ring the bell. Answer 202 afterwards.

    Raises FinesseError `Invalid Input` if a reason code was deleted after it was read.
    """
    # The bell comes after the commit, and the answer after both: a 202 is a promise.
    try:
        if len(requests) == 1:
            _INSERT(requests[0])
        else:
            MediaRequest.objects.bulk_create(requests)
    except IntegrityError:
        raise REASON_CODE_INVALID() from None
    bell.ring()
