"""Django's cache in Redis, by a client that is kept."""

from functools import cache
from typing import Any

from django.core.cache.backends import redis as django_redis
from redis import Redis


class RedisCacheClient(django_redis.RedisCacheClient):
    """Django makes a client for every call, which takes more CPU than the call itself
    (docs/performance.md); under ASGI every request would have a pool of its own, too."""

    _servers: list[str]
    _pool_options: dict[str, Any]

    def get_client(self, key: Any = None, *, write: bool = False) -> Redis:
        return _client(self._servers[0], **self._pool_options)


@cache
def _client(server: str, **options: Any) -> Redis:
    """One for the process: its pool knows of threads and of forks."""
    return Redis.from_url(server, **options)


class RedisCache(django_redis.RedisCache):
    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = RedisCacheClient
