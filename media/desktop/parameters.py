"""Reads the parameters of a desktop's sign-in and sign-out."""

import re

from finesse.api.errors import PARAMETER_INVALID, PARAMETER_MISSING
from finesse.api.xml import Children, boolean
from media.states import Requested


def read_extension(children: Children) -> str:
    """The extension of the agent's telephone; newer clients name a device instead [User—Sign In to
    Finesse].

    Raises FinesseError `Parameter Missing` or `Invalid Input`.
    """
    extension = children.text("extension")
    if not extension and not children.text("activeDeviceId"):
        raise PARAMETER_MISSING(parameter="extension")
    if not re.fullmatch(r"[A-Za-z0-9+*#._-]{0,32}", extension):
        raise PARAMETER_INVALID(parameter="extension", object="user")
    return extension


def read_logout_all_media(children: Children, requested: Requested) -> bool | None:
    """Whether to sign out of all MRDs along with the desktop; None if the request does not say. No
    page has the element, several clients send it.

    Raises FinesseError `Invalid Input`.
    """
    text = children.text("logoutAllMedia")
    if not text or requested is not Requested.LOGOUT:
        return None
    try:
        return boolean(text)
    except ValueError:
        raise PARAMETER_INVALID(parameter="logoutAllMedia", object="user") from None
