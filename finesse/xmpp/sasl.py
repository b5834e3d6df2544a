"""SASL PLAIN (RFC 4616), as Finesse clients use it, with the passwords of the REST API."""

import base64
import binascii
from typing import TYPE_CHECKING

from finesse.users.password_checks import PasswordChecksOverrunError
from finesse.users.passwords import verify
from finesse.xmpp.addresses import domain, login_id_of

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

MECHANISM = "PLAIN"


class SASLError(Exception):
    """Sign-in failed, by a condition of RFC 6120, section 6.5."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


def parse_plain(encoded: str) -> tuple[str, str]:
    """User name and password of a response. Raises SASLError.

    The authorization identity must be empty, or the user's name or address: nobody may act as
    another user.
    """
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise SASLError("incorrect-encoding") from None
    parts = decoded.split("\0")
    if len(parts) != 3:
        raise SASLError("malformed-request")
    acting_as, name, password = parts
    if acting_as and _local(acting_as).lower() != _local(name).lower():
        raise SASLError("invalid-authzid")
    return _local(name), password


def sign_in(name: str, password: str, origin: str = "") -> "AbstractBaseUser":
    """Check the password as HTTP does, with the same cache, lock-out and limit of checks.

    Raises SASLError. It may block, so it must not run on an event loop.
    """
    try:
        # Unknown names are checked, too, so that the time does not tell which users exist.
        user = verify(login_id_of(name) or name, password, origin)
    except PasswordChecksOverrunError:
        raise SASLError("temporary-auth-failure") from None
    if user is None:
        raise SASLError("not-authorized")
    return user


def _local(name: str) -> str:
    """The user name of an address in this domain; any other text is taken as a user name."""
    local, at, host = name.rpartition("@")
    return local if at and host.lower() == domain().lower() else name
