"""Statements that are prepared once a connection and executed past psycopg's cursors.

A cursor finds out anew for each execution whether the statement is prepared for values of these
types, and gives way to others between sending and receiving. Here a statement is prepared for what
PostgreSQL takes each value to be, and its answer is waited for: a third of the CPU
(docs/performance.md).
"""

import re
from collections.abc import Sequence
from itertools import count
from typing import Any

from psycopg import Connection, OperationalError, errors
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_PLACE = re.compile("%[s%]")
_OK = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}


class PreparedStatements:
    """Those of one connection, which belongs to one thread."""

    def __init__(self, connection: "Connection[Any]", cursor: Any) -> None:
        """The cursor is for what psycopg has to do itself."""
        self.connection = connection
        self._pgconn = connection.pgconn
        self._cursor = cursor
        self._transformer = Transformer(connection)
        self._names: dict[str, tuple[bytes, list[PyFormat]]] = {}

    def execute(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows, if there are any. Raises psycopg.Error."""
        pgconn = self._pgconn
        if not self.connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
            # Psycopg begins the transaction, and waits so that it can be interrupted: the first
            # statement of a transaction may be for a lock.
            self._cursor.execute(sql, values)
            return self._cursor.fetchall() if self._cursor.description else []
        name, formats = self._names.get(sql) or self._prepare(sql)
        transformer = self._transformer
        given: Sequence[Any] = transformer.dump_sequence(values, formats)
        result = pgconn.exec_prepared(name, given)
        self._check(result)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _prepare(self, sql: str) -> tuple[bytes, list[PyFormat]]:
        name, places = b"finesse_%d" % len(self._names), count(1)
        numbered = _PLACE.sub(lambda one: f"${next(places)}" if one[0] == "%s" else "%", sql)
        self._check(self._pgconn.prepare(name, numbered.encode()))
        # As text: what type each is, PostgreSQL has found out by itself.
        self._names[sql] = prepared = name, [PyFormat.TEXT] * (next(places) - 1)
        return prepared

    def _check(self, result: PGresult) -> None:
        if result.status in _OK:
            return
        if self._pgconn.status == ConnStatus.BAD:
            raise OperationalError(self._pgconn.get_error_message())
        raise errors.error_from_result(result)
