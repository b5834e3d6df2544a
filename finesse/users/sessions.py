"""Sessions in the database, which look up well-formed keys only."""

import re
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Refuses malformed keys without a query: PostgreSQL cannot compare text with a NUL."""

    def _validate_session_key(self, key: Any) -> bool:
        return bool(key) and re.fullmatch(r"[a-z0-9]{8,40}", key) is not None


def is_signed_in(key: str) -> bool:
    """Whether this is the key of a session in which a user has signed in. Raises DatabaseError."""
    return SESSION_KEY in SessionStore(key)
