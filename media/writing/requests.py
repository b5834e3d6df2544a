"""Puts requests together: the one place that does, for the API, the admin and the system itself."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from media.models import Cause, Desktop, Media, MediaRequest
from media.states import Options, Requested, State
from reasoncodes.models import Category, ReasonCode
from reasoncodes.system_codes import system_code


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
    note: str = "",
) -> MediaRequest:
    """A request about a user's Media in this MRD, or without an MRD about the user's desktop.

    It is not saved. `actor` is the login id of the user who asks, empty for the system; the time
    is now unless given. The note is for the agent and other supervisors.
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
        note=note,
    )


def sign_outs(login_ids: Collection[str], *, cause: Cause, code: int) -> list[MediaRequest]:
    """The system's requests that sign these users out of everything that they are signed in to.

    They are not saved. `code` is the number of a system's reason code for signing out.
    """
    media = Media.objects.filter(user__in=login_ids)
    desktops = Desktop.objects.filter(user__in=login_ids).exclude(state=State.LOGOUT)
    # Last: a desktop that signs its user out of the MRDs, too, finds them signed out then.
    of_desktops = [(desktop.user_id, None) for desktop in desktops.order_by("user")]
    return _sign_outs([*_signed_in(media), *of_desktops], cause, code)


def sign_outs_of(media: "QuerySet[Media]", *, cause: Cause, code: int) -> list[MediaRequest]:
    """The same for these Media only."""
    return _sign_outs(_signed_in(media), cause, code)


def _signed_in(media: "QuerySet[Media]") -> list[tuple[str, int]]:
    signed_in = media.exclude(state=State.LOGOUT).order_by("user", "mrd")
    return list(signed_in.values_list("user", "mrd"))


def _sign_outs(
    subjects: Sequence[tuple[str, int | None]], cause: Cause, code: int
) -> list[MediaRequest]:
    if not subjects:
        return []
    reason_code = system_code(Category.LOGOUT, code)
    return [
        new_request(login_id, mrd_id, Requested.FORCED_LOGOUT, reason_code=reason_code, cause=cause)
        for login_id, mrd_id in subjects
    ]
