"""Reads the rows that a batch is about, and writes those that it has changed."""

from collections.abc import Collection, Iterable

from finesse.db.bulk import Among, BulkUpdate, keys
from finesse.db.statements import Placeholder, Statement
from finesse.users.models import User
from media.documents.user import desktop_of, with_desktops
from media.models import VOICE_MRD, Desktop, Media, MediaRequest
from media.states import Requested
from media.supervision_tables import WaitingChange
from media.writing.history import Key

update_media = BulkUpdate(
    Media,
    (
        "state",
        "state_change_time",
        "reason_code",
        "routable",
        "not_routable_next",
        "max_dialog_limit",
        "interrupt_action",
        "dialog_logout_action",
        "resume",
    ),
)
conclude = BulkUpdate(MediaRequest, ("outcome", "applied_at", "error", "position"))


def write_desktops(desktops: Collection[Desktop]) -> None:
    """Insert the new desktops and update the others."""
    if desktops:
        Desktop.objects.bulk_create(
            desktops,
            update_conflicts=True,
            unique_fields=["pk"],
            update_fields=["state", "state_change_time", "reason_code", "extension"],
        )


_MEDIA = Statement(
    lambda: (
        Media.objects.filter(Among("user", "mrd", Placeholder("keys")))
        .select_related("mrd", "reason_code")
        .order_by()
    )
)


def media_of(
    requests: Iterable[MediaRequest | WaitingChange], may_sign_out: Collection[str] = ()
) -> dict[Key, Media]:
    """The Media that the requests are about, and all Media of users who sign out of the desktop:
    who asks for it, and who `may_sign_out` as a consequence."""
    wanted = {(one.login_id, one.mrd_id) for one in requests if one.mrd_id is not None}
    signing_out = {*may_sign_out} | {
        one.login_id
        for one in requests
        if one.mrd_id is None and one.requested in {Requested.LOGOUT, Requested.FORCED_LOGOUT}
    }
    found = _MEDIA.all(keys=keys(wanted)) if wanted else []
    if signing_out:
        found += Media.objects.filter(user__in=signing_out).select_related("mrd", "reason_code")
    return {(media.user_id, media.mrd_id): media for media in found}


def users_of(requests: Iterable[MediaRequest | WaitingChange]) -> dict[str, User]:
    """The users whose desktops the requests are about, each with a desktop, saved or new."""
    login_ids = {one.login_id for one in requests if one.mrd_id is None}
    if not login_ids:
        return {}
    users = {user.pk: user for user in with_desktops(User.objects.filter(pk__in=login_ids))}
    for user in users.values():
        user.desktop = desktop_of(user)
    return users


def to_correct(requests: Iterable[MediaRequest]) -> set[Key]:
    """The Media and desktops whose reason is to be corrected."""
    return {
        (one.login_id, one.mrd_id or VOICE_MRD)
        for one in requests
        if one.requested == Requested.CORRECT_REASON
    }


def deactivated_of(requests: Iterable[MediaRequest]) -> set[str]:
    """The users who ask to sign in, and were deactivated after that was accepted."""
    signing_in = {one.login_id for one in requests if one.requested == Requested.LOGIN}
    if not signing_in:
        return set()
    inactive = User.objects.filter(pk__in=signing_in, is_active=False)
    return set(inactive.values_list("pk", flat=True))
