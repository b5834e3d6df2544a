"""HTTP Basic, as Finesse clients send it with every request [Client Requests], and the session of a
browser for our own pages."""

import base64
import binascii
from copy import copy
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from finesse.api.errors import AUTHENTICATION_FAILURE, PAGE_NOT_PROVED
from finesse.client_networks import origin_of_request
from finesse.presence import stamps
from finesse.users.passwords import verify
from finesse.users.sessions import note_used, user_of_session

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

BASIC_CHALLENGE = 'Basic realm="Finesse", charset="UTF-8"'
PAGE_CHALLENGE = 'Session realm="Finesse"'
"""No browser knows this scheme, so none shows a dialog of its own: the page asks to sign in."""


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
        # A browser that is asked for Basic asks its user, and sends the answer from then on.
        return PAGE_CHALLENGE if claims_page(request) else BASIC_CHALLENGE


class PageAuthentication(BaseAuthentication):
    """The browser's session, for the scripts of our own pages.

    A browser sends the cookie with requests of other people's pages, too. So the request has to
    have Django's CSRF token in a header, a GET as well: an origin that CORS allows must not read
    by somebody's cookie. Raises FinesseError `Forbidden` if the token or the origin is wrong.
    """

    def authenticate(self, request: Request) -> "tuple[AbstractBaseUser, None] | None":
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if not key or request.META.get("HTTP_AUTHORIZATION"):
            return None
        if request.method in SAFE_METHODS and not claims_page(request):
            # Somebody has typed the address: the browser is to ask for the password.
            return None
        if not _is_of_our_page(request):
            raise PAGE_NOT_PROVED()
        user = user_of_session(key)
        if user is None:
            return None
        note_used([key])
        stamps.heard(user.pk)
        return user, None


def claims_page(request: Request) -> bool:
    """Whether the request says that a script of our own pages has sent it."""
    return settings.CSRF_HEADER_NAME in request.META and not request.META.get("HTTP_AUTHORIZATION")


def _is_of_our_page(request: Request) -> bool:
    """Django's check of token, Origin and Referer.

    As if it were a PUT: Django checks no GET, and would look into the body of a POST.
    """
    as_put = copy(request)
    as_put.method = "PUT"
    check = CSRFCheck(_no_view)
    check.process_request(as_put)
    return check.process_view(as_put, _no_view, (), {}) is None


def _no_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
