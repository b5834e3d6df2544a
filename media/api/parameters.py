"""Reads the parameters of a Media request; each mistake raises an error of the table."""

import re
from collections.abc import Collection

from django.db.models import TextChoices

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
from finesse.api.xml import Children, boolean, identifier
from finesse.users.models import User
from media.models import DialogLogoutAction, InterruptAction
from media.states import MEDIA_STATES, Options, Requested
from reasoncodes.models import ReasonCode
from reasoncodes.selection import selectable_by, selected_by


def read_requested(children: Children) -> Requested:
    """The requested state or mode; not both [Media—Change Agent to Routable/Not Routable].

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
    """The three options of a sign-in; dialogLogoutAction defaults to CLOSE [Media—Sign In].

    Raises FinesseError `Parameter Missing` or `Invalid Input`.
    """
    for name in ("maxDialogLimit", "interruptAction"):
        if not children.text(name):
            raise PARAMETER_MISSING(parameter=name)
    limit = children.text("maxDialogLimit")
    if not re.fullmatch(r"[1-9]|10", limit):
        raise PARAMETER_INVALID(parameter="maxDialogLimit", object="media")
    return Options(
        max_dialog_limit=int(limit),
        interrupt_action=_read_choice(children, "interruptAction", InterruptAction),
        dialog_logout_action=_read_choice(
            children, "dialogLogoutAction", DialogLogoutAction, DialogLogoutAction.CLOSE.value
        ),
    )


def _read_choice(
    children: Children, name: str, choices: type[TextChoices], default: str = ""
) -> str:
    text = children.text(name) or default
    if text not in choices:
        raise PARAMETER_INVALID(parameter=name, object="media")
    return text


def reason_code_id(children: Children) -> str:
    """The id of the reason code as it was sent; empty for none. Clients that always send the
    element send 0 for none, or the -1 that a GET shows."""
    text = children.text("reasonCodeId")
    return "" if text in {"0", "-1"} else text


def read_reason_code(children: Children, requested: Requested, user: User) -> ReasonCode | None:
    """The requested reason code [Media—Change Agent State with Reason Code].

    It is required if the user may choose any for this state. Ids are plain decimals: `0010` is not
    10. Raises FinesseError `Parameter Missing` or `Invalid Input`.
    """
    text = reason_code_id(children)
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
