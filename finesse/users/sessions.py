"""Sessions in the database, for keys that could be one."""

import re
from typing import Any

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """Refuses at once what no session is called: PostgreSQL cannot even look a NUL up."""

    def _validate_session_key(self, key: Any) -> bool:
        return bool(key) and re.fullmatch(r"[a-z0-9]{8,40}", key) is not None
