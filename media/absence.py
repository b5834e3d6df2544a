"""Signs users out whose clients are gone [Desktop Presence and Forced Logout].

Of all MRDs, as the pages do not say of which, and of the desktop.
"""

import logging
from collections.abc import Collection

from django.db import transaction

from finesse import heartbeat
from finesse.presence import stamps
from media.models import Cause, Desktop, Media, MediaRequest
from media.states import Requested, State
from media.writing.requests import new_request
from reasoncodes.models import Category, ReasonCode
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
        requests = _sign_outs(gone)
        MediaRequest.objects.bulk_create(requests)
        stamps.forget(gone)
    if requests:
        signed_out = sorted({request.login_id for request in requests})
        logger.info("Signed out, as their clients are gone: %s", ", ".join(signed_out))
    return bool(requests)


def _sign_outs(login_ids: Collection[str]) -> list[MediaRequest]:
    media = Media.objects.filter(user__in=login_ids).exclude(state=State.LOGOUT)
    desktops = Desktop.objects.filter(user__in=login_ids).exclude(state=State.LOGOUT)
    subjects: list[tuple[str, int | None]] = [
        *media.order_by("user", "mrd").values_list("user", "mrd"),
        # Last: a desktop that signs its user out of the MRDs, too, finds them signed out then.
        *((desktop.user_id, None) for desktop in desktops.order_by("user")),
    ]
    if not subjects:
        return []
    reason_code = ReasonCode.objects.filter(
        system_code=True, category=Category.LOGOUT, code=CONNECTION_FAILURE
    ).first()
    return [
        new_request(
            login_id, mrd_id, Requested.FORCED_LOGOUT, reason_code=reason_code, cause=Cause.SYSTEM
        )
        for login_id, mrd_id in subjects
    ]
