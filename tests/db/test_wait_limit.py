"""Waits have a bound that they share, whatever is waited for, and none where nobody set one."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from finesse import wait_limit
from finesse.db import redis_cache
from finesse.notifications.models import LogHead
from tests.kit.proxy_between import Between

BOUND_SECONDS = 0.3
LONG_SECONDS = 5.0
"""Much longer than the bound, and less than any wait without one."""
on_services = pytest.mark.skipif("REDIS_URL" not in os.environ, reason="Needs services to wait for")


@pytest.fixture(autouse=True)
def nothing_stands_still() -> Iterator[None]:
    wait_limit.standing_still.clear()
    yield
    wait_limit.standing_still.clear()


# --- the bound ------------------------------------------------------------------------------------


def test_waits_share_the_bound_and_short_ones_do_not_count() -> None:
    assert wait_limit.left(wait_limit.CACHE) is None
    with wait_limit.bounded(1.0):
        for _ in range(100):
            wait_limit.count(wait_limit.UNCOUNTED_SECONDS)
        assert wait_limit.left(wait_limit.CACHE) == 1.0
        wait_limit.count(0.75)
        assert wait_limit.left(wait_limit.DATABASE) == 0.25
        wait_limit.count(0.75)
        assert wait_limit.left(wait_limit.DATABASE) == 0
    wait_limit.count(0.75)
    assert wait_limit.left(wait_limit.CACHE) is None


def test_a_bound_within_another_ends_with_either() -> None:
    with wait_limit.bounded(2.0):
        with wait_limit.bounded(1.0):
            wait_limit.count(0.75)
            assert wait_limit.left(wait_limit.CACHE) == 0.25
        assert wait_limit.left(wait_limit.CACHE) == 1.25
        with wait_limit.bounded(5.0):
            assert wait_limit.left(wait_limit.CACHE) == 1.25


def test_what_stands_still_is_not_waited_for_except_by_a_probe_and_without_a_bound() -> None:
    wait_limit.standing_still.add(wait_limit.CACHE)
    assert wait_limit.left(wait_limit.CACHE) is None
    with wait_limit.bounded(1.0):
        assert wait_limit.left(wait_limit.CACHE) == 0
        assert wait_limit.left(wait_limit.DATABASE) == 1.0
        with wait_limit.bounded(1.0, is_probe=True):
            assert wait_limit.left(wait_limit.CACHE) == 1.0


def test_each_thread_has_its_own_bound() -> None:
    seen: list[float | None] = []
    with wait_limit.bounded(1.0):
        thread = threading.Thread(target=lambda: seen.append(wait_limit.left(wait_limit.CACHE)))
        thread.start()
        thread.join()
    assert seen == [None]


# --- PostgreSQL -----------------------------------------------------------------------------------


@pytest.fixture
def proxy(db: None) -> Iterator[Between]:
    made = Between(os.environ["DATABASE_URL"])
    yield made
    made.end()


@pytest.fixture
def wrapper(proxy: Between) -> Iterator[Any]:
    """Django's connection to the tests' database, by the proxy."""
    port = proxy.url.rpartition(":")[2].partition("/")[0]
    given = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": port}
    made = type(connections["default"])(given, alias="proxied")
    made.ensure_connection()
    yield made
    proxy.go_on()
    made.close()


def select(wrapper: Any) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]


def prepared(wrapper: Any, sql: str = "SELECT 1", *values: Any) -> Any:
    with wrapper.wrap_database_errors:
        return wrapper.prepared_statements().execute(sql, values)[0][0]


def connect_anew(wrapper: Any) -> None:
    wrapper.close()
    wrapper.ensure_connection()


STEPS: list[Callable[[Any], Any]] = [select, prepared, connect_anew]


@on_services
@pytest.mark.parametrize("step", STEPS)
def test_a_wait_for_postgresql_ends_at_the_bound(
    wrapper: Any, proxy: Between, step: Callable[[Any], Any]
) -> None:
    assert prepared(wrapper) == 1
    proxy.stand_still()
    begin = time.monotonic()
    with wait_limit.bounded(BOUND_SECONDS):
        with pytest.raises(OperationalError):
            step(wrapper)
        # The answer that may still come is nobody's: this one is used no more.
        assert not wrapper.is_usable()
        # And no other wait takes the bound anew.
        for other in STEPS:
            with pytest.raises(OperationalError):
                other(wrapper)
    assert time.monotonic() - begin < LONG_SECONDS
    proxy.go_on()
    wrapper.close()
    with wait_limit.bounded():
        assert (select(wrapper), prepared(wrapper)) == (1, 1)


@on_services
def test_a_commit_that_is_not_answered_ends_at_the_bound(wrapper: Any, proxy: Between) -> None:
    wrapper.set_autocommit(False)
    assert select(wrapper) == 1
    proxy.stand_still()
    begin = time.monotonic()
    with wait_limit.bounded(BOUND_SECONDS), pytest.raises(OperationalError):
        wrapper.commit()
    assert time.monotonic() - begin < LONG_SECONDS


@on_services
def test_a_check_of_the_connection_is_bounded_where_nothing_else_is(
    wrapper: Any, proxy: Between
) -> None:
    proxy.stand_still()
    begin = time.monotonic()
    assert not wrapper.is_usable()
    assert time.monotonic() - begin < LONG_SECONDS


@on_services
@pytest.mark.parametrize("step", [select, prepared])
def test_without_a_bound_the_answer_is_waited_for(
    wrapper: Any, proxy: Between, step: Callable[[Any], Any]
) -> None:
    """As a worker does: its statement goes on when PostgreSQL does."""
    found: list[Any] = []
    wrapper.inc_thread_sharing()
    proxy.stand_still()
    thread = threading.Thread(target=lambda: found.append(step(wrapper)))
    thread.start()
    thread.join(2 * BOUND_SECONDS)
    assert thread.is_alive()
    proxy.go_on()
    thread.join(30)
    assert found == [1]


@on_services
def test_what_fills_the_sockets_buffers_is_sent_within_a_bound(wrapper: Any) -> None:
    text = "x" * 8_000_000
    with wait_limit.bounded(60):
        assert prepared(wrapper, "SELECT length(%s::text)", text) == len(text)
        assert prepared(wrapper, "SELECT %s::text", text) == text


@on_services
def test_an_error_within_a_bound_is_the_statements_own(wrapper: Any) -> None:
    with wait_limit.bounded():
        with pytest.raises(ProgrammingError):
            prepared(wrapper, "SELECT nothing")
        assert prepared(wrapper) == 1


# --- SQLite ---------------------------------------------------------------------------------------


@pytest.mark.skipif("REDIS_URL" in os.environ, reason="PostgreSQL has locks of rows")
@pytest.mark.django_db(transaction=True)
def test_a_request_does_not_wait_for_a_lock_for_as_long_as_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wait_limit, "REQUEST_SECONDS", BOUND_SECONDS)
    refused: list[float] = []

    def write() -> None:
        begin = time.monotonic()
        try:
            with wait_limit.bounded(), pytest.raises(OperationalError, match="locked"):
                LogHead.objects.update(status="anything")
            refused.append(time.monotonic() - begin)
        finally:
            connection.close()

    with transaction.atomic():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join(30)
    assert refused[0] < LONG_SECONDS


# --- Redis ----------------------------------------------------------------------------------------


@on_services
def test_waits_for_redis_end_at_the_bound_and_are_not_repeated() -> None:
    proxy = Between(os.environ["REDIS_URL"])
    pool = redis_cache.ProcessConnectionPool.from_url(proxy.url, socket_timeout=30)
    client = Redis(connection_pool=pool)
    try:
        with wait_limit.bounded():
            client.get("anything")
        proxy.stand_still()
        for is_connected in (True, False):
            if not is_connected:
                pool.disconnect()
            begin = time.monotonic()
            with wait_limit.bounded(BOUND_SECONDS):
                for _ in range(3):
                    with pytest.raises(RedisTimeoutError):
                        client.get("anything")
            assert time.monotonic() - begin < LONG_SECONDS
        proxy.go_on()
        with wait_limit.bounded():
            client.get("anything")
    finally:
        pool.disconnect()
        redis_cache._pools.pop(proxy.url)
        proxy.end()
