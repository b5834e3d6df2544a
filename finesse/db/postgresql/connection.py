"""Psycopg's connection, whose waits take what the thread's bound has left (`finesse.wait_limit`).

PostgreSQL's own timeouts do not help against a PostgreSQL that stands still, nor do TCP's while its
machine goes on.
"""

import select
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from time import monotonic as _monotonic
from typing import Any

import psycopg
from psycopg import OperationalError
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult

from finesse import wait_limit

MOST_CONNECTING = 64
"""Connections that one process opens at once within a bound."""
_connecting = ThreadPoolExecutor(MOST_CONNECTING, thread_name_prefix="connect")


def left() -> float | None:
    """Seconds to wait for PostgreSQL. Raises psycopg.OperationalError if there are none."""
    seconds = wait_limit.left(wait_limit.DATABASE)
    if seconds == 0:
        raise OperationalError("PostgreSQL stands still, or no time is left to wait for it")
    return seconds


class BoundedConnection(psycopg.Connection[Any]):
    """Is closed when a wait has exceeded the bound: the answer may still come."""

    @classmethod
    def connect(cls, *args: Any, **options: Any) -> "BoundedConnection":
        seconds = left()
        if seconds is None:
            return super().connect(*args, **options)
        # In a thread, which ends after `connect_timeout`: Psycopg's own is two seconds or more.
        attempt = _connecting.submit(super().connect, *args, **options)
        try:
            with wait_limit.waiting():
                return attempt.result(seconds)
        except FutureTimeoutError:
            attempt.add_done_callback(_close)
            raise OperationalError("PostgreSQL does not accept a connection in time") from None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        seconds = left()
        if seconds is None:
            return super().wait(gen, interval, timeout)
        try:
            with wait_limit.waiting():
                return super().wait(gen, interval, min(seconds, timeout or seconds))
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def _close(attempt: "Future[BoundedConnection]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


class Answers:
    """The answers of one connection to what was sent past Psycopg's cursors, within a bound."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        self._pgconn: Any = connection.pgconn
        self._poll = select.poll()
        self._poll.register(self._pgconn.socket, select.POLLIN)

    def next(self, seconds: float) -> PGresult:
        """The last result of what was sent. Raises psycopg.OperationalError."""
        pgconn = self._pgconn
        begin = _monotonic()
        self._send_the_rest(begin + seconds)
        results: list[PGresult] = []
        while True:
            while pgconn.is_busy():
                self._await(begin + seconds)
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:
                wait_limit.count(_monotonic() - begin)
                return results[-1]
            results.append(result)

    def _send_the_rest(self, deadline: float) -> None:
        while self._pgconn.flush():
            self._poll.modify(self._pgconn.socket, select.POLLIN | select.POLLOUT)
            try:
                self._await(deadline)
            finally:
                self._poll.modify(self._pgconn.socket, select.POLLIN)
            self._pgconn.consume_input()

    def _await(self, deadline: float) -> None:
        # At least a moment: a busy machine may let this thread run when the answer is long there.
        if not self._poll.poll(max(1.0, (deadline - _monotonic()) * 1000)):
            wait_limit.count(wait_limit.REQUEST_SECONDS)
            self._connection.close()
            raise OperationalError("PostgreSQL does not answer in time")
