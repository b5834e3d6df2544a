"""`production start` on real services, with nginx and HAProxy before it: one for all of these."""

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
import yaml
from websockets.sync.client import connect

from tests.conftest import basic
from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, administration
from tests.kit.production import HAPROXY, NGINX, PROSODY, Production, Proxy
from tests.kit.socket_client import Watcher

pytestmark = [
    pytest.mark.skipif(not ON_SERVICES, reason="one process is all of it"),
    pytest.mark.timeout(900),
]

MEDIA = "/finesse/api/User/1234/Media/5001"
READY = "<Media><state>READY</state></Media>"
LUNCH = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"
BOSH = (
    "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='1' "
    "to='localhost' wait='1' hold='1' ver='1.6' xmpp:version='1.0'/>"
)
XML = {"Content-Type": "application/xml"}
ANA = ("1234", "finesse")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    if not (NGINX and HAPROXY and PROSODY) and os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.skip("nginx, haproxy or prosody is not installed")
    # A short path: that of supervisord's socket is bounded.
    made = Production(tmp_path_factory.mktemp("p"))
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(scope="module")
def proxies(production: Production) -> dict[str, Proxy]:
    started = {"nginx": production.start_nginx(), "HAProxy": production.start_haproxy()}
    deadline = time.monotonic() + TIMEOUT_SECONDS
    for proxy in started.values():
        with proxy.client() as client:
            while not _serves(client):
                assert time.monotonic() < deadline, production.logs()
                time.sleep(0.05)
    return started


