"""The log is for an operator: no traceback for a client that leaves, few lines for what repeats.

Each way to leave, to be refused and to send what is no protocol meets a real server, and its log is
read. So are the logs of processes whose database, Redis and broker are away.
"""

import contextlib
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery.beat import ScheduleEntry, SchedulingError
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError

from finesse import heartbeat, repeats
from finesse.beat import MonotonicScheduler
from finesse.celery import app
from finesse.log_lines import LineFormatter
from finesse.repeats import LINES_OF_A_KIND, MAX_KINDS, PERIOD_SECONDS, RepeatsFilter
from tests.conftest import basic
from tests.kit.hostile_peer import Peer, frame
from tests.kit.installation import ROOT, TIMEOUT_SECONDS, Installation, free_port
from tests.kit.socket_client import watch

TIMES = 40
"""Each departure happens so often."""
MOST_LINES = 2 * LINES_OF_A_KIND
"""That any of these may add to the log."""
ADMIN = f"Authorization: {basic('admin', 'finesse')}"
AGENT = f"Authorization: {basic('1234', 'finesse')}"
MEDIA = "/finesse/api/User/1234/Media/5001"
STATES = (
    "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
    "<Media><state>READY</state></Media>",
)
FILL_LOG = """
from django.db import transaction
from finesse.notifications import log
node = '/finesse/api/User/1235/Media'
entry = log.Entry(node=node, source=node + '/5001', data={'x': 'y' * 900})
with transaction.atomic():
    head = log.lock()
    for _ in range(6):
        log.append(head, [entry] * 500, publish=False)
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("log"))
    made.environment["FINESSE_XMPP_CONNECTIONS_PER_USER"] = "1000"
    made.environment["ALLOWED_HOSTS"] = "127.0.0.1"
    # A late heartbeat is an error in the log, too.
    made.environment["FINESSE_HEARTBEAT_SECONDS"] = "60"
    made.prepare()
    made.manage("shell", "--no-imports", "-c", FILL_LOG)
    made.start()
    yield made
    with Peer(made.port) as stays:
        stays.push(b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx")
        assert httpx.get(f"{made.url}/healthz", timeout=TIMEOUT_SECONDS).status_code == 200
        made.end()
    # Nor does the end of the server make any, with a client that has begun a body.
    assert "Traceback" not in server_log(made)


def added(installation: Installation, act: Callable[[Installation], None]) -> str:
    """What the log has got by this. A later request that is answered is the sign that it is all."""
    before = len(server_log(installation))
    act(installation)
    with watch(installation.url, "1235") as watcher, httpx.Client(timeout=60) as http:
        watcher.subscribe()
        auth = ("1235", "finesse")
        url = f"{installation.url}/finesse/api/User/1235"
        for state in ("NOT_READY", "LOGOUT", "LOGIN"):
            body = f"<User><state>{state}</state></User>"
            http.put(url, content=body, auth=auth, headers={"Content-Type": "application/xml"})
        assert http.get(f"{installation.url}/healthz").status_code == 200
    return server_log(installation)[before:]


def server_log(installation: Installation) -> str:
    return (installation.folder / "server.log").read_text()


def viewer(installation: Installation, *headers: str, path: str = "/ws/notifications/") -> Peer:
    peer = Peer(installation.port, reads_little=True)
    head = peer.upgrade(*(headers or [ADMIN]), path=path)
    peer.features = None  # type: ignore[assignment]
    assert head.startswith("HTTP/1.1 ")
    return peer


# --- who leaves ---------------------------------------------------------------------------------


def leave_a_replay(installation: Installation) -> None:
    for _ in range(TIMES):
        peer = viewer(installation)
        peer.send(frame('{"type": "subscribe", "after": 0}'))
        peer._frame()
        peer.vanish()


def leave_a_replay_that_is_read(installation: Installation) -> None:
    """So that nothing waits, and each frame is sent at once."""
    for _ in range(TIMES):
        with Peer(installation.port) as peer:
            peer.upgrade(ADMIN, path="/ws/notifications/")
            peer.send(frame('{"type": "subscribe", "after": 0}'))
            for _ in range(3):
                peer.socket.recv(65_536)
            peer.vanish()


def leave_between_notifications(installation: Installation) -> None:
    peers = [viewer(installation) for _ in range(TIMES)]
    for peer in peers:
        peer.send(frame('{"type": "subscribe", "after": null}'))
        peer._frame()
    stop = threading.Event()

    def change() -> None:
        with httpx.Client(auth=("1234", "finesse"), timeout=60) as http:
            while not stop.is_set():
                for body in STATES:
                    headers = {"Content-Type": "application/xml"}
                    http.put(f"{installation.url}{MEDIA}", content=body, headers=headers)

    changing = threading.Thread(target=change)
    changing.start()
    for peer in peers:
        # Each in the middle of what is sent.
        peer._frame()
        peer.vanish()
    stop.set()
    changing.join()


def leave_before_the_answer(installation: Installation) -> None:
    for text in ('{"type": "subscribe", "after": 0}', "no json", ""):
        for _ in range(TIMES):
            peer = viewer(installation)
            peer.send(frame(text))
            peer.vanish()


def leave_xmpp(installation: Installation) -> None:
    for _ in range(TIMES // 2):
        peer = Peer(installation.port)
        peer.upgrade()
        peer.say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost'/>")
        peer.vanish()
        peer = Peer(installation.port)
        peer.upgrade()
        peer.sign_in("1234").bind()
        peer.say("<presence/>")
        peer.vanish()


def raw(installation: Installation, *requests: str | bytes, reads: bool = False) -> None:
    for request in requests:
        sent = request.encode() if isinstance(request, str) else request
        for _ in range(TIMES):
            peer = Peer(installation.port)
            peer.push(sent)
            if reads:
                with contextlib.suppress(OSError):
                    peer.socket.recv(65_536)
            peer.vanish()


def leave_during_the_handshake(installation: Installation) -> None:
    upgrade = (
        "GET /ws/notifications/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    raw(installation, f"{upgrade}{AGENT}\r\n\r\n", f"{upgrade}\r\n", upgrade)


def leave_bodies(installation: Installation) -> None:
    put = f"PUT {MEDIA} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AGENT}\r\nContent-Type: text/xml\r\n"
    post = "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for begun in (put, post):
        raw(installation, f"{begun}Content-Length: 100\r\n\r\n<Media>")
        raw(installation, f"{begun}Content-Length: 9999999\r\n\r\n<Media>")
        raw(installation, f"{begun}Transfer-Encoding: chunked\r\n\r\n5\r\n<Me")


def leave_answers(installation: Installation) -> None:
    for path in ("/login/", "/finesse/docs/", "/static/board/viewer.js", "/finesse/api/SystemInfo"):
        raw(installation, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


# --- who is refused -----------------------------------------------------------------------------


def handshakes(*headers: str, path: str = "/ws/notifications/") -> Callable[[Installation], None]:
    def act(installation: Installation) -> None:
        for _ in range(TIMES):
            viewer(installation, *headers, path=path).socket.close()

    return act


def send_no_websocket(installation: Installation) -> None:
    for sent in (b"\xff" * 20, frame(b"\xff\xfe"), frame("x" * 70_000), frame("x", 3)):
        for _ in range(TIMES // 4):
            peer = viewer(installation)
            peer.push(sent)
            peer.read()
            peer.socket.close()


def send_no_http(installation: Installation) -> None:
    chunked = f"PUT {MEDIA} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AGENT}\r\nTransfer-Encoding: chunked"
    length = f"PUT {MEDIA} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AGENT}\r\nContent-Length: 70000"
    late = f"{length}\r\n\r\n{'x' * 70_000}no HTTP\r\n\r\n"
    raw(installation, "HELLO\r\n\r\n", f"{chunked}\r\n\r\nzz\r\n", late, reads=True)


def ask_pages_wrongly(installation: Installation) -> None:
    for host, body in (("127.0.0.1", "x=y"), ("127.0.0.1", "x" * 70_000), ("no.example", "")):
        raw(
            installation,
            f"POST /login/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n{body}",
            reads=True,
        )
    raw(installation, "GET /no/such HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", reads=True)


ACTS: dict[str, Callable[[Installation], None]] = {
    "viewers leave a replay": leave_a_replay,
    "viewers leave a replay that they read": leave_a_replay_that_is_read,
    "viewers leave between notifications": leave_between_notifications,
    "viewers leave before the answer": leave_before_the_answer,
    "clients leave during the handshake": leave_during_the_handshake,
    "XMPP clients leave": leave_xmpp,
    "clients leave bodies": leave_bodies,
    "clients leave answers": leave_answers,
    "handshakes with an origin of others": handshakes("Origin: http://evil.example", ADMIN),
    "handshakes with wrong credentials": handshakes(f"Authorization: {basic('x', 'wrong')}"),
    "handshakes without credentials": handshakes("X: y"),
    "handshakes to no address": handshakes(path="/ws/nothing/"),
    "handshakes without the subprotocol": handshakes("Sec-WebSocket-Protocol: chat", path="/ws"),
    "bytes that are no WebSocket": send_no_websocket,
    "bytes that are no HTTP": send_no_http,
    "requests that pages refuse": ask_pages_wrongly,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_ordinary_ends_are_no_errors(
    installation: Installation, act: Callable[[Installation], None]
) -> None:
    log = added(installation, act)
    assert "Traceback" not in log
    assert " ERROR " not in log
    # asyncio's word for a write to a peer that has gone; there is none, not only few lines of it.
    assert "socket.send()" not in log
    assert log.count("\n") <= MOST_LINES


# --- a dependency that is away ------------------------------------------------------------------


def away(folder: Path) -> dict[str, str]:
    """No demo, with a database, a Redis and a broker where nothing listens."""
    nowhere = f"127.0.0.1:{free_port()}"
    return {
        **Installation(folder).environment,
        "FINESSE_DEMO": "0",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"postgres://finesse:x@{nowhere}/finesse",
        "REDIS_URL": f"redis://{nowhere}/0",
        "CELERY_BROKER_URL": f"amqp://guest:guest@{nowhere}//",
    }


def run_until(command: list[str], environment: dict[str, str], log: Path, act: Any) -> str:
    """Run it until `act` is done; returns what it has written."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            act(lambda: log.read_text())
        finally:
            process.terminate()
            process.wait(60)
    return log.read_text()


