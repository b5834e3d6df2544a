"""Django's cache in Redis, by a client that is kept."""

import os
import threading
from functools import cache
from typing import Any

from django.core.cache.backends import redis as django_redis
from redis import ConnectionError as RedisConnectionError
from redis import Redis, ResponseError


class KeptConnections(Redis):
    """A client of which each thread keeps a connection for its commands.

    The client's own way takes one from the pool for every command, asks whether it still lives,
    keeps statistics and is prepared to try again: half of a command's CPU (docs/performance.md).
    It is the way of a command whose connection turns out to have been closed.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._of_thread = threading.local()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        kept: _Kept | None = getattr(self._of_thread, "kept", None)
        # A child of this process has inherited the connection, but must not speak on it.
        if kept is None or kept.connection.pid != os.getpid():
            # Not by way of the pool, which counts those that it has made and not those that ended.
            pool = self.connection_pool
            kept = _Kept(pool.connection_class(**pool.connection_kwargs))
            self._of_thread.kept = kept
        connection = kept.connection
        try:
            connection.send_command(*args)
            return self.parse_response(connection, args[0], **options)  # type: ignore[no-untyped-call]
        except RedisConnectionError:
            if args[0] == "INCRBY":
                # It may have been done: better not counted than counted twice.
                raise
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError:
            raise
        except BaseException:
            # The answer is still to come, and whoever asks next must not get it.
            connection.disconnect()
            raise


class _Kept:
    """A connection that ends with its thread, not when the collector comes by: it is its own
    parser's and its parser is its own."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.disconnect()


class RedisCacheClient(django_redis.RedisCacheClient):
    """Django makes a client for every call, which takes more CPU than the call itself
    (docs/performance.md); under ASGI every request would have a pool of its own, too."""

    _servers: list[str]
    _pool_options: dict[str, Any]

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:
        return _client(self._servers[0], **self._pool_options)


@cache
def _client(server: str, **options: Any) -> Redis:
    """One for the process."""
    return KeptConnections.from_url(server, **options)


class RedisCache(django_redis.RedisCache):
    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = RedisCacheClient

    def validate_key(self, key: str) -> None:
        """Any key will do. Django would warn of those that memcached does not take."""
