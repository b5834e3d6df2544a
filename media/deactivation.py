"""Signs users out who have been deactivated: they cannot do so themselves any more."""

import logging
from collections.abc import Collection

from finesse.users.models import User
from media.models import Cause, Desktop, Media, MediaRequest
from media.states import State
from media.writing.requests import sign_outs
from reasoncodes.system_codes import FORCE_LOGOUT

logger = logging.getLogger(__name__)


def accept_sign_outs(login_ids: Collection[str]) -> bool:
    """Accept a sign-out of everything for those of these users who are deactivated.

    False if no request was accepted.
    """
    inactive = User.objects.filter(pk__in=login_ids, is_active=False).values_list("pk", flat=True)
    requests = sign_outs([*inactive], cause=Cause.DEACTIVATED, code=FORCE_LOGOUT)
    MediaRequest.objects.bulk_create(requests)
    if requests:
        signed_out = sorted({request.login_id for request in requests})
        logger.info("Signed out, as they are deactivated: %s", ", ".join(signed_out))
    return bool(requests)


def sign_out_deactivated() -> bool:
    """Accept sign-outs for all deactivated users who are signed in; False if there are none.

    Those who were saved as deactivated have been signed out at once. This finds the others, such as
    those whom a statement has deactivated.
    """
    found: set[str] = set()
    for model in (Media, Desktop):
        signed_in = model.objects.filter(user__is_active=False).exclude(state=State.LOGOUT)
        found.update(signed_in.values_list("user", flat=True))
    # What is pending may be the sign-out.
    pending = MediaRequest.objects.filter(outcome=None, login_id__in=found)
    return accept_sign_outs(found - {*pending.values_list("login_id", flat=True)})