def lines_of(log: str) -> int:
    """Without what a program says of itself when it starts."""
    return len(re.findall(r"^20\d\d-.*(?:WARNING|ERROR)", log, re.MULTILINE))


def test_an_outage_is_some_lines_however_many_ask(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "finesse.asgi:application", "--no-access-log"]
    for option, protocol in (("--http", "HTTPProtocol"), ("--ws", "WebSocketProtocol")):
        command += [option, f"finesse.server.protocols:{protocol}"]
    statuses: list[int] = []

    def ask(log: Callable[[], str]) -> None:
        wait_for(lambda: "Uvicorn running" in log())
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            for _ in range(3 * LINES_OF_A_KIND):
                for path in (MEDIA, "/healthz", "/finesse/api/SystemInfo"):
                    statuses.append(http.get(path, auth=("1234", "finesse")).status_code)
            for _ in range(2 * LINES_OF_A_KIND):
                peer = Peer(port)
                assert " 503 " in peer.upgrade(AGENT, path="/ws/notifications/")
                peer.socket.close()
            for _ in range(2 * LINES_OF_A_KIND):
                http.get("/", headers={"Cookie": f"sessionid={'a' * 32}"})

    log = run_until([*command, "--port", str(port)], away(tmp_path), tmp_path / "log", ask)
    assert {503} <= {*statuses} <= {503, 200}
    assert "Traceback" not in log
    said = re.findall("ERROR finesse.heartbeat: Out of service: (.*)", log)
    # The watch may find the two out one after the other.
    assert 1 <= len(said) == len({*said}) <= 2
    assert "cache: does not answer" in said[-1]
    assert "database: does not answer" in said[-1]
    assert log.count("The cache does not answer") == 1
    # A few lines of code, for all the ways to fail.
    assert lines_of(log) <= 4 * LINES_OF_A_KIND


