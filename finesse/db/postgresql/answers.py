"""Answers to what was sent past Psycopg's cursors, awaited within the thread's bound."""

import select
from time import monotonic as _monotonic
from typing import Any

from psycopg import OperationalError
from psycopg.pq.abc import PGresult

from finesse import wait_limit
from finesse.db.postgresql.connection import BoundedConnection, Silence


class Answers:
    """The answers of one connection to what was sent past Psycopg's cursors, within a bound."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self._pgconn: Any = connection.pgconn
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def next(self, seconds: float) -> PGresult:
        """The last result of what was sent. Raises psycopg.OperationalError."""
        with wait_limit.waiting():
            return self._next(_monotonic() + seconds, self._silence(seconds))

    def _silence(self, seconds: float) -> Silence | None:
        """Within a request's bound there is no time to find out why."""
        return Silence(self._connection) if seconds > wait_limit.REQUEST_SECONDS else None

    def _next(self, deadline: float, silence: Silence | None) -> PGresult:
        pgconn = self._pgconn
        self._send_the_rest(deadline, silence)
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                self._await(deadline, silence)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                return results[-1]
            results.append(result)

    def _send_the_rest(self, deadline: float, silence: Silence | None) -> None:
        while self._pgconn.flush():
            self._poll.modify(self._pgconn.socket, select.POLLIN | select.POLLOUT)
            try:
                self._await(deadline, silence)
            finally:
                self._poll.modify(self._pgconn.socket, select.POLLIN)
            self._pgconn.consume_input()

    def _await(self, deadline: float, silence: Silence | None) -> None:
        while silence is not None and silence.left() < deadline - _monotonic():
            # At least a moment: a busy machine may let this thread run when the answer is there.
            if self._poll.poll(max(1.0, silence.left() * 1000)):
                silence.end()
                return
            silence.compare()
        if not self._poll.poll(max(1.0, (deadline - _monotonic()) * 1000)):
            wait_limit.count(wait_limit.REQUEST_SECONDS)
            self._connection.give_up()
            raise OperationalError("PostgreSQL does not answer in time")
