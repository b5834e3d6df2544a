"""Waits have a bound that they share, whatever is waited for, and none where nobody set one."""

import asyncio
import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, ProgrammingError, connection, connections, transaction
from psycopg import OperationalError as PsycopgOperationalError
from psycopg.pq import TransactionStatus
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from finesse import wait_limit
from finesse.db import redis_cache
from finesse.db.postgresql import connection as postgresql
from finesse.db.postgresql.connection import BoundedConnection
from finesse.db.postgresql.dead_sessions import Dead
from finesse.notifications.models import LogHead
from finesse.notifications.transports import channels
from tests.faults.proxy import Network
from tests.kit.proxy_between import Between

BOUND_SECONDS = 0.3
LONG_SECONDS = 15.0
"""Much longer than the bound, and less than any wait without one."""
AMPLE_SECONDS = 60.0
"""For what has to come: a busy machine may take longer for it than a request is given."""
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


def select(wrapper: Any, sql: str = "SELECT 1") -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(sql)
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
    with wait_limit.bounded(AMPLE_SECONDS):
        assert (select(wrapper), prepared(wrapper)) == (1, 1)


@on_services
def test_what_was_sent_to_a_silent_postgresql_does_not_arrive_later(
    wrapper: Any, proxy: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepared(wrapper) == 1
    at_close = []
    close = BoundedConnection.close

    def closing(connection: BoundedConnection) -> None:
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            at_close.append(same.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        close(connection)

    proxy.stand_still()
    with monkeypatch.context() as patched, wait_limit.bounded(BOUND_SECONDS):
        patched.setattr(BoundedConnection, "close", closing)
        with pytest.raises(OperationalError):
            prepared(wrapper)
    # tests/faults/test_wire.py has what that does.
    assert at_close == [struct.pack("ii", 1, 0)]


@on_services
def test_a_commit_that_is_not_answered_ends_at_the_bound(wrapper: Any, proxy: Between) -> None:
    wrapper.set_autocommit(False)
    assert select(wrapper) == 1
    proxy.stand_still()
    begin = time.monotonic()
    with wait_limit.bounded(BOUND_SECONDS), pytest.raises(OperationalError):
        wrapper.commit()
    assert time.monotonic() - begin < LONG_SECONDS


def spending(bound: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but it leaves no time for what comes after it."""

    def slow(*args: Any) -> Any:
        done = bound(*args)
        wait_limit.count(LONG_SECONDS)
        return done

    return slow


@on_services
@pytest.mark.parametrize("step", ["get_new_connection", "init_connection_state"])
def test_a_connection_that_was_opened_too_late_keeps_no_transaction_open(
    wrapper: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What is written by it later would be gone with its session, though it was accepted."""
    wrapper.close()
    with monkeypatch.context() as patched:
        patched.setattr(wrapper, step, spending(getattr(wrapper, step)))
        with wait_limit.bounded(), contextlib.suppress(OperationalError):
            connect_anew(wrapper)
    with wait_limit.bounded(AMPLE_SECONDS):
        assert select(wrapper) == 1
        assert wrapper.connection.info.transaction_status == TransactionStatus.IDLE
        assert prepared(wrapper) == 1
        assert wrapper.connection.info.transaction_status == TransactionStatus.IDLE


@on_services
def test_a_connection_that_cannot_be_set_up_is_not_used(
    wrapper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError

    wrapper.close()
    with monkeypatch.context() as patched:
        patched.setattr(wrapper, "init_connection_state", fail)
        with pytest.raises(OperationalError):
            wrapper.ensure_connection()
    assert wrapper.connection is None


@on_services
def test_a_transaction_whose_commit_takes_all_the_time_is_over(
    wrapper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections._settings, "proxied", wrapper.settings_dict)  # type: ignore[misc]
    monkeypatch.setattr(connections._connections, "proxied", wrapper, raising=False)
    monkeypatch.setattr(wrapper, "commit", spending(wrapper.commit))
    with wait_limit.bounded(), transaction.atomic("proxied"):
        assert select(wrapper) == 1
    assert wrapper.connection.autocommit
    assert wrapper.connection.info.transaction_status == TransactionStatus.IDLE


@on_services
def test_nothing_is_written_into_a_transaction_that_nobody_has_begun(wrapper: Any) -> None:
    """Whatever has left it open: nobody would commit it."""
    wrapper.connection.execute("BEGIN")
    with pytest.raises(OperationalError, match="transaction"):
        prepared(wrapper)
    assert prepared(wrapper) == 1
    assert wrapper.connection.info.transaction_status == TransactionStatus.IDLE


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
def test_a_forked_child_connects_within_a_bound() -> None:
    url = os.environ["DATABASE_URL"]
    # The threads that connect for this process are not copied.
    with wait_limit.bounded(AMPLE_SECONDS):
        BoundedConnection.connect(url).close()
    child = os.fork()
    if child == 0:
        try:
            with wait_limit.bounded(LONG_SECONDS):
                BoundedConnection.connect(url).close()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# --- connections that are dead, and nobody says so ------------------------------------------------


@pytest.fixture
def network(db: None) -> Iterator[Network]:
    made = Network(os.environ["DATABASE_URL"])
    yield made
    made.end()


@contextmanager
def by(network: Network) -> Iterator[Any]:
    """Another of Django's connections to the tests' database, by the proxy."""
    port = network.url.rpartition(":")[2].partition("/")[0]
    given = {**connection.settings_dict, "HOST": "127.0.0.1", "PORT": port}
    made = type(connections["default"])(given, alias="proxied")
    made.ensure_connection()
    yield made
    made.close()


@pytest.fixture
def few_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed soon."""
    monkeypatch.setattr(postgresql, "SILENT_SECONDS", BOUND_SECONDS)
    monkeypatch.setattr(postgresql, "dead", Dead())


@on_services
@pytest.mark.usefixtures("few_moments")
@pytest.mark.parametrize("step", [select, prepared])
def test_a_dead_connection_is_given_up_long_before_the_bound(
    network: Network, step: Callable[[Any], Any]
) -> None:
    with by(network) as wrapper, wait_limit.bounded(60):
        assert (select(wrapper), prepared(wrapper)) == (1, 1)
        network.forget()
        with pytest.raises(OperationalError, match="dead"):
            step(wrapper)
        # The time until then was a wait, and no more than a part of the bound.
        left = wait_limit.left(wait_limit.DATABASE)
        assert left is not None
        assert 60 - LONG_SECONDS < left < 60
        wrapper.close()
        assert step(wrapper) == 1


@on_services
@pytest.mark.usefixtures("few_moments")
@pytest.mark.parametrize("sql", ["SELECT 1 FROM pg_sleep(1.5)"])
@pytest.mark.parametrize("step", [select, prepared])
def test_a_statement_that_takes_long_is_not_taken_for_a_dead_connection(
    network: Network, step: Callable[..., Any], sql: str
) -> None:
    with by(network) as wrapper, wait_limit.bounded(60):
        first = wrapper.connection
        assert step(wrapper, sql) == 1
        assert wrapper.connection is first


@on_services
@pytest.mark.usefixtures("few_moments")
@pytest.mark.parametrize("step", [select, prepared])
def test_a_postgresql_that_stands_still_is_waited_for(
    network: Network, step: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new connection gets no answer, either: nothing is known."""
    monkeypatch.setattr(postgresql, "COMPARISON_SECONDS", BOUND_SECONDS)
    compared = threading.Event()
    is_dead = BoundedConnection.is_dead

    def asked(connection: BoundedConnection) -> bool:
        found = is_dead(connection)
        compared.set()
        network.go_on()
        return found

    monkeypatch.setattr(BoundedConnection, "is_dead", asked)
    with by(network) as wrapper, wait_limit.bounded(60):
        network.stand_still()
        assert step(wrapper) == 1
    assert compared.is_set()


@on_services
@pytest.mark.usefixtures("few_moments")
def test_when_one_was_dead_others_that_were_open_then_are_replaced_before_their_use(
    network: Network,
) -> None:
    with by(network) as first, by(network) as second:
        network.forget()
        # As the watch of a server does it: it gives up, and connects anew.
        with wait_limit.bounded(BOUND_SECONDS), pytest.raises(OperationalError):
            select(first)
        assert not second.connection.may_be_dead
        first.close()
        with wait_limit.bounded(AMPLE_SECONDS):
            assert select(first) == 1
            assert second.connection.may_be_dead
            assert not first.connection.may_be_dead
            assert select(second) == 1


@on_services
@pytest.mark.usefixtures("few_moments")
def test_sessions_of_dead_connections_are_ended(network: Network) -> None:
    """PostgreSQL is not told, either: each would keep a place, and its locks."""
    with by(network) as first, by(network) as second:
        left = [one.connection.info.backend_pid for one in (first, second)]
        network.forget()
        with wait_limit.bounded(60), pytest.raises(OperationalError, match="dead"):
            select(first)
        first.close()
        with wait_limit.bounded(AMPLE_SECONDS):
            assert select(second) == 1
        second.close()
        with wait_limit.bounded(AMPLE_SECONDS):
            for one in (first, second):
                assert one.connection is None
                one.ensure_connection()
            sql = "SELECT count(*)::int FROM pg_stat_activity WHERE pid = ANY(%s)"
            deadline = time.monotonic() + LONG_SECONDS
            while prepared(first, sql, left) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert prepared(first, sql, left) == 0


@on_services
def test_a_session_that_began_later_is_not_taken_for_one_that_was_left(network: Network) -> None:
    """A PostgreSQL that was started again gives the same numbers to others."""
    sessions = Dead()
    with by(network) as other, by(network) as new:
        sessions._left[other.connection.info.backend_pid] = time.monotonic() - 3600
        sessions.look_into(new.connection)
        assert select(other) == 1


@on_services
def test_sessions_that_could_not_be_ended_are_ended_by_the_next_connection(
    network: Network,
) -> None:
    sessions = Dead()
    with by(network) as lost, by(network) as first, by(network) as second:
        backend = lost.connection.info.backend_pid
        sessions.leave(backend)
        first.connection.close()
        with pytest.raises(PsycopgOperationalError):
            sessions.look_into(first.connection)
        sessions.look_into(second.connection)
        with pytest.raises(OperationalError):
            select(lost)


@on_services
@pytest.mark.usefixtures("few_moments")
def test_when_one_was_slow_others_stay(network: Network) -> None:
    with by(network) as first, by(network) as second:
        kept = second.connection
        with wait_limit.bounded(BOUND_SECONDS), pytest.raises(OperationalError):
            select(first, "SELECT 1 FROM pg_sleep(2)")
        first.close()
        with wait_limit.bounded(AMPLE_SECONDS):
            assert (select(first), select(second)) == (1, 1)
        assert second.connection is kept


@on_services
def test_what_fills_the_sockets_buffers_is_sent_within_a_bound(wrapper: Any) -> None:
    text = "x" * 8_000_000
    with wait_limit.bounded(60):
        assert prepared(wrapper, "SELECT length(%s::text)", text) == len(text)
        assert prepared(wrapper, "SELECT %s::text", text) == text


@on_services
def test_an_error_within_a_bound_is_the_statements_own(wrapper: Any) -> None:
    with wait_limit.bounded(AMPLE_SECONDS):
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


@pytest.fixture
def redis_network() -> Iterator[Network]:
    made = Network(os.environ["REDIS_URL"])
    yield made
    redis_cache._pools.pop(made.url).disconnect()
    made.end()


def redis_by(network: Network) -> Any:
    """A client, by the proxy, of the kind that the cache has."""
    pool = redis_cache.ProcessConnectionPool.from_url(network.url, socket_timeout=60)
    return Redis(connection_pool=pool)


@on_services
@pytest.mark.parametrize("bound", [60, None])
def test_a_dead_connection_to_redis_is_given_up_and_idle_ones_with_it(
    redis_network: Network, bound: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "SILENT_SECONDS", BOUND_SECONDS)
    client = redis_by(redis_network)
    idle = [client.connection_pool.get_connection() for _ in range(3)]
    for one in idle:
        client.connection_pool.release(one)
    redis_network.forget()
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        if bound is not None:
            stack.enter_context(wait_limit.bounded(bound))
        with pytest.raises(RedisTimeoutError):
            client.incr("dead")
        assert begin < redis_cache.dead_before()
        assert not any(one.is_connected for one in idle)
        # It was not sent again, and what follows needs no patience.
        assert client.get("dead") is None


def no_time_after(done: Callable[..., Any]) -> Callable[..., Any]:
    """The same, but it leaves no time for what comes after it."""

    def last(*args: Any, **options: Any) -> Any:
        result = done(*args, **options)
        wait_limit.standing_still.add(wait_limit.CACHE)
        return result

    return last


def ask(client: Any) -> None:
    client.get("mine")


def ask_in_a_pipeline(client: Any) -> None:
    client.pipeline(transaction=True).set("mine", "once more").get("mine").execute()


@on_services
@pytest.mark.parametrize("question", [ask, ask_in_a_pipeline])
@pytest.mark.parametrize("step", ["send_packed_command", "_read"])
def test_an_answer_that_was_not_read_is_never_taken_for_that_of_another_question(
    redis_network: Network,
    monkeypatch: pytest.MonkeyPatch,
    question: Callable[[Any], None],
    step: str,
) -> None:
    """It could be taken for a password that was verified."""
    client = redis_by(redis_network)
    client.set("mine", "secret")
    client.set("another's", "theirs")
    connection = client.connection_pool.get_connection()
    client.connection_pool.release(connection)
    with monkeypatch.context() as patched:
        patched.setattr(connection, step, no_time_after(getattr(connection, step)))
        with wait_limit.bounded(), contextlib.suppress(RedisTimeoutError):
            question(client)
    wait_limit.standing_still.clear()
    with wait_limit.bounded(AMPLE_SECONDS):
        assert client.get("another's") == b"theirs"
        assert client.get("nothing") is None


@on_services
def test_a_connection_with_an_answer_that_nobody_has_read_is_not_used(
    redis_network: Network,
) -> None:
    """Whatever has left it there."""
    client = redis_by(redis_network)
    client.set("mine", "secret")
    connection = client.connection_pool.get_connection()
    connection.send_command("GET", "mine")
    assert connection.can_read(timeout=LONG_SECONDS)
    client.connection_pool.release(connection)
    assert client.get("nothing") is None


@on_services
def test_a_redis_that_stands_still_is_waited_for(
    redis_network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "SILENT_SECONDS", BOUND_SECONDS)
    monkeypatch.setattr(redis_cache, "COMPARISON_SECONDS", BOUND_SECONDS)
    client = redis_by(redis_network)
    (connection,) = [client.connection_pool.get_connection()]
    client.connection_pool.release(connection)
    is_answered = client.connection_pool.is_answered
    found: list[bool] = []

    def asked() -> bool:
        found.append(is_answered())
        redis_network.go_on()
        return found[-1]

    monkeypatch.setattr(client.connection_pool, "is_answered", asked)
    redis_network.stand_still()
    with wait_limit.bounded(60):
        assert client.get("nothing") is None
    assert found == [False]
    assert connection.is_connected


@on_services
def test_a_worker_that_has_found_its_cache_dead_connects_anew_to_hand_over(
    redis_network: Network, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by waiting for the other connection, too."""
    configuration = {"hosts": [{"address": redis_network.url, "socket_timeout": None}]}
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": configuration}}
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(channels, "_own_loop", lambda: loop)
    monkeypatch.setattr(channels, "_server_loop", None)
    monkeypatch.setattr(channels, "HAND_OVER_TIMEOUT_SECONDS", LONG_SECONDS)
    client = redis_by(redis_network)
    client.get("anything")
    message = {"type": "nothing"}
    channels._run(channels._send(message))
    redis_network.forget()
    with wait_limit.bounded(60), pytest.raises(RedisTimeoutError):
        client.get("anything")
    channels._run(channels._send(message))
    loop.close()


@on_services
def test_waits_for_redis_end_at_the_bound_and_are_not_repeated() -> None:
    proxy = Between(os.environ["REDIS_URL"])
    pool = redis_cache.ProcessConnectionPool.from_url(proxy.url, socket_timeout=30)
    client = Redis(connection_pool=pool)
    try:
        with wait_limit.bounded(AMPLE_SECONDS):
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
        with wait_limit.bounded(AMPLE_SECONDS):
            client.get("anything")
    finally:
        pool.disconnect()
        redis_cache._pools.pop(proxy.url)
        proxy.end()
