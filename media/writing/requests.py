"""Puts requests together: the one place that does, for the API, the admin and the system itself."""

from datetime import datetime

from django.utils import timezone

from media.models import Cause, MediaRequest
from media.states import Options, Requested
from reasoncodes.models import ReasonCode


def new_request(
    login_id: str,
    mrd_id: int | None,
    requested: Requested,
    *,
    cause: Cause,
    actor: str = "",
    reason_code: ReasonCode | None = None,
    options: Options | None = None,
    extension: str = "",
    logout_all_media: bool | None = None,
    request_id: str = "",
    accepted_at: datetime | None = None,
) -> MediaRequest:
    """A request about a user's Media in this MRD, or without an MRD about the user's desktop.

    It is not saved. `actor` is the login id of the user who asks, empty for the system; the time
    is now unless given.
    """
    return MediaRequest(
        login_id=login_id,
        mrd_id=mrd_id,
        requested=requested,
        reason_code=reason_code,
        max_dialog_limit=options.max_dialog_limit if options else None,
        interrupt_action=options.interrupt_action if options else "",
        dialog_logout_action=options.dialog_logout_action if options else "",
        extension=extension,
        logout_all_media=logout_all_media,
        request_id=request_id,
        cause=cause,
        actor=actor,
        accepted_at=accepted_at or timezone.now(),
    )
