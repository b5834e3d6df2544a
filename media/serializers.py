"""The one representation of a Media, and the reading of what clients send for one."""

import re
from collections.abc import Collection
from typing import Any

from finesse.api.errors import (
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    ROUTABLE_INVALID,
    STATE_AND_ROUTABLE,
    STATE_INVALID,
    STATE_MISSING,
)
from finesse.api.xml import Children, boolean, identifier, timestamp
from finesse.users.models import User
from media.models import DialogLogoutAction, InterruptAction, Media, MediaRoutingDomain
from media.states import MEDIA_STATES, Options, Requested, State
from reasoncodes.documents import represent_embedded
from reasoncodes.models import ReasonCode
from reasoncodes.selection import selectable_by, selected_by

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


def read_requested(children: Children) -> Requested:
    """A state or a mode, not both [Media—Change Agent to Routable/Not Routable].

    Raises FinesseError `Parameter Missing` or `Invalid Input`.
    """
    routable = children.text("routable")
    if not routable:
        if "routable" in children and not children.text("state"):
            raise PARAMETER_MISSING(parameter="routable")
        return read_state(children, MEDIA_STATES)
    if children.text("state"):
        raise STATE_AND_ROUTABLE()
    try:
        return Requested.ROUTABLE if boolean(routable) else Requested.NOT_ROUTABLE
    except ValueError:
        raise ROUTABLE_INVALID() from None


def read_state(children: Children, states: Collection[Requested]) -> Requested:
    """One of the states. Raises FinesseError `Parameter Missing` or `Invalid Input`."""
    text = children.text("state")
    if not text:
        raise STATE_MISSING()
    if text not in states:
        raise STATE_INVALID()
    return Requested(text)


def read_options(children: Children) -> Options:
    """The three options of a sign-in; dialogLogoutAction defaults to CLOSE [Media—Sign In]."""
    for name in ("maxDialogLimit", "interruptAction"):
        if not children.text(name):
            raise PARAMETER_MISSING(parameter=name)
    limit = children.text("maxDialogLimit")
    if not re.fullmatch(r"[1-9]|10", limit):
        raise PARAMETER_INVALID(parameter="maxDialogLimit", object="media")
    interrupt_action = children.text("interruptAction")
    if interrupt_action not in InterruptAction:
        raise PARAMETER_INVALID(parameter="interruptAction", object="media")
    logout_action = children.text("dialogLogoutAction") or DialogLogoutAction.CLOSE.value
    if logout_action not in DialogLogoutAction:
        raise PARAMETER_INVALID(parameter="dialogLogoutAction", object="media")
    return Options(
        max_dialog_limit=int(limit),
        interrupt_action=interrupt_action,
        dialog_logout_action=logout_action,
    )


def read_reason_code(children: Children, requested: Requested, user: User) -> ReasonCode | None:
    """The reason code that the rules of [Media—Change Agent State with Reason Code] ask for.

    Required when any that the user may choose is configured for the state; only ids in their
    plain decimal form are ids (`0010` is not 10).
    """
    text = children.text("reasonCodeId")
    if requested not in {Requested.NOT_READY, Requested.LOGOUT}:
        if text:
            raise REASON_CODE_NOT_ALLOWED()
        return None
    if not text:
        if selectable_by(user, requested.value):
            raise REASON_CODE_REQUIRED()
        return None
    reason_code = selected_by(user, requested.value, identifier(text))
    if reason_code is None:
        raise REASON_CODE_INVALID()
    return reason_code
