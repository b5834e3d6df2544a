"""Whatever stands still or is gone: 503 within two seconds, and back within two, by ASGI and WSGI.

Proxies stand between the installation and its services. A service that stands still is one whose
bytes are not forwarded for a while; it accepts connections all the same.
"""

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import basic
from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation, free_port
from tests.kit.lateness import Lateness
from tests.kit.proxy_between import Between
from tests.kit.socket_client import watch
from tests.kit.stopped_writer import STOPPING_WRITER, is_stopped, until

pytestmark = pytest.mark.skipif(not ON_SERVICES, reason="one process is all of it")

PROMISED_SECONDS = 2.0
SLACK_SECONDS = 1.5
TRIES = 5
"""Other tests run beside this one, and can only add to what is measured: the least counts."""
MEDIA = "/finesse/api/User/1234/Media/5001"
SERVICES = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL")
ASKED = {"PUT": MEDIA, "GET": MEDIA, "HEAD": "/healthz"}
OK = {200, 202}
OUT = {503}


class Standing(Installation):
    """An installation behind proxies, with a WSGI server beside the ASGI server."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        self.prepare()
        self.between = {name: Between(os.environ[name]) for name in SERVICES}
        for name, proxy in self.between.items():
            self.environment[name] = proxy.url
        base = self.environment["DATABASE_URL"].rpartition("/")[0]
        self.environment["DATABASE_URL"] = f"{base}/{self.name}"
        self.environment["FINESSE_PASSWORD_PLACES"] = "3"
        del self.environment["FINESSE_HEARTBEAT_SECONDS"]
        self.wsgi_port = free_port()

    def start(self) -> None:
        super().start()
        self.start_wsgi_server("WSGI", self.wsgi_port)

    def signal(self, role: str, number: signal.Signals) -> None:
        os.killpg(self.processes[role].pid, number)

    def end(self) -> None:
        for proxy in self.between.values():
            proxy.go_on()
        super().end()
        for proxy in self.between.values():
            proxy.end()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    made = Standing(tmp_path_factory.mktemp("standing"))
    try:
        made.start()
        yield made
    finally:
        made.end()


def is_in_time(measure: Callable[[], float]) -> bool:
    """Whether what takes so many seconds is done in time, at least in one of the tries."""
    return any(measure() < PROMISED_SECONDS + SLACK_SECONDS for _ in range(TRIES))


class Clients:
    """Two clients for each method at each server, which ask again and again."""

    def __init__(self, standing: Standing) -> None:
        self._answers: list[tuple[tuple[int, str], float, float, int]] = []
        self._end = threading.Event()
        self.kinds = {(p, method) for p in (standing.port, standing.wsgi_port) for method in ASKED}
        self._threads = [
            threading.Thread(target=self._ask_again, args=[kind])
            for kind in [*self.kinds, *self.kinds]
        ]
        self._lateness = Lateness()

    def __enter__(self) -> "Clients":
        self._lateness.__enter__()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: Any) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS)
        self._lateness.__exit__(*args)

    @property
    def lateness(self) -> float:
        return self._lateness.seconds

    def _ask_again(self, kind: tuple[int, str]) -> None:
        while not self._end.is_set():
            begin = time.monotonic()
            try:
                status = ask(*kind)
            except (OSError, http.client.HTTPException):
                status = 0
            self._answers.append((kind, begin, time.monotonic(), status))
            self._end.wait(0.05)

    def all_get(self, statuses: set[int], since: float) -> float:
        """Wait until each kind of client has got one of these. Seconds that the last has waited."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            first: dict[tuple[int, str], float] = {}
            for kind, _, end, status in [*self._answers]:
                if end > since and status in statuses:
                    first.setdefault(kind, end - since)
            if first.keys() == self.kinds:
                return max(first.values())
            time.sleep(0.02)
        raise AssertionError(f"{self.kinds - first.keys()} got none of {statuses}")

    def longest(self, since: float) -> float:
        """Seconds that an answer took at most."""
        return max(end - begin for _, begin, end, _ in self._answers if end > since)


def ask(port: int, method: str) -> int:
    headers = {"Content-Type": "application/xml", "Authorization": basic("1234", "finesse")}
    body = "<Media><state>READY</state></Media>" if method == "PUT" else None
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, ASKED[method], body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


