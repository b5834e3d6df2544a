"""The cache in Redis: one pool of connections for the process, whatever becomes of them."""

import asyncio
import os
import socket
import threading
import warnings
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache, caches
from redis import ConnectionPool
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError

pytestmark = pytest.mark.skipif(not settings.REDIS_URL, reason="In memory there are no connections")


def pool() -> ConnectionPool:
    pool: ConnectionPool = cache._cache._get_connection_pool(write=True)  # type: ignore[attr-defined]
    return pool


def idle() -> list[Any]:
    """The connections that nobody uses at this moment."""
    connections: list[Any] = pool()._available_connections  # type: ignore[attr-defined]
    return connections


def only_connection() -> Any:
    pool().disconnect()
    cache.get("anything")
    return idle()[-1]


def test_threads_that_come_and_go_share_their_connections() -> None:
    only_connection()
    pools, before = {pool()}, len(idle())

    def ask() -> None:
        assert cache.get("anything") is None
        pools.add(pool())

    for _ in range(10):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert pools == {pool()}
    assert len(idle()) == before


async def test_requests_under_asgi_share_their_connections() -> None:
    """Each has a context of its own, and with it a cache object of its own."""
    made: list[Any] = []

    def serve() -> ConnectionPool:
        made.append(caches["default"])
        return pool()

    pools = [
        await asyncio.create_task(sync_to_async(serve, thread_sensitive=False)()) for _ in range(3)
    ]
    assert len({id(one) for one in made}) == 3
    assert len(set(pools)) == 1


def test_a_connection_that_was_ended_is_opened_again() -> None:
    cache.set("number", 41)
    for _ in range(2):
        only_connection()._sock.shutdown(socket.SHUT_RDWR)
        assert cache.get("number") == 41


def test_what_may_have_been_counted_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.set("number", 41)
    client = cache._cache.get_client()  # type: ignore[attr-defined]
    read = AbstractConnection.read_response

    def lose(connection: Any, *args: Any, **options: Any) -> Any:
        read(connection, *args, **options)
        raise RedisConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(AbstractConnection, "read_response", lose)
        with pytest.raises(RedisConnectionError):
            client.incr(cache.make_key("number"))
    assert cache.get("number") == 42


def test_nobody_gets_the_answer_to_a_command_that_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache.set_many({"mine": "my answer", "yours": "your answer"})
    connection = only_connection()

    def interrupted(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(connection._parser, "read_response", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cache.get("mine")
    assert cache.get("yours") == "your answer"


def test_a_child_process_does_not_speak_on_its_parents_connection() -> None:
    mine = only_connection()
    with warnings.catch_warnings():
        # Later versions of Python warn of a fork beside threads; nothing else runs in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        failed = True
        try:
            cache.get("anything")
            failed = mine in idle() or not idle()
        finally:
            os._exit(failed)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    cache.get("anything")
    assert mine in idle()
