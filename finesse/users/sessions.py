"""Sessions in the database: whose they are, since when, and which keys are looked up at all."""

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from time import monotonic
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions import middleware
from django.contrib.sessions.backends import db
from django.db import DatabaseError, InterfaceError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from finesse.client_networks import origin_of_request
from finesse.users.models import BrowserSession, User

SIGN_IN = "sign_in"
"""The session's key of how its user signed in; it outlives the change of a session's own key."""
SEEN_SECONDS = 60
"""So often at most a session is noted as seen."""
MOST_NOTED = 50_000
"""Sessions of which one process knows when it has noted them; beyond it forgets all of them."""

_noted: dict[str, float] = {}


class SessionStore(db.SessionStore):
    """Refuses malformed keys without a query: PostgreSQL cannot compare text with a NUL."""

    def _validate_session_key(self, key: Any) -> bool:
        return bool(key) and re.fullmatch(r"[a-z0-9]{8,40}", key) is not None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        session = cast(BrowserSession, super().create_model_instance(data))
        sign_in = data.get(SIGN_IN, {})
        session.user_id = data.get(SESSION_KEY)
        session.since = parse_datetime(sign_in["since"]) if sign_in else None
        session.last_seen = timezone.now()
        session.origin = sign_in.get("origin", "")
        session.browser = sign_in.get("browser", "")
        return session


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, **kwargs: Any) -> None:
    request.session[SIGN_IN] = {
        "since": timezone.now().isoformat(),
        "origin": origin_of_request(request.META),
        "browser": request.META.get("HTTP_USER_AGENT", "").replace("\0", "")[:200],
    }


class SessionMiddleware(middleware.SessionMiddleware):
    """Django's, which also notes that a session is in use, and leaves a newer cookie alone."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> Any:
        session = request.session
        if session.accessed and session.session_key and SESSION_KEY in session:
            # The view has saved what it had to: its answer does not depend on this.
            with suppress(DatabaseError, InterfaceError):
                note_used([session.session_key])
        answer = super().process_response(request, response)
        if answer.status_code == HTTPStatus.UNAUTHORIZED or request.method in {"GET", "HEAD"}:
            # Another tab asked with a key that a new one replaces just now: to take the cookie away
            # would sign out the browser. Sessions are ended by a POST.
            cookie = answer.cookies.get(settings.SESSION_COOKIE_NAME)
            if cookie is not None and cookie["max-age"] == 0:
                del answer.cookies[settings.SESSION_COOKIE_NAME]
        return answer


def note_used(keys: Collection[str]) -> None:
    """These sessions are in use. Cheap enough for each request. Raises DatabaseError."""
    long_ago = monotonic() - SEEN_SECONDS
    keys = [key for key in keys if _noted.get(key, long_ago) <= long_ago]
    if not keys:
        return
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted.update(dict.fromkeys(keys, monotonic()))
    now = timezone.now()
    stale = BrowserSession.objects.filter(last_seen__lt=now - timedelta(seconds=SEEN_SECONDS))
    stale.filter(pk__in=keys).update(last_seen=now)


def is_signed_in(key: str) -> bool:
    """Whether this is the key of a session in which a user has signed in. Raises DatabaseError."""
    return SESSION_KEY in SessionStore(key)


def user_of_session(key: str | None) -> User | None:
    """The user who is signed in by the session with this key, and may be. Raises DatabaseError.

    For requests that have no session middleware.
    """
    request: Any = _Request(SessionStore(key))
    user = get_user(request)
    return user if isinstance(user, User) else None


class _Request:
    """As much of a request as Django needs to find out whose session it is."""

    def __init__(self, session: SessionStore) -> None:
        self.session = session