Step = Callable[[Standing], None]
FAULTS: dict[str, tuple[Step, Step]] = {
    "the worker is stopped": (
        lambda one: one.signal("worker", signal.SIGSTOP),
        lambda one: one.signal("worker", signal.SIGCONT),
    ),
    "beat is stopped": (
        lambda one: one.signal("beat", signal.SIGSTOP),
        lambda one: one.signal("beat", signal.SIGCONT),
    ),
    "RabbitMQ is gone": (
        lambda one: one.between["CELERY_BROKER_URL"].be_gone(),
        lambda one: one.between["CELERY_BROKER_URL"].come_back(),
    ),
    "RabbitMQ stands still": (
        lambda one: one.between["CELERY_BROKER_URL"].stand_still(),
        lambda one: one.between["CELERY_BROKER_URL"].go_on(),
    ),
    "Redis stands still": (
        lambda one: one.between["REDIS_URL"].stand_still(),
        lambda one: one.between["REDIS_URL"].go_on(),
    ),
    "PostgreSQL stands still": (
        lambda one: one.between["DATABASE_URL"].stand_still(),
        lambda one: one.between["DATABASE_URL"].go_on(),
    ),
    "PostgreSQL is gone": (
        lambda one: one.between["DATABASE_URL"].be_gone(),
        lambda one: one.between["DATABASE_URL"].come_back(),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_503_comes_in_time_and_goes_in_time(standing: Standing, fault: str) -> None:
    break_it, mend_it = FAULTS[fault]

    def outage() -> float:
        with Clients(standing) as clients:
            clients.all_get(OK, since=time.monotonic())
            broken_at = time.monotonic()
            break_it(standing)
            try:
                came = clients.all_get(OUT, since=broken_at)
            finally:
                mended_at = time.monotonic()
                mend_it(standing)
            back = clients.all_get(OK, since=mended_at)
            return max(came, back, clients.longest(since=broken_at)) - clients.lateness

    assert is_in_time(outage)


def test_a_dead_worker_is_noticed_in_time(standing: Standing) -> None:
    def death() -> float:
        with Clients(standing) as clients:
            clients.all_get(OK, since=time.monotonic())
            died_at = time.monotonic()
            standing.kill("worker")
            try:
                return clients.all_get(OUT, since=died_at) - clients.lateness
            finally:
                standing.start()
                clients.all_get(OK, since=time.monotonic())

    assert is_in_time(death)


def test_a_writer_that_is_stopped_in_its_transaction_is_noticed_in_time(
    standing: Standing,
) -> None:
    def stop() -> float:
        standing.start_program("stopped", STOPPING_WRITER.format(when="after"))
        try:
            with Clients(standing) as clients:
                until(lambda: is_stopped(standing, "stopped"), "the writer was not stopped")
                stopped_at = time.monotonic()
                came = clients.all_get(OUT, since=stopped_at)
                # Nobody mends it: another worker takes over.
                clients.all_get(OK, since=stopped_at + PROMISED_SECONDS + SLACK_SECONDS)
                return came - clients.lateness
        finally:
            standing.kill("stopped")

    assert is_in_time(stop)


def _asked(address: str, headers: dict[str, str]) -> ClientConnection:
    return connect(address, additional_headers=headers, open_timeout=TIMEOUT_SECONDS)


def handshake(standing: Standing, **headers: str) -> int:
    """The status that it is answered with, in time."""
    address = standing.url.replace("http", "ws", 1) + "/ws/notifications/"
    statuses = set()

    def ask_once() -> float:
        begin = time.monotonic()
        with pytest.raises(InvalidStatus) as refused, _asked(address, headers):
            pass
        statuses.add(refused.value.response.status_code)
        return time.monotonic() - begin

    assert is_in_time(ask_once)
    (status,) = statuses
    return int(status)


def test_a_handshake_is_answered_503_while_postgresql_stands_still(standing: Standing) -> None:
    program, browser = (
        {"Authorization": basic("1234", "finesse")},
        {"Cookie": "sessionid=" + "x" * 32},
    )
    proxy = standing.between["DATABASE_URL"]
    with watch(standing.url, "1234"):
        # A busy machine may need longer than a handshake is given.
        until(lambda: handshake(standing, **browser) == 401, "no session is known")
        proxy.stand_still()
        try:
            for headers in (program, browser, program, browser):
                assert handshake(standing, **headers) == 503
        finally:
            proxy.go_on()
        standing.await_status(200)
        # A busy machine may need longer than a handshake is given.
        until(lambda: handshake(standing, **browser) == 401, "no session is known")
    with watch(standing.url, "1234") as again:
        again.subscribe()