@pytest.mark.parametrize("program", ["worker", "beat"])
def test_workers_and_beats_wait_for_a_broker_in_some_lines(tmp_path: Path, program: str) -> None:
    command = [sys.executable, "-m", "celery", "-A", "finesse", program]
    expected = "Cannot connect to amqp" if program == "worker" else "beat: Connection error"
    log = run_until(
        command,
        away(tmp_path),
        tmp_path / "log",
        lambda log: wait_for(lambda: log().count(expected) >= 2),
    )
    assert "Traceback" not in log
    assert lines_of(log) <= 2 * LINES_OF_A_KIND


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.1)


# --- WSGI ---------------------------------------------------------------------------------------

WSGI_SERVER = (
    "import sys; from wsgiref.simple_server import make_server;"
    "from finesse.wsgi import application;"
    "make_server('127.0.0.1', int(sys.argv[1]), application).serve_forever()"
)


def test_under_wsgi_who_leaves_is_no_error_of_ours(
    installation: Installation, tmp_path: Path
) -> None:
    port = free_port()

    def act(log: Callable[[], str]) -> None:
        wait_for(lambda: _listens(port))
        put = f"PUT {MEDIA} HTTP/1.1\r\nHost: 127.0.0.1\r\n{AGENT}\r\nContent-Type: text/xml\r\n"
        form = "Content-Type: application/x-www-form-urlencoded\r\n"
        for begun in (put, f"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{form}"):
            for _ in range(LINES_OF_A_KIND):
                peer = Peer(port)
                peer.push(f"{begun}Content-Length: 100\r\n\r\nx".encode())
                peer.vanish()
        answer = httpx.get(f"http://127.0.0.1:{port}/login/", timeout=60)
        assert answer.status_code == 200

    command = [sys.executable, "-c", WSGI_SERVER, str(port)]
    log = run_until(command, installation.environment, tmp_path / "log", act)
    # The server's own complaints have no time; ours do.
    ours = [line for line in log.splitlines() if line.startswith("20")]
    assert len(ours) <= MOST_LINES
    assert not [line for line in ours if " ERROR " in line]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# --- the filter ---------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Lines(list[str]):
    """What is written behind a filter whose periods end when a test says so."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.filter = RepeatsFilter(clock)
        self.handler = logging.Handler()
        self.handler.emit = lambda record: self.append(  # type: ignore[method-assign]
            self.handler.format(record)
        )
        self.handler.setFormatter(LineFormatter("{levelname} {message}", style="{"))
        self.handler.addFilter(self.filter)


@pytest.fixture
def written(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The lines of the logger "repeated"."""
    monkeypatch.setattr(repeats.RepeatsFilter, "_sum_up_later", lambda self: None)
    lines = Lines(clock)
    logger = logging.getLogger("repeated")
    logger.level = logging.DEBUG
    logger.addHandler(lines.handler)
    yield lines
    logger.removeHandler(lines.handler)
    lines.filter._forget()


