"""The administration's site: what an address cannot mean is a client's mistake (400), not a 500.

Django's lists take lookups and ids from the address as they are; each kind of value that a database
refuses (a moment after the year 9999, a number of forty digits, a NUL) has an exception of its own.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig
from django.core.exceptions import BadRequest, FieldDoesNotExist, FieldError, ValidationError
from django.db import DataError
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

logger = logging.getLogger(__name__)

LONGEST_QUERY_STRING = 2_000
LONGEST_SEARCH = 200
"""Characters: from a thousand words on, SQLite refuses the statement."""
NEVER_OFFERED = frozenset({"regex", "iregex", "search", "range"})
"""Lookups of no filter: they take more than one value, or can keep a database busy for ever."""
UNUSABLE = (DataError, FieldDoesNotExist, FieldError, OverflowError, ValidationError, ValueError)


class AdminSite(admin.AdminSite):
    site_header = "Finesse Media administration"
    site_title = "Finesse Media"
    index_title = "What do you want to manage?"
    # The lists of requests and notifications need the width.
    enable_nav_sidebar = False

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # One page for everybody: agents have none of these.
        return redirect("password")

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_refuse_unusable(view), cacheable)


class AdminConfig(DjangoAdminConfig):
    default_site = "finesse.admin_site.AdminSite"


def _refuse_unusable(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if _is_out_of_bounds(request):
            raise BadRequest("The address asks for too much")
        try:
            return view(request, *args, **kwargs)
        except UNUSABLE as error:
            # It may be a mistake of ours all the same.
            logger.warning("Refused: %s %s", request.method, request.path, exc_info=True)
            raise BadRequest("The address or the form has an impossible value") from error

    return guarded


def _is_out_of_bounds(request: HttpRequest) -> bool:
    searches = (request.GET.get("q", ""), request.GET.get("term", ""))
    return (
        len(request.META.get("QUERY_STRING", "")) > LONGEST_QUERY_STRING
        or any(len(text) > LONGEST_SEARCH for text in searches)
        or any(key.split(LOOKUP_SEP)[-1] in NEVER_OFFERED for key in request.GET)
    )
