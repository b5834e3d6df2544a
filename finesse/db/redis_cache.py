"""The cache's connections to Redis: one pool for the whole process."""

import threading
from typing import Any

from redis import ConnectionPool

_pools: dict[str, ConnectionPool] = {}
_lock = threading.Lock()


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
                _pools[url] = super().from_url(url, **options)
            return _pools[url]