def test_what_repeats_is_counted(written: Lines, clock: Clock) -> None:
    logger = logging.getLogger("repeated")
    for number in range(1, 1245):
        logger.warning("Client %s has a wrong name", number)
    assert written == [f"WARNING Client {n} has a wrong name" for n in range(1, 11)]
    logger.info("something else")
    clock.now += PERIOD_SECONDS
    written.filter.sum_up()
    assert written[10:] == [
        "INFO something else",
        "WARNING … 1,234 more in the last 60 s, the last of them: Client 1244 has a wrong name",
    ]
    written.filter.sum_up()
    assert len(written) == 12


def test_a_kind_that_repeats_slowly_is_written_each_time(written: Lines, clock: Clock) -> None:
    for _ in range(5 * LINES_OF_A_KIND):
        logging.getLogger("repeated").warning("Slowly")
        clock.now += PERIOD_SECONDS / (LINES_OF_A_KIND - 1)
    assert len(written) == 5 * LINES_OF_A_KIND


def test_one_failure_hides_no_other(written: Lines) -> None:
    logger = logging.getLogger("repeated")

    def fail(number: int) -> None:
        try:
            if number == 50:
                raise KeyError("the other failure")
            raise ValueError("the usual failure")
        except Exception:
            logger.exception("A request failed")

    for number in range(100):
        fail(number)
    assert sum("the usual failure" in line for line in written) == LINES_OF_A_KIND
    assert sum("the other failure" in line for line in written) == 1


