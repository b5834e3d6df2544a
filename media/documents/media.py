"""A Media and an MRD as Finesse shows them."""

from typing import Any

from finesse.api.xml import timestamp
from media.models import Media, MediaRoutingDomain
from media.states import State
from reasoncodes.documents import represent_embedded

NO_REASON_CODE = -1
"""`reasonCodeId` when none is selected [Media API Parameters]."""


def represent(media: Media) -> dict[str, Any]:
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
