"""The cache's connections to Redis: one pool for the whole process, and waits that have a bound.

A connection that is silent is compared with a new one. Redis does one thing after the other: if it
has answered a question that came later, it never got the first one, or its answer is lost.
"""

import contextlib
import threading
from time import monotonic as _monotonic
from typing import Any

from redis import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from finesse import wait_limit

SILENT_SECONDS = 0.5
"""After so long without an answer a connection is compared with a new one. Redis answers within a
hundredth of it."""
COMPARISON_SECONDS = 0.5
"""For the new connection and its answer; if there is none, nothing is known."""
ON_ITS_WAY_SECONDS = 0.2
"""An answer that was sent when Redis was asked may take so long to arrive."""

_pools: dict[str, ConnectionPool] = {}
_lock = threading.Lock()

_dead_before = float("-inf")


def dead_before() -> float:
    """When this process has last found a connection to Redis dead, by the monotonic clock. Those
    that were opened earlier have very likely come to the same end."""
    return _dead_before


def _found_dead(pool: ConnectionPool) -> None:
    global _dead_before
    _dead_before = _monotonic()
    pool.disconnect(inuse_connections=False)


class _Bounded:
    """A connection whose waits take what the thread's bound has left (`finesse.wait_limit`)."""

    socket_connect_timeout: Any
    socket_timeout: Any
    pool: "ProcessConnectionPool | None" = None

    def connect(self) -> None:
        seconds, longest = _left(), self.socket_connect_timeout
        if seconds is None:
            super().connect()  # type: ignore[misc]
            return
        self.socket_connect_timeout = min(longest, seconds)
        try:
            with wait_limit.waiting():
                super().connect()  # type: ignore[misc]
        finally:
            self.socket_connect_timeout = longest

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        _left()
        super().send_packed_command(*args, **options)  # type: ignore[misc]

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return self._read_in_time(*args, **options)
        except ResponseError:
            raise
        except BaseException:
            # Kept in the pool, the next question would get the answer that was not read.
            self.disconnect()  # type: ignore[attr-defined]
            raise

    def _read_in_time(self, *args: Any, **options: Any) -> Any:
        bound = _left()
        seconds = self.socket_timeout if bound is None else bound
        with wait_limit.waiting():
            if self.pool is None or seconds is None or seconds <= SILENT_SECONDS:
                return self._read(*args, **{"timeout": seconds, **options})
            begin = _monotonic()
            first = {**options, "timeout": SILENT_SECONDS, "disconnect_on_error": False}
            with contextlib.suppress(RedisTimeoutError):
                return self._read(*args, **first)
            if not self.pool.is_answered():
                rest = max(ON_ITS_WAY_SECONDS, begin + seconds - _monotonic())
                return self._read(*args, **{**options, "timeout": rest})
            try:
                return self._read(*args, **{**options, "timeout": ON_ITS_WAY_SECONDS})
            except RedisTimeoutError:
                _found_dead(self.pool)
                raise

    def _read(self, *args: Any, **options: Any) -> Any:
        return super().read_response(*args, **options)  # type: ignore[misc]


def _left() -> float | None:
    """Raises redis's TimeoutError if there is no time left."""
    seconds = wait_limit.left(wait_limit.CACHE)
    if seconds == 0:
        raise RedisTimeoutError("The cache stands still, or no time is left to wait for it")
    return seconds


class _BoundedConnection(_Bounded, Connection):
    pass


class _BoundedSSLConnection(_Bounded, SSLConnection):
    pass


class _BoundedUnixConnection(_Bounded, UnixDomainSocketConnection):
    pass


_BOUNDED = {
    Connection: _BoundedConnection,
    SSLConnection: _BoundedSSLConnection,
    UnixDomainSocketConnection: _BoundedUnixConnection,
}


class ProcessConnectionPool(ConnectionPool):
    """The `pool_class` of Django's own cache backend (CACHES, OPTIONS).

    Django makes a cache object for each thread, and under ASGI for each request and each socket.
    By itself every one of them would have a pool, and open a connection that nothing closes.
    """

    def make_connection(self) -> Any:
        made: Any = super().make_connection()
        made.pool = self
        return made

    def is_answered(self) -> bool:
        """Whether Redis answers a new connection, within a bound of its own."""
        other = self.connection_class(**self.connection_kwargs)
        try:
            with wait_limit.bounded(COMPARISON_SECONDS, is_probe=True):
                other.send_command("PING")
                other.read_response()
        except (RedisConnectionError, RedisTimeoutError):
            return False
        finally:
            other.disconnect()
        return True

    @classmethod
    def from_url(cls, url: str, **options: Any) -> ConnectionPool:  # type: ignore[override]
        """The process's pool for this address, with the options of the first caller."""
        with _lock:
            if url not in _pools:
                kind = parse_url(url).get("connection_class", Connection)  # type: ignore[no-untyped-call]
                made = {
                    "connection_class": _BOUNDED[kind],
                    # Nothing is sent twice. By itself redis-py makes three more attempts, after
                    # timeouts, too, with pauses in between.
                    "retry": Retry(NoBackoff(), 0),
                    # Before redis-py hands a connection out it looks whether Redis has closed it,
                    # or has sent an answer that nobody has read. By protocol 3 it does not: any
                    # data might be a push.
                    "protocol": 2,
                }
                _pools[url] = super().from_url(url, **{**made, **options})
            return _pools[url]