def test_clients_cannot_fill_the_filters_memory(written: Lines) -> None:
    one = written.filter
    for number in range(3 * MAX_KINDS):
        record = logging.LogRecord("x", logging.ERROR, f"file-{number}", number, "y", None, None)
        one.filter(record)
    assert len(one._counts) == MAX_KINDS + 1


def test_debug_is_for_who_wants_to_see_all(written: Lines) -> None:
    for _ in range(100):
        logging.getLogger("repeated").debug("x")
    assert len(written) == 100


def test_a_sum_comes_by_itself(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    summed = threading.Event()
    monkeypatch.setattr(repeats, "PERIOD_SECONDS", 0.05)
    one = RepeatsFilter(clock)
    monkeypatch.setattr(one, "sum_up", summed.set)
    record = logging.LogRecord("x", logging.ERROR, "file", 1, "y", None, None)
    assert [one.filter(record) for _ in range(11)] == [True] * 10 + [False]
    assert summed.wait(60)
    one._forget()


@pytest.mark.parametrize(
    ("error", "is_explained"),
    [
        (OperationalError("connection\nrefused"), True),
        (ConnectionRefusedError("refused"), True),
        (TimeoutError(), True),
        (SuspiciousOperation("a host that is none"), True),
        (FileNotFoundError("ours"), False),
        (KeyError("ours"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_outage_has_a_reason_and_our_faults_a_traceback(
    written: Lines, error: Exception, is_explained: bool
) -> None:
    try:
        raise error
    except Exception:
        logging.getLogger("repeated").exception("It failed")
    (line,) = written
    assert ("Traceback" not in line) is is_explained
    assert type(error).__name__ in line
    if is_explained:
        assert line.count("\n") == 1


def test_the_service_says_once_that_it_is_out_of_service(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(heartbeat, "_logged_faults", frozenset())
    for found in (
        dict.fromkeys(heartbeat.PARTS, heartbeat.NOT_STARTED),
        {"sweep": heartbeat.NOT_STARTED},
        {},
        {"worker": "not seen to work for 5 s"},
        {"worker": "not seen to work for 5 s", "sweep": "not seen to work for 5 s"},
        {},
    ):
        pulse = heartbeat.Pulse(beats={}, faults=found)
        monkeypatch.setattr(heartbeat, "pulse", lambda pulse=pulse: pulse)
        for _ in range(20):
            heartbeat.faults()
    said = [(one.levelname, one.getMessage().partition(":")[0]) for one in caplog.records]
    assert said == [
        ("INFO", "Not in service yet"),
        ("INFO", "In service"),
        ("ERROR", "Out of service"),
        ("ERROR", "Out of service"),
        ("INFO", "In service"),
    ]


def test_a_beat_without_a_broker_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise SchedulingError("Couldn't apply scheduled task sweep: refused")

    monkeypatch.setattr(MonotonicScheduler, "apply_async", refuse)
    entry = ScheduleEntry("sweep", "media.tasks.sweep", schedule=0.5, app=app)
    MonotonicScheduler.apply_entry(MonotonicScheduler.__new__(MonotonicScheduler), entry)
    (record,) = caplog.records
    assert "refused" in record.getMessage()
    assert record.exc_info is None
