"""The engine's connection; Django looks for it in a module of this name."""

from datetime import UTC
from time import monotonic as _monotonic
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property
from psycopg import adapters
from psycopg.errors import IdleInTransactionSessionTimeout
from psycopg.pq import Format

from finesse import wait_limit
from finesse.db.postgresql.connection import BoundedConnection
from finesse.db.postgresql.dead_sessions import state_of
from finesse.db.postgresql.prepared import PreparedStatements
from finesse.process_name import process_name

_DATETIME_LOADER: Any = adapters.get_loader(adapters.types["timestamptz"].oid, Format.TEXT)
UNCHECKED_SECONDS = 1.0
"""After so many seconds without a statement a connection is checked before it is used."""


class _UTCLoader:
    """Psycopg's own loader of timestamps, under the name that Django asks for.

    Psycopg's is in C. Django's is in Python, since it serves every time zone: one timestamp takes
    it as long as all other columns of a Media together.
    """

    timezone = UTC
    format = Format.TEXT

    def __new__(cls, *arguments: Any) -> Any:
        return _DATETIME_LOADER(*arguments)


class _ErrorWrapper(DatabaseErrorWrapper):
    """Raises OperationalError when PostgreSQL has ended the session of a process that stood still.

    To Psycopg that is an InternalError: the statement would seem to be to blame.
    """

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, IdleInTransactionSessionTimeout):
            self.wrapper.errors_occurred = True  # type: ignore[attr-defined]
            raise OperationalError(*error.args) from error
        super().__exit__(kind, error, traceback)


class _Psycopg:
    """Psycopg, as Django knows it by this name, but with connections of ours."""

    connect = staticmethod(BoundedConnection.connect)

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks a connection before use, unless it was used within `UNCHECKED_SECONDS`.

    With CONN_HEALTH_CHECKS Django sends `SELECT 1` before each request, which is one in five
    statements of a PUT. If a connection dies within `UNCHECKED_SECONDS` of its last use, one
    request is answered 503 and closes it; the next request opens another.
    """

    Database: Any = _Psycopg()
    _used_at = 0.0
    _prepared: PreparedStatements | None = None

    def connect(self) -> None:
        """Open a connection, or none: what Django could not set up has no autocommit, and what is
        written by it would be gone with its session. Raises DatabaseError."""
        try:
            super().connect()
        except BaseException:
            self.close()
            raise

    def close_if_health_check_failed(self) -> None:
        now = _monotonic()
        was_idle = now - self._used_at >= UNCHECKED_SECONDS
        self._used_at = now
        # In a transaction a check has no place, and while a connection is being opened it would
        # begin one. Psycopg knows; Django's own flag is still that of the connection before.
        if self.connection is None or not self.connection.autocommit:
            return
        if self.connection.may_be_dead:
            # A check would wait for the answer that others have waited for.
            self.connection.give_up()
            self.close()
        elif was_idle:
            self.health_check_done = False
            super().close_if_health_check_failed()

    def session(self) -> int:
        """PostgreSQL's number for this connection, which may be broken; 0 without one."""
        number: int = self.connection.session if self.connection is not None else 0
        return number

    def knows(self, session: int) -> bool:
        """Whether PostgreSQL still has that session of a connection before.

        False if it does not say, as behind a pooler. Raises DatabaseError.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            return bool(state_of(self.connection, session))

    def is_usable(self) -> bool:
        # Always within a bound: it is also asked before and after a request.
        with wait_limit.bounded():
            return super().is_usable()

    def get_connection_params(self) -> dict[str, Any]:
        # A name that an operator has given, in DATABASE_URL, stays.
        return {"application_name": process_name(), **super().get_connection_params()}

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", _UTCLoader)
        return connection

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _ErrorWrapper(self)

    def schema_editor(self, *args: Any, **kwargs: Any) -> Any:
        # A migration may take its time, and wait for what has begun before it.
        with self.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute("SET lock_timeout = 0")
        return super().schema_editor(*args, **kwargs)

    def prepared_statements(self) -> PreparedStatements | None:
        """Ready for the next statement; None if one of Django's cursors has to execute it.

        That is so when somebody wants to see each statement, and for the first of a transaction.
        Raises DatabaseError.
        """
        if not settings.FINESSE_PREPARED_STATEMENTS or self.execute_wrappers or self.queries_logged:
            return None
        # As every cursor does.
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()
        if self._prepared is None or self._prepared.connection is not self.connection:
            # One that was given up has no socket any more.
            with self.wrap_database_errors:
                self._prepared = PreparedStatements(self.connection)
        if not self._prepared.is_in_transaction():
            return self._prepared
        # Django's own flag: outside a transaction, whatever the session says.
        if self.autocommit:
            # A 202 would be for a row that nobody commits.
            was_closed = self.connection.closed
            self.close()
            raise OperationalError(
                "The connection was given up"
                if was_closed
                else "The session was in a transaction that nobody has begun"
            )
        return None if self._prepared.begins_transaction() else self._prepared
