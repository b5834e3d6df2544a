"""What the database still does for a connection that is lost.

PostgreSQL does not notice that while it works: what was sent before may be committed after the
connection is gone.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection as _connection


def leave_lost() -> Callable[[], bool]:
    """Close this thread's connection; the next statement opens another.

    The result says whether the database still works for the one that was closed. It asks by the
    new one, and raises DatabaseError. False if that cannot be said, as behind a pooler; SQLite ends
    its work with the connection.
    """
    connection: Any = _connection
    session = connection.session() if hasattr(connection, "session") else 0
    connection.close()
    return lambda: bool(session) and connection.is_busy_with(session)
