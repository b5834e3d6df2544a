"""Psycopg's connection, whose waits take what the thread's bound has left (`finesse.wait_limit`).

PostgreSQL's own timeouts do not help against a PostgreSQL that stands still, nor do TCP's while its
machine goes on. Within a long bound a connection that is silent is compared with a new one: by that
PostgreSQL says whether it is still busy for the silent one, or knows nothing of what was asked.
"""

import contextlib
import os
import select
import socket
import struct
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from time import monotonic as _monotonic
from typing import Any

import psycopg
from psycopg import OperationalError
from psycopg.pq import TransactionStatus

from finesse import wait_limit
from finesse.db.postgresql.dead_sessions import IDLE, dead, state_of

MOST_CONNECTING = 64
"""Connections that one process opens at once within a bound."""
SILENT_SECONDS = 1.0
"""After so long without an answer a connection is compared with a new one, and again after twice as
long. Statements of a batch take a hundredth of it."""
COMPARISON_SECONDS = 1.0
"""For the new connection and its answer; if there is none, nothing is known."""
ON_ITS_WAY_SECONDS = 0.2
"""An answer that was sent when PostgreSQL was asked may take so long to arrive."""
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@cache
def _connecting(process: int) -> ThreadPoolExecutor:
    """A forked child needs threads of its own."""
    return ThreadPoolExecutor(MOST_CONNECTING, thread_name_prefix="connect")


def left() -> float | None:
    """Seconds to wait for PostgreSQL. Raises psycopg.OperationalError if there are none."""
    seconds = wait_limit.left(wait_limit.DATABASE)
    if seconds == 0:
        raise OperationalError("PostgreSQL stands still, or no time is left to wait for it")
    return seconds


def drop_undelivered(connection: socket.socket) -> None:
    """When this is closed the system forgets what has not arrived yet.

    By itself it goes on sending that: when a broken network is mended, PostgreSQL would save a
    request that was answered 503.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)


class BoundedConnection(psycopg.Connection[Any]):
    """Is closed when a wait has exceeded the bound: the answer may still come."""

    opened_at = float("inf")
    session = 0
    """PostgreSQL's number for it, also when it is closed."""
    _sends_nothing = False
    _given: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    @classmethod
    def connect(cls, *args: Any, **options: Any) -> "BoundedConnection":
        seconds = left()
        if seconds is None:
            return cls._open(*args, **options)
        # In a thread, which ends after `connect_timeout`: Psycopg's own is two seconds or more.
        attempt = _connecting(os.getpid()).submit(cls._open_and_ask, *args, **options)
        try:
            with wait_limit.waiting():
                return attempt.result(seconds)
        except FutureTimeoutError:
            attempt.add_done_callback(_close)
            raise OperationalError("PostgreSQL does not accept a connection in time") from None

    @classmethod
    def _open(cls, *args: Any, **options: Any) -> "BoundedConnection":
        made = super().connect(*args, **options)
        made._given, made.opened_at = (args, options), _monotonic()
        made.session = made.info.backend_pid
        return made

    @classmethod
    def _open_and_ask(cls, *args: Any, **options: Any) -> "BoundedConnection":
        made = cls._open(*args, **options)
        try:
            with wait_limit.bounded(COMPARISON_SECONDS, is_probe=True):
                dead.look_into(made)
        except BaseException:
            made.close()
            raise
        return made

    @property
    def may_be_dead(self) -> bool:
        """Whether another one that was open at the same time was found dead."""
        return dead.may_include(self.opened_at)

    def set_autocommit(self, value: bool) -> None:
        # PostgreSQL is not asked. Without this, a commit that took all the time would be reported
        # as failed, and a connection that was opened at the last moment would stay without it.
        self._sends_nothing = True
        try:
            super().set_autocommit(value)
        finally:
            self._sends_nothing = False

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        seconds = None if self._sends_nothing else left()
        if seconds is None:
            return super().wait(gen, interval, timeout)
        if seconds > wait_limit.REQUEST_SECONDS:
            gen = self._compared(gen)
        try:
            with wait_limit.waiting():
                return super().wait(gen, interval, min(seconds, timeout or seconds))
        except BaseException:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.give_up()
            raise

    def _compared(self, gen: Any) -> Generator[Any, Any, Any]:
        """As this generator of Psycopg's, which is resumed with nothing while it waits."""
        silence = Silence(self)
        try:
            wanted = next(gen)
            while True:
                if ready := (yield wanted):
                    silence.end()
                elif silence.left() <= 0:
                    silence.compare()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def give_up(self) -> None:
        """Close this connection, which has not answered in time or may be dead."""
        if self.closed:
            return
        dead.leave(self.session)
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.fileno())) as same:
            drop_undelivered(same)
        self.close()

    def is_dead(self) -> bool:
        """Whether PostgreSQL does nothing for this connection, which waits for an answer, and none
        is on its way. False if that cannot be said. Within a bound of its own."""
        if self._given is None:
            return False
        args, options = self._given
        try:
            with (
                wait_limit.bounded(COMPARISON_SECONDS, is_probe=True),
                type(self).connect(*args, **options) as other,
            ):
                state = state_of(other, self.info.backend_pid)
        except psycopg.Error:
            return False
        if state is not None and state not in IDLE:
            return False
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        return not poll.poll(ON_ITS_WAY_SECONDS * 1000)


def _close(attempt: "Future[BoundedConnection]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


class Silence:
    """How long a connection that was asked something has been silent, and what that means."""

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self._pause = SILENT_SECONDS
        self._began = _monotonic()
        self._due = self._began + self._pause

    def left(self) -> float:
        """Seconds until the next comparison."""
        return self._due - _monotonic()

    def end(self) -> None:
        """Something has come."""
        self._began = _monotonic()
        self._due = self._began + self._pause

    def compare(self) -> None:
        """Raises psycopg.OperationalError if the connection is dead, and closes it."""
        if self._connection.is_dead():
            dead.found(self._began)
            self._connection.give_up()
            raise OperationalError("PostgreSQL has nothing to do for this connection: it is dead")
        self._pause *= 2
        self._due = _monotonic() + self._pause
