"""A Media and an MRD as Finesse shows them."""

from datetime import datetime
from typing import Any, NamedTuple

from finesse.api.xml import timestamp
from finesse.db.statements import Placeholder, Rows
from media.models import Media, MediaRoutingDomain, media_uri
from media.states import State
from reasoncodes.documents import represent_embedded
from reasoncodes.selection import SHOWN, ListedReasonCode

NO_REASON_CODE = -1
"""`reasonCodeId` when none is selected [Media API Parameters]."""


class ShownMRD(NamedTuple):
    """What a Media's document shows of its MRD."""

    id: int
    name: str
    description: str
    interruptible: bool


class ShownMedia(NamedTuple):
    """What a Media's document shows, where no models of it are needed."""

    uri: str
    state: str
    state_change_time: datetime | None
    routable: bool
    max_dialog_limit: int | None
    interrupt_action: str
    dialog_logout_action: str
    mrd: ShownMRD
    reason_code: ListedReasonCode | None


_OF_MEDIA = ShownMedia._fields[1:-2]
_COLUMNS = (
    "user",
    *_OF_MEDIA,
    *(f"mrd__{name}" for name in ShownMRD._fields),
    *(f"reason_code__{name}" for name in SHOWN),
)


def _made_of(user: str, *columns: Any) -> ShownMedia:
    columns, of_reason_code = columns[: -len(SHOWN)], columns[-len(SHOWN) :]
    of_media, of_mrd = columns[: len(_OF_MEDIA)], columns[len(_OF_MEDIA) :]
    mrd = ShownMRD(*of_mrd)
    # A Media that has no reason code has none of its columns.
    reason_code = ListedReasonCode(*of_reason_code) if of_reason_code[0] is not None else None
    return ShownMedia._make((media_uri(user, mrd.id), *of_media, mrd, reason_code))


_SHOWN = Rows(
    lambda: (
        Media.objects.filter(user=Placeholder("login_id"), mrd=Placeholder("mrd"))
        .order_by()
        .values_list(*_COLUMNS)
    ),
    _made_of,
)


def shown(login_id: str, mrd_id: int) -> ShownMedia | None:
    """This user's Media in this MRD, if there is one."""
    return _SHOWN.first(login_id=login_id, mrd=mrd_id)


def represent(media: Media | ShownMedia) -> dict[str, Any]:
    """The children of `<Media>` in the printed order, for every answer, notification and page."""
    mrd, reason_code = media.mrd, media.reason_code
    children: dict[str, Any] = {"uri": media.uri, "description": mrd.description}
    signed_in = media.state != State.LOGOUT
    # The options are reliable only while the user is signed in.
    if signed_in:
        children["dialogLogoutAction"] = media.dialog_logout_action
    children |= {"id": mrd.id, "interruptible": mrd.interruptible}
    if signed_in:
        children["maxDialogLimit"] = media.max_dialog_limit
    children["name"] = mrd.name
    if reason_code:
        children["ReasonCode"] = represent_embedded(reason_code)
    children |= {
        "reasonCodeId": reason_code.pk if reason_code else NO_REASON_CODE,
        "routable": media.routable,
        "state": media.state,
        "stateChangeTime": timestamp(media.state_change_time),
    }
    if signed_in:
        children["interruptAction"] = media.interrupt_action
    return children


def represent_non_member(uri: str, mrd: MediaRoutingDomain) -> dict[str, Any]:
    """The five children of `<Media>` for a user who is not assigned to the MRD."""
    return {
        "uri": uri,
        "description": mrd.description,
        "id": mrd.id,
        "interruptible": mrd.interruptible,
        "name": mrd.name,
    }


def represent_mrd(mrd: MediaRoutingDomain) -> dict[str, Any]:
    """The children of `<MediaDomain>`; no page shows them."""
    return {
        "uri": f"/finesse/api/MediaDomain/{mrd.pk}",
        "description": mrd.description,
        "id": mrd.pk,
        "interruptible": mrd.interruptible,
        "name": mrd.name,
    }
