"""Signs users out whose clients are gone [Desktop Presence and Forced Logout].

Of all MRDs, as the pages do not say of which, and of the desktop.
"""

import logging

from django.db import transaction

from finesse import heartbeat
from finesse.presence import stamps
from media.models import Cause, MediaRequest
from media.writing.requests import sign_outs
from reasoncodes.system_codes import CONNECTION_FAILURE

logger = logging.getLogger(__name__)

USERS_PER_SWEEP = 200
"""Signed out in one transaction; the next sweep signs the next users out."""


def sign_out_absent() -> bool:
    """Accept a sign-out of everything for each absent user; False if no request was accepted.

    In the same transaction these users cease to be watched: however many sweeps run at once, and
    wherever one of them is killed, each absence ends in one sign-out.
    """
    if not stamps.is_on():
        return False
    if not heartbeat.in_service():
        stamps.pause()
        return False
    at, absent = stamps.look()
    if not absent:
        return False
    with transaction.atomic():
        # A pending request may be a sign-in, which the states do not show yet: the next sweep will.
        first = absent[:USERS_PER_SWEEP]
        pending = MediaRequest.objects.filter(outcome=None, login_id__in=first)
        settled = {*first} - {*pending.values_list("login_id", flat=True)}
        gone = stamps.take_absent(settled, at)
        requests = sign_outs(gone, cause=Cause.SYSTEM, code=CONNECTION_FAILURE)
        MediaRequest.objects.bulk_create(requests)
        stamps.forget(gone)
    if requests:
        signed_out = sorted({request.login_id for request in requests})
        logger.info("Signed out, as their clients are gone: %s", ", ".join(signed_out))
    return bool(requests)