def _serves(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.get("/healthz").status_code == 200
    return False


@pytest.fixture(params=["nginx", "HAProxy"])
def proxy(request: pytest.FixtureRequest, proxies: dict[str, Proxy]) -> Proxy:
    return proxies[request.param]


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        yield client


@contextmanager
def watching(proxy: Proxy, login: str, port: int) -> Iterator[Watcher]:
    address = f"wss://localhost:{port}/ws/notifications/"
    headers = {"Authorization": basic(login, "finesse")}
    with connect(
        address, additional_headers=headers, ssl=proxy.trust, open_timeout=TIMEOUT_SECONDS
    ) as connection:
        yield Watcher(connection)


def state_of(frame: dict[str, Any]) -> "str | None":
    return fromstring(frame["update"]).findtext("data/Media/state")


def change_from(shown: httpx.Response) -> tuple[str, str]:
    """What changes the state that is shown, and to which."""
    return (LUNCH, "NOT_READY") if "<state>READY</state>" in shown.text else (READY, "READY")


# --- through a proxy ------------------------------------------------------------------------------


def test_a_put_by_one_port_of_the_proxy_ends_in_a_notification_by_the_other(
    proxy: Proxy, client: httpx.Client
) -> None:
    with watching(proxy, "2001", proxy.ports[1]) as dana:
        dana.subscribe()
        body, state = change_from(client.get(MEDIA, auth=ANA))
        assert client.put(MEDIA, content=body, headers=XML, auth=ANA).status_code == 202
        while (frame := dana.receive(TIMEOUT_SECONDS))["node"] != "/finesse/api/User/1234/Media":
            pass
    assert state_of(frame) == state


def test_pages_come_over_tls_with_cookies_for_tls_alone(client: httpx.Client) -> None:
    page = client.get("/login/")
    assert page.status_code == 200
    assert "Secure" in page.headers["set-cookie"]
    assert "Strict-Transport-Security" in page.headers


def test_xmpp_over_websocket_goes_to_the_sockets_and_bosh_too(
    proxy: Proxy, client: httpx.Client
) -> None:
    for path in ("/ws", "/ws/"):
        address = f"wss://localhost:{proxy.ports[0]}{path}"
        with connect(
            address,
            subprotocols=["xmpp"],  # type: ignore[list-item]
            ssl=proxy.trust,
            open_timeout=TIMEOUT_SECONDS,
        ) as stream:
            stream.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost'/>")
            assert "<open" in str(stream.recv(TIMEOUT_SECONDS))
    for path in ("/http-bind", "/http-bind/"):
        answer = client.post(path, content=BOSH, headers={"Content-Type": "text/xml"})
        assert answer.status_code == 200
        assert fromstring(answer.content).get("sid"), answer.text


def test_a_client_cannot_choose_its_address(
    proxy: Proxy, proxies: dict[str, Proxy], client: httpx.Client
) -> None:
    """The lock-out counts by address: five wrong passwords block this one, whatever it claims."""
    login = "1302" if proxy is proxies["nginx"] else "1301"
    for number in range(6):
        claim = {"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for=198.51.100.{number}"}
        answer = client.get(f"/finesse/api/User/{login}", auth=(login, "wrong"), headers=claim)
    assert answer.status_code == 401
    right = client.get(f"/finesse/api/User/{login}", auth=(login, "finesse"), headers=claim)
    assert right.status_code == 401


def test_a_body_that_trickles_takes_no_thread_of_a_web_process(
    proxy: Proxy, client: httpx.Client
) -> None:
    head = (
        f"PUT {MEDIA} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic(*ANA)}\r\n"
        "Content-Type: application/xml\r\nContent-Length: 100\r\n\r\n<Media>"
    )
    with ExitStack() as stack:
        for _ in range(40):
            plain = socket.create_connection(("localhost", proxy.ports[0]), timeout=TIMEOUT_SECONDS)
            slow = stack.enter_context(proxy.trust.wrap_socket(plain, server_hostname="localhost"))
            slow.sendall(head.encode())
        began = time.monotonic()
        assert client.get(MEDIA, auth=ANA).status_code == 200
        assert time.monotonic() - began < 5


def test_a_body_that_is_too_large_is_refused_by_the_proxy(client: httpx.Client) -> None:
    answer = client.post("/login/", content=b"x" * (3 * 1024 * 1024 + 1))
    assert answer.status_code == 413


# --- in containers ---

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes.yaml"


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
@pytest.mark.parametrize("kind", ["web", "sockets"])
def test_each_probe_is_answered_at_the_address_of_a_pod(
    production: Production, kind: str, probe: str
) -> None:
    """Who probes knows no name of the service, and has no password."""
    (found,) = (
        one["spec"]["template"]["spec"]["containers"][0]
        for one in yaml.safe_load_all(KUBERNETES.read_text())
        if (one["kind"], one["metadata"]["name"]) == ("Deployment", f"finesse-{kind}")
    )
    port = production.port if kind == "web" else production.sockets_port
    answer = httpx.get(
        f"http://127.0.0.1:{port}{found[probe]['httpGet']['path']}",
        headers={"Host": f"10.42.0.17:{found['ports'][0]['containerPort']}"},
        timeout=TIMEOUT_SECONDS,
    )
    assert answer.status_code == 200, answer.text


# --- without a proxy ------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /healthz HTTP/1.1\r\nHost: "])
def test_the_web_processes_serve_beside_eight_idle_connections(
    production: Production, sent: bytes
) -> None:
    """Each keeps a thread, without a request for five seconds, with half of one until its end."""
    with ExitStack() as stack:
        for _ in range(8):
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", production.port)))
            idle.sendall(sent)
        for _ in range(4):
            began = time.monotonic()
            answer = httpx.get(f"{production.url}{MEDIA}", auth=ANA, timeout=TIMEOUT_SECONDS)
            assert answer.status_code == 200
            # A thread that waits for an idle connection would take five.
            assert time.monotonic() - began < 4


def test_a_process_takes_no_more_connections_of_postgresql_than_the_table_says(
    production: Production,
) -> None:
    def ask() -> None:
        with httpx.Client(auth=ANA, timeout=TIMEOUT_SECONDS) as own:
            for _ in range(5):
                assert own.get(f"{production.url}{MEDIA}").status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with administration() as connection:
        counted = connection.execute(
            "SELECT application_name, count(*) FROM pg_stat_activity WHERE datname = %s"
            " AND application_name LIKE 'finesse %%' GROUP BY 1",
            [production.name],
        ).fetchall()
    most = {"server": 18, "worker": 1, "xmpp_component": 2}
    assert counted
    for name, count in counted:
        role = name.split()[1].partition("@")[0]
        assert count <= most.get(role, 0), counted


# --- the supervisor -------------------------------------------------------------------------------


def test_a_second_start_is_refused_and_changes_nothing(production: Production) -> None:
    before = {one.name: one.pid for one in production.states()}
    done = production.command("start")
    assert done.returncode == 1
    assert "It runs already" in done.stderr
    assert {one.name: one.pid for one in production.states()} == before


@pytest.mark.parametrize("kind", ["beat", "sockets"])
def test_a_process_that_dies_is_started_again(production: Production, kind: str) -> None:
    killed = next(one for one in production.states() if one.kind == kind)
    os.kill(killed.pid, signal.SIGKILL)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        now = next(one for one in production.states() if one.name == killed.name)
        if now.state == "RUNNING" and now.pid != killed.pid:
            break
        assert time.monotonic() < deadline, production.logs()
        time.sleep(0.2)


PAUSE_SECONDS = 0.3
"""Of each client between two requests: some hundred in the half minute that a restart takes."""


class Load:
    """Four clients, who ask and change until they are told to end, by each of the proxies."""

    def __init__(self, proxies: Iterable[Proxy]) -> None:
        self.answers: list[object] = []
        self._proxies = [*proxies]
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=[one]) for one in range(4)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        with self._proxies[number // 2].client() as client:
            while not self._ended.wait(PAUSE_SECONDS):
                body = LUNCH if len(self.answers) % 2 else READY
                try:
                    if number % 2:
                        answer = client.get(MEDIA, auth=ANA)
                    else:
                        answer = client.put(MEDIA, content=body, headers=XML, auth=ANA)
                except httpx.HTTPError as error:
                    self.answers.append(repr(error))
                else:
                    self.answers.append(answer.status_code)


def test_a_rolling_restart_under_load_answers_no_request_with_5xx(
    production: Production, proxies: dict[str, Proxy]
) -> None:
    production.until_all_work()
    before = {one.name: one.pid for one in production.states()}
    with Load(proxies.values()) as load:
        done = production.command("restart")
    assert done.returncode == 0, f"{done.stderr}\n{production.logs()}"
    now = {one.name: one.pid for one in production.until_all_work()}
    assert now.keys() == before.keys()
    assert [name for name in now if now[name] == before[name]] == []
    assert set(load.answers) <= {200, 202}, (Counter(load.answers), production.logs())
    assert len(load.answers) > 100
    print(f"{len(load.answers)} requests")


def test_status_says_how_each_process_is(production: Production) -> None:
    production.until_all_work()
    done = production.command("status")
    assert done.returncode == 0, done.stdout
    shown = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert shown == dict.fromkeys(
        [
            "sockets-0",
            *(f"{kind}-{n}" for kind in ("beat", "component", "web", "worker") for n in (0, 1)),
        ],
        "works",
    )


def test_each_process_has_a_log_of_its_own_for_its_user_alone(production: Production) -> None:
    logs = production.folder / "production" / "logs"
    assert {path.stem for path in logs.glob("*.log")} == {one.name for one in production.states()}
    assert {path.stat().st_mode & 0o077 for path in logs.glob("*.log")} == {0}


def test_stop_ends_everything(production: Production) -> None:
    """The last of these tests."""
    processes = [one.pid for one in production.states()]
    done = production.command("stop")
    assert done.returncode == 0, done.stderr
    assert [pid for pid in processes if Path(f"/proc/{pid}").exists()] == []
    again = production.command("status")
    assert again.returncode == 1
    assert "does not run here" in again.stderr
    assert production.processes["production"].wait(30) == 0
