"""Reads the parameters of a desktop's sign-in."""

import re

from finesse.api.errors import PARAMETER_INVALID, PARAMETER_MISSING
from finesse.api.xml import Children


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
