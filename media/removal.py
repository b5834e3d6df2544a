"""Signs users out of what they are about to lose: a Media, or with the user all of them and the
desktop. Their rows go in the same transaction; requests and history stay, and say why."""

from django.db.models import QuerySet

from media.models import Cause, Media
from media.writing.requests import sign_outs, sign_outs_of
from media.writing.writer import apply_at_once
from reasoncodes.system_codes import FORCE_LOGOUT


def sign_out_removed_media(media: "QuerySet[Media]") -> None:
    """These users are being taken out of these MRDs."""
    apply_at_once(sign_outs_of(media, cause=Cause.REMOVED, code=FORCE_LOGOUT))


def sign_out_deleted_user(login_id: str) -> None:
    apply_at_once(sign_outs([login_id], cause=Cause.DELETED, code=FORCE_LOGOUT))
