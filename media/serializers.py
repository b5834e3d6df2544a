"""The one representation of a Media, and the reading of what clients send for one."""

import re
from typing import Any

from finesse.api.codec import Tree, timestamp
from finesse.api.errors import (
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    STATE_INVALID,
    STATE_MISSING,
)
from finesse.users.models import User
from media.models import DialogLogoutAction, InterruptAction, Media, MediaRoutingDomain
from media.states import Options, Requested, State
from reasoncodes.models import ReasonCode

NO_REASON_CODE = -1
"""`reasonCodeId` when none is selected [Media API Parameters]."""
_MAX_BIGINT = 2**63 - 1


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
        children["ReasonCode"] = {
            "category": reason_code.category,
            "code": reason_code.code,
            "forAll": reason_code.for_all,
            "id": reason_code.pk,
            "label": reason_code.label,
            "uri": reason_code.uri,
        }
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


def read_state(children: dict[str, Tree]) -> Requested:
    """Raises FinesseError `Parameter Missing` or `Invalid Input`."""
    text = _text(children, "state")
    if not text:
        raise STATE_MISSING()
    try:
        return Requested(text)
    except ValueError:
        raise STATE_INVALID() from None


def read_options(children: dict[str, Tree]) -> Options:
    """The three options of a sign-in; dialogLogoutAction defaults to CLOSE [Media—Sign In]."""
    for name in ("maxDialogLimit", "interruptAction"):
        if not _text(children, name):
            raise PARAMETER_MISSING(parameter=name)
    limit = _text(children, "maxDialogLimit")
    if not re.fullmatch(r"[1-9]|10", limit):
        raise PARAMETER_INVALID(parameter="maxDialogLimit")
    interrupt_action = _text(children, "interruptAction")
    if interrupt_action not in InterruptAction:
        raise PARAMETER_INVALID(parameter="interruptAction")
    logout_action = _text(children, "dialogLogoutAction") or DialogLogoutAction.CLOSE.value
    if logout_action not in DialogLogoutAction:
        raise PARAMETER_INVALID(parameter="dialogLogoutAction")
    return Options(
        max_dialog_limit=int(limit),
        interrupt_action=interrupt_action,
        dialog_logout_action=logout_action,
    )


def read_reason_code(
    children: dict[str, Tree], requested: Requested, user: User
) -> ReasonCode | None:
    """The reason code that the rules of [Media—Change Agent State with Reason Code] ask for.

    Required when any that the user may choose is configured for the state; only ids in their
    plain decimal form are ids (`0010` is not 10).
    """
    text = _text(children, "reasonCodeId")
    if requested not in {Requested.NOT_READY, Requested.LOGOUT}:
        if text:
            raise REASON_CODE_NOT_ALLOWED()
        return None
    selectable = ReasonCode.objects.selectable_by(user, requested.value)
    if not text:
        if selectable.exists():
            raise REASON_CODE_REQUIRED()
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,18}", text) or int(text) > _MAX_BIGINT:
        raise REASON_CODE_INVALID()
    reason_code = selectable.filter(pk=int(text)).first()
    if reason_code is None:
        raise REASON_CODE_INVALID()
    return reason_code


def _text(children: dict[str, Tree], name: str) -> str:
    value = children.get(name, "")
    # Elements where a text belongs are not an empty text.
    return value if isinstance(value, str) else "<>"
