"""What lines of the log say of a request by HTTP that is served."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from finesse.api.views import request_id_of
from finesse.log_context import MRD, REQUEST_ID, USER

LONGEST_MRD = 10
"""Digits."""


class Served:
    """A request. Its fields are read when a line is written, not before."""

    __slots__ = ("_request",)

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def log_fields(self) -> Mapping[str, object]:
        request: Any = self._request
        match = request.resolver_match
        mrd = match.kwargs.get("mrd_id", "") if match else ""
        return {
            REQUEST_ID: request_id_of(request),
            USER: _known_user(request),
            # A path may hold anything, the end of a line, too.
            MRD: mrd if mrd.isdecimal() and len(mrd) <= LONGEST_MRD else "",
        }


def _known_user(request: Any) -> str:
    """The login id of the user who asks; empty until that is known."""
    # A page's `user` asks the database at its first use. Where it has, the answer is kept beside.
    user = request.__dict__.get("_cached_user") or request.__dict__.get("user")
    return str(user.pk) if issubclass(type(user), AbstractBaseUser) else ""
