"""The cache's connections to Redis: one pool for the whole process, and waits that have a bound."""

import threading
from typing import Any

from redis import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from finesse import wait_limit

_pools: dict[str, ConnectionPool] = {}
_lock = threading.Lock()


class _Bounded:
    """A connection whose waits take what the thread's bound has left (`finesse.wait_limit`)."""

    socket_connect_timeout: Any

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
        seconds = _left()
        if seconds is None:
            return super().read_response(*args, **options)  # type: ignore[misc]
        with wait_limit.waiting():
            return super().read_response(*args, timeout=seconds, **options)  # type: ignore[misc]


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

    @classmethod
    def from_url(cls, url: str, **options: Any) -> ConnectionPool:  # type: ignore[override]
        """The process's pool for this address, with the options of the first caller."""
        with _lock:
            if url not in _pools:
                kind = parse_url(url).get("connection_class", Connection)  # type: ignore[no-untyped-call]
                # One more attempt, for a connection that Redis has closed. By itself redis-py
                # makes three, after timeouts, too, with pauses in between.
                retry: Any = Retry(NoBackoff(), 1, (RedisConnectionError,))
                given = {"connection_class": _BOUNDED[kind], "retry": retry, **options}
                _pools[url] = super().from_url(url, **given)
            return _pools[url]
