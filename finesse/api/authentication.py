"""HTTP Basic, as Finesse clients send it with every request [Client Requests]."""

import base64
import binascii
from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from finesse.api.errors import AUTHENTICATION_FAILURE
from finesse.client_networks import origin_of_request
from finesse.presence import stamps
from finesse.users.passwords import verify

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser


def parse_basic(header: str) -> tuple[str, str] | None:
    """Login id and password of an `Authorization: Basic` header; None if it is not one."""
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = _text(base64.b64decode(encoded.strip(), validate=True))
    except (binascii.Error, ValueError):
        return None
    login_id, colon, password = decoded.partition(":")
    # PostgreSQL cannot compare text with a NUL, and no login id or password contains one.
    if not colon or "\0" in decoded:
        return None
    return login_id, password


def _text(credentials: bytes) -> str:
    """UTF-8, as the challenge asks for, or else ISO-8859-1, which many clients send [RFC 7617, B].

    Like DRF's own authentication. No credentials are refused for their encoding: each byte is a
    character of ISO-8859-1.
    """
    try:
        return credentials.decode()
    except UnicodeDecodeError:
        return credentials.decode("latin-1")


class BasicAuthentication(BaseAuthentication):
    """Raises FinesseError `Authentication Failure` for wrong credentials."""

    def authenticate(self, request: Request) -> "tuple[AbstractBaseUser, None] | None":
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        credentials = parse_basic(header)
        origin = origin_of_request(request.META)
        user = verify(*credentials, origin) if credentials else None
        if user is None:
            raise AUTHENTICATION_FAILURE(user=credentials[0] if credentials else "")
        stamps.heard(user.pk)
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="Finesse", charset="UTF-8"'
