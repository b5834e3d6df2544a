"""Sessions of PostgreSQL whose connections are dead though nothing says so.

What PostgreSQL does for a session is asked by another connection.
"""

from time import monotonic as _monotonic
from typing import Any

import psycopg

_STATE = (
    "SELECT pg_backend_pid(), (SELECT coalesce(state, '') FROM pg_stat_activity WHERE pid = %s)"
)
# A PostgreSQL that was started again gives the numbers to others, which began later.
_END = """
SELECT pid, pg_terminate_backend(pid)
FROM pg_stat_activity
JOIN unnest(%s::int[], %s::float8[]) AS gone (backend, seconds) ON pid = backend
WHERE backend_start < clock_timestamp() - make_interval(secs => seconds)
      AND state = ANY(%s) AND usename = current_user AND datname = current_database()
"""
IDLE = ("idle", "idle in transaction", "idle in transaction (aborted)")
"""What a session that has nothing to do is called in pg_stat_activity."""


class Dead:
    """What this process knows of connections that are dead though nothing says so."""

    def __init__(self) -> None:
        self._left: dict[int, float] = {}
        self._before = float("-inf")

    def leave(self, backend: int) -> None:
        """A connection was given up; if PostgreSQL is not told, its session stays for ever."""
        self._left[backend] = _monotonic()

    def look_into(self, connection: "psycopg.Connection[Any]") -> None:
        """End by a new connection the sessions that were left and have nothing to do: they have
        places among `max_connections`, and may have locks. Raises psycopg.Error."""
        left, self._left = self._left, {}
        if not left:
            return
        try:
            self._end(left, connection)
        except BaseException:
            # The next connection looks into them.
            self._left = {**left, **self._left}
            raise

    def _end(self, left: dict[int, float], connection: "psycopg.Connection[Any]") -> None:
        ((own,),) = connection.execute("SELECT pg_backend_pid()")
        # A pooler gives its own numbers to its clients.
        if own == connection.info.backend_pid:
            now = _monotonic()
            ages = [now - at for at in left.values()]
            for backend, _ in connection.execute(_END, [[*left], ages, [*IDLE]]):
                self.found(left[backend])
        connection.rollback()

    def found(self, at: float) -> None:
        """One was dead: those that were opened earlier have very likely come to the same end."""
        self._before = max(self._before, at)

    def may_include(self, opened_at: float) -> bool:
        return opened_at < self._before


dead = Dead()


def state_of(connection: "psycopg.Connection[Any]", backend: int) -> str | None:
    """What PostgreSQL does for that connection: empty if it does not say, None if it has no such.

    Raises psycopg.Error.
    """
    own, state = connection.execute(_STATE, [backend]).fetchone() or (0, "")
    # A pooler gives its own numbers to its clients.
    return state if own == connection.info.backend_pid else ""
