"""What the database may still do for a connection that is lost.

PostgreSQL notices it when it reads or writes: what was sent before may be read, and committed,
after the connection is gone.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection as _connection


def leave_lost() -> Callable[[], bool]:
    """Close this thread's connection; the next statement opens another.

    The result says whether the database still has the session of the one that was closed, even an
    idle one, which may not have read yet what it was sent. It asks by the new one, and raises
    DatabaseError. False if that cannot be said, as behind a pooler; SQLite has no sessions.
    """
    connection: Any = _connection
    session = connection.session() if hasattr(connection, "session") else 0
    connection.close()
    return lambda: bool(session) and connection.knows(session)
