"""Statements that are prepared once for each connection and executed without psycopg's cursors.

A cursor decides for each execution whether a statement is prepared for values of these types, and
runs as a generator between sending and receiving. Here PostgreSQL decides the types when it
prepares the statement, and the thread waits for the answer (docs/performance.md has the gain).
"""

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

from psycopg import OperationalError, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from finesse.db.postgresql.answers import Answers
from finesse.db.postgresql.connection import BoundedConnection, left

_PLACEHOLDER = re.compile("%[s%]")
_OK = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}


class PreparedStatements:
    """The prepared statements of one connection, which belongs to one thread."""

    def __init__(self, connection: BoundedConnection) -> None:
        self.connection = connection
        self._pgconn = connection.pgconn
        self._answers = Answers(connection)
        self._transformer = Transformer(connection)
        self._numbers = count()
        # The name of each statement, and the format of each value: text, since PostgreSQL knows
        # the types.
        self._prepared: dict[str, tuple[bytes, list[PyFormat]]] = {}

    def is_in_transaction(self) -> bool:
        """Whether the next statement waits for a commit."""
        # Libpq's number, not the enum's member.
        status = self._pgconn.transaction_status
        return status != TransactionStatus.IDLE or not self.connection.autocommit

    def begins_transaction(self) -> bool:
        """Whether the next statement begins a transaction, which only psycopg can do."""
        status = self._pgconn.transaction_status
        return not self.connection.autocommit and status == TransactionStatus.IDLE

    def execute(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows, if there are any. Cannot be interrupted, but ends at the thread's bound
        (`finesse.wait_limit`). Raises psycopg.Error."""
        name, formats = self._prepared.get(sql) or self._prepare(sql)
        transformer = self._transformer
        given: Sequence[Any] = transformer.dump_sequence(values, formats)
        seconds = left()
        if seconds is None:
            result = self._pgconn.exec_prepared(name, given)
        else:
            self._pgconn.send_query_prepared(name, given)
            result = self._answers.next(seconds)
        try:
            self._check(result)
        except (errors.FeatureNotSupported, errors.InvalidSqlStatementName):
            # A migration has changed the columns, or a pooler has lost the statement: the next
            # execution prepares it again.
            self._prepared.pop(sql, None)
            raise
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _prepare(self, sql: str) -> tuple[bytes, list[PyFormat]]:
        name, places = b"finesse_%d" % next(self._numbers), count(1)
        numbered = _PLACEHOLDER.sub(lambda one: f"${next(places)}" if one[0] == "%s" else "%", sql)
        seconds = left()
        if seconds is None:
            result = self._pgconn.prepare(name, numbered.encode())
        else:
            self._pgconn.send_prepare(name, numbered.encode())
            result = self._answers.next(seconds)
        self._check(result)
        self._prepared[sql] = prepared = name, [PyFormat.TEXT] * (next(places) - 1)
        return prepared

    def _check(self, result: PGresult) -> None:
        if result.status in _OK:
            return
        if self._pgconn.status == ConnStatus.BAD:
            raise OperationalError(self._pgconn.get_error_message())
        raise errors.error_from_result(result)
