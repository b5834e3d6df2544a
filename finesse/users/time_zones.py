"""The time zone of the person who looks at a page: the one of the browser, which a cookie names.

Every page tells it by `users/time-zone.js`, the page for signing in included. A browser that has
not told it yet gets TIME_ZONE.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

COOKIE = "time_zone"
"""Holds a name of the IANA's list, such as Europe/Berlin."""
LONGEST = 64
"""Characters; the longest name has 38."""


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The zone of the browser that asks, or the one of TIME_ZONE."""
    named = zone_of_name(request.COOKIES.get(COOKIE, ""))
    return named or ZoneInfo(timezone.get_default_timezone_name())


def zone_of_name(name: str) -> ZoneInfo | None:
    """The zone of this name, as a client sends it; None if this machine knows no such zone."""
    if not name or len(name) > LONGEST:
        return None
    try:
        return ZoneInfo(name)
    # A name of no zone, of a folder of zones, or one that leads out of the list.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class TimeZoneMiddleware:
    """Shows all times of a page in the zone of the person who looks at it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_of(request)):
            return self.get_response(request)
