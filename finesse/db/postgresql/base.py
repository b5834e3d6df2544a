"""The engine's connection; Django looks for it in a module of this name."""

import time
from datetime import UTC
from typing import Any

from django.db.backends.postgresql import base
from psycopg import adapters
from psycopg.pq import Format

from finesse.db.postgresql.prepared import PreparedStatements

_MOMENTS: Any = adapters.get_loader(adapters.types["timestamptz"].oid, Format.TEXT)
IDLE = 1.0
"""Seconds without a statement after which a connection may have died without a word."""


class _UTCLoader:
    """Psycopg's own loader of moments, in C where it has that, under the name that Django asks for.

    Django's is written in Python, since it serves every time zone: for one moment it takes as long
    as all other columns of a Media together.
    """

    timezone = UTC
    format = Format.TEXT

    def __new__(cls, *arguments: Any) -> Any:
        return _MOMENTS(*arguments)


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks a connection before its use in a request or a task, but one that was used just now.

    With CONN_HEALTH_CHECKS Django asks `SELECT 1` before each request, which is one in five
    statements of a PUT. Who meets a connection that has died within `IDLE` is told 503, and the
    next one finds that it has failed and opens another.
    """

    _used_at = 0.0
    _prepared: PreparedStatements | None = None

    def close_if_health_check_failed(self) -> None:
        now = time.monotonic()
        was_idle = now - self._used_at >= IDLE
        self._used_at = now
        # Neither in a transaction nor while it is being opened, where a question would begin one:
        # psycopg knows, Django's flag says what the connection before was.
        if was_idle and self.connection is not None and self.connection.autocommit:
            self.health_check_done = False
            super().close_if_health_check_failed()

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", _UTCLoader)
        return connection

    def prepared_statements(self) -> PreparedStatements:
        """Of the connection as it is open now; whoever keeps them has to see when it is not.

        Raises DatabaseError.
        """
        self.ensure_connection()
        if self._prepared is None or self._prepared.connection is not self.connection:
            self._prepared = PreparedStatements(self.connection)
        return self._prepared
