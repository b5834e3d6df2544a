"""Psycopg's connection, whose waits take what the thread's bound has left (`finesse.wait_limit`).

PostgreSQL's own timeouts do not help against a PostgreSQL that stands still, nor do TCP's while its
machine goes on. Within a long bound a connection that is silent is compared with a new one: by that
PostgreSQL says whether it is still busy for the silent one, or knows nothing of what was asked.
"""

import os
import select
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from time import monotonic as _monotonic
from typing import Any

import psycopg
from psycopg import OperationalError
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult

from finesse import wait_limit

MOST_CONNECTING = 64
"""Connections that one process opens at once within a bound."""
SILENT_SECONDS = 1.0
"""After so long without an answer a connection is compared with a new one, and again after twice as
long. Statements of a batch take a hundredth of it."""
COMPARISON_SECONDS = 1.0
"""For the new connection and its answer; if there is none, nothing is known."""
ON_ITS_WAY_SECONDS = 0.2
"""An answer that was sent when PostgreSQL was asked may take so long to arrive."""
_STATE = (
    "SELECT pg_backend_pid(), (SELECT coalesce(state, '') FROM pg_stat_activity WHERE pid = %s)"
)
_END = """
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid = ANY(%s) AND state = ANY(%s) AND usename = current_user AND datname = current_database()
"""
_IDLE = ("idle", "idle in transaction", "idle in transaction (aborted)")


@cache
def _connecting(process: int) -> ThreadPoolExecutor:
    """A forked child needs threads of its own."""
    return ThreadPoolExecutor(MOST_CONNECTING, thread_name_prefix="connect")


class _Dead:
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
        ((own,),) = connection.execute("SELECT pg_backend_pid()")
        # A pooler gives its own numbers to its clients.
        if own == connection.info.backend_pid:
            for backend, _ in connection.execute(_END, [[*left], [*_IDLE]]):
                self.found(left[backend])
        connection.rollback()

    def found(self, at: float) -> None:
        """One was dead: those that were opened earlier have very likely come to the same end."""
        self._before = max(self._before, at)

    def may_include(self, opened_at: float) -> bool:
        return opened_at < self._before


_dead = _Dead()


def _state(connection: "psycopg.Connection[Any]", backend: int) -> str | None:
    """What PostgreSQL does for that connection: empty if it does not say, None if it has no such.

    Raises psycopg.Error.
    """
    own, state = connection.execute(_STATE, [backend]).fetchone() or (0, "")
    # A pooler gives its own numbers to its clients.
    return state if own == connection.info.backend_pid else ""


def left() -> float | None:
    """Seconds to wait for PostgreSQL. Raises psycopg.OperationalError if there are none."""
    seconds = wait_limit.left(wait_limit.DATABASE)
    if seconds == 0:
        raise OperationalError("PostgreSQL stands still, or no time is left to wait for it")
    return seconds


class BoundedConnection(psycopg.Connection[Any]):
    """Is closed when a wait has exceeded the bound: the answer may still come."""

    opened_at = float("inf")
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
        return made

    @classmethod
    def _open_and_ask(cls, *args: Any, **options: Any) -> "BoundedConnection":
        made = cls._open(*args, **options)
        with wait_limit.bounded(COMPARISON_SECONDS, is_probe=True):
            _dead.look_into(made)
        return made

    @property
    def may_be_dead(self) -> bool:
        """Whether another one that was open at the same time was found dead."""
        return _dead.may_include(self.opened_at)

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        seconds = left()
        if seconds is None:
            return super().wait(gen, interval, timeout)
        if seconds > wait_limit.REQUEST_SECONDS:
            gen = self._compared(gen)
        try:
            with wait_limit.waiting():
                return super().wait(gen, interval, min(seconds, timeout or seconds))
        except OperationalError:
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
        _dead.leave(self.info.backend_pid)
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
                state = _state(other, self.info.backend_pid)
        except psycopg.Error:
            return False
        if state is not None and state not in _IDLE:
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
            _dead.found(self._began)
            self._connection.give_up()
            raise OperationalError("PostgreSQL has nothing to do for this connection: it is dead")
        self._pause *= 2
        self._due = _monotonic() + self._pause


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
