"""The demo's passwords are public: it meets nothing that others use, and nobody elsewhere."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from finesse.checks.demo import refuse_demo
from finesse.loopback import is_loopback_address, is_loopback_host
from finesse.server.demo_guard import DemoGuardASGI, DemoGuardWSGI
from tests.conftest import PASSWORD, Cast, basic
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation, free_port

PYTHON = sys.executable
SECONDS = 300
WSGI_SERVER = (
    "import sys; from wsgiref.simple_server import make_server;"
    "from finesse.wsgi import application;"
    "make_server(sys.argv[1], int(sys.argv[2]), application).serve_forever()"
)
CELERY = [PYTHON, "-m", "celery", "-A", "finesse"]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    ours = ("FINESSE_", "COVERAGE_", "DJANGO_")
    services = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "SECRET_KEY")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in services}
    data = {"FINESSE_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    return {**kept, **data, "FINESSE_DEMO": "1", **changes}


# --- another database, cache, broker, XMPP server -----------------------------------------------

ENTRIES = {
    "make run": [
        *("make", "run", f"BIN={Path(PYTHON).parent}", "--assume-old=.venv/installed"),
        f"PORT={free_port()}",
    ],
    "migrate": [PYTHON, "manage.py", "migrate"],
    "demo": [PYTHON, "manage.py", "demo"],
    "run": [PYTHON, "manage.py", "run", "--port", "0"],
    "runserver": [PYTHON, "manage.py", "runserver", "--noreload", str(free_port())],
    "shell": [PYTHON, "manage.py", "shell", "-c", "from finesse.users.models import User"],
    "check": [PYTHON, "manage.py", "check"],
    "uvicorn": [PYTHON, "-m", "uvicorn", "finesse.asgi:application", "--port", "0"],
    "WSGI server": [PYTHON, "-c", WSGI_SERVER, "127.0.0.1", "0"],
    "worker": [*CELERY, "worker", "--pool", "solo"],
    "beat": [*CELERY, "beat"],
    "component": [PYTHON, "manage.py", "xmpp_component"],
}


def run_to_its_end(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """Exit status and what it has said on stderr; fails, and leaves nothing, if it goes on."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        pytest.fail("it runs")
    return process.returncode, said


def refused(entry: str, variables: dict[str, str]) -> str:
    """What it says when it has refused to start."""
    status, said = run_to_its_end(ENTRIES[entry], variables)
    assert status != 0
    return said


@pytest.mark.parametrize("entry", ENTRIES)
def test_nothing_starts_as_a_demo_on_another_database(tmp_path: Path, entry: str) -> None:
    database = tmp_path / "production.sqlite3"
    said = refused(entry, environment(tmp_path / "data", DATABASE_URL=f"sqlite:///{database}"))
    assert "The demo's passwords are public" in said
    assert "finesse.E004" in said
    assert not database.exists()


BROKER = {"REDIS_URL": "redis://127.0.0.1:9/0", "CELERY_BROKER_URL": "amqp://127.0.0.1:9//"}
XMPP_SERVER = {"FINESSE_XMPP_SECRET": "shared", "FINESSE_XMPP_COMPONENT": "xmpp.example:5347"}


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        *((entry, BROKER) for entry in ("make run", "uvicorn", "worker", "beat")),
        *((entry, XMPP_SERVER) for entry in ("make run", "WSGI server")),
    ],
)
def test_nothing_starts_as_a_demo_on_other_services(
    tmp_path: Path, entry: str, named: dict[str, str]
) -> None:
    said = refused(entry, environment(tmp_path, **named))
    assert " and ".join(named) in said


def test_make_run_says_in_plain_words_what_to_do_instead(tmp_path: Path) -> None:
    production = {"DATABASE_URL": f"sqlite:///{tmp_path}/production.sqlite3"}
    said = refused("make run", environment(tmp_path, **production))
    assert "make run DEMO=0" in said
    assert "env -u DATABASE_URL make run" in said
    assert "Traceback" not in said
    assert list(tmp_path.glob("*.sqlite3")) == []


@pytest.mark.skipif(ON_SERVICES, reason="with a database file")
def test_make_run_without_the_demo_is_no_demo_whatever_the_shell_has_set(tmp_path: Path) -> None:
    command = [part for part in ENTRIES["make run"] if not part.startswith("PORT")]
    # On a port that is taken, so that it ends when it has migrated.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command += ["DEMO=0", f"PORT={taken.getsockname()[1]}"]
        status, said = run_to_its_end(command, environment(tmp_path, SECRET_KEY="a secret"))
    assert status != 0
    assert "Cannot listen" in said
    assert [path.name for path in tmp_path.glob("*.sqlite3")] == ["finesse.sqlite3"]


@pytest.mark.parametrize("command", ["worker", "beat"])
def test_celery_in_the_demo_takes_no_broker_from_its_command_line(
    tmp_path: Path, command: str
) -> None:
    named = [*CELERY, "--broker", "amqp://127.0.0.1:9//", command]
    status, said = run_to_its_end(named, environment(tmp_path))
    assert status != 0
    assert "finesse.E004" in said


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
class TestCheck:
    @pytest.fixture(autouse=True)
    def demo(self, settings: Any, tmp_path: Path) -> None:
        settings.FINESSE_DEMO = True
        settings.FINESSE_DATA_DIR = tmp_path
        settings.DATABASES = {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "demo.sqlite3"}
        }
        settings.REDIS_URL = settings.FINESSE_XMPP_SECRET = settings.FINESSE_XMPP_BOSH_URL = ""
        settings.CELERY_BROKER_URL = "memory://localhost/"
        local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        settings.CACHES = {"default": local}
        settings.CHANNEL_LAYERS = {
            "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
        }

    def test_the_embedded_default_is_allowed(self) -> None:
        assert run_checks() == []
        refuse_demo()

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("REDIS_URL", "redis://redis.example/0"),
            ("CELERY_BROKER_URL", "amqp://rabbit.example//"),
            ("FINESSE_XMPP_SECRET", "shared"),
            ("FINESSE_XMPP_COMPONENT", "0.0.0.0:5347"),
            ("FINESSE_XMPP_COMPONENT", "xmpp.example:5347"),
            ("FINESSE_XMPP_BOSH_URL", "http://192.0.2.1:5280/http-bind"),
            ("DATABASES", {"default": {"ENGINE": "finesse.db.postgresql", "NAME": "finesse"}}),
            (
                "DATABASES",
                {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/a/demo.sqlite3"}},
            ),
            ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}),
            (
                "CHANNEL_LAYERS",
                {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}},
            ),
        ],
    )
    def test_settings_of_any_origin_are_seen(self, settings: Any, setting: str, value: Any) -> None:
        setattr(settings, setting, value)
        assert "finesse.E004" in [message.id for message in run_checks()]
        with pytest.raises(ImproperlyConfigured, match="passwords are public"):
            refuse_demo()
        settings.FINESSE_DEMO = False
        assert "finesse.E004" not in [message.id for message in run_checks()]


def test_outside_the_demo_its_password_opens_nothing(cast: Cast, settings: Any) -> None:
    """As where `make run` once has filled a database that is used for more."""
    cast.dave.set_password("finesse")
    assert not cast.dave.check_password("finesse")
    assert cast.alice.check_password(PASSWORD)
    settings.FINESSE_DEMO = True
    assert cast.dave.check_password("finesse")


# --- another machine ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False),
        ("fe80::1%eth0", False),
        ("localhost", False),
        ("", False),
        ("/run/finesse.sock", False),
    ],
)
def test_loopback_addresses(address: str, is_ours: bool) -> None:
    assert is_loopback_address(address) is is_ours


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        *(("localhost", True), ("LocalHost.", True), ("app.localhost", True), ("[::1]", True)),
        *(("notlocalhost", False), ("localhost.example", False), ("127.0.0.1.example", False)),
        *(("finesse.example", False), ("", False), ("2130706433", False), ("127.1", False)),
    ],
)
def test_loopback_hosts(host: str, is_ours: bool) -> None:
    assert is_loopback_host(host) is is_ours


HERE = "127.0.0.1"
THERE = "192.0.2.7"
CALLS = {
    # peer, server's own address, headers: whether it is served
    "from this machine": (HERE, HERE, {"Host": "127.0.0.1:8000"}, True),
    "by a name of it": (HERE, HERE, {"Host": "localhost"}, True),
    "over IPv6": ("::1", "::1", {"Host": "[::1]:8000"}, True),
    "over IPv6 for IPv4": ("::ffff:127.0.0.1", "::ffff:127.0.0.1", {"Host": "[::1]"}, True),
    "without a Host, as HTTP/1.0": (HERE, HERE, {}, True),
    "from another machine": (THERE, "192.0.2.1", {"Host": "localhost"}, False),
    "from this one by its other address": ("192.0.2.1", "192.0.2.1", {"Host": HERE}, False),
    "over a Unix socket": ("", "/run/finesse.sock", {"Host": "localhost"}, False),
    "by a proxy that says whom for": (HERE, HERE, {"X-Forwarded-For": THERE}, False),
    "by a proxy that is told lies": (HERE, HERE, {"X-Forwarded-For": HERE}, False),
    "by a proxy that says how": (HERE, HERE, {"X-Forwarded-Proto": "https"}, False),
    "by a proxy of RFC 7239": (HERE, HERE, {"Forwarded": "for=192.0.2.7"}, False),
    "by a proxy that says its own name": (HERE, HERE, {"Via": "1.1 proxy"}, False),
    "by a proxy that says nothing": (HERE, HERE, {"Host": "finesse.example"}, False),
    "by a page of another site": (HERE, HERE, {"Host": "rebound.example:8000"}, False),
    "by a name that begins well": (HERE, HERE, {"Host": "127.0.0.1.example"}, False),
}


@pytest.mark.parametrize(("peer", "server", "headers", "is_served"), CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_asgi_serves_this_machine_alone(
    kind: str, peer: str, server: str, headers: dict[str, str], is_served: bool
) -> None:
    served, sent = [], []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        served.append(scope)

    async def receive() -> Any:
        return {"type": f"{kind}.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "client": (peer, 40_000) if peer else None,
        "server": (server, 8000),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    await DemoGuardASGI(application)(scope, receive, send)
    assert bool(served) is is_served
    if not is_served:
        assert sent[0].get("status", sent[0]["type"]) in (403, "websocket.close")


@pytest.mark.parametrize("claimed", [HERE, "::1"])
async def test_a_trusted_proxy_elsewhere_cannot_lend_its_clients_our_address(claimed: str) -> None:
    """uvicorn --forwarded-allow-ips='*' believes X-Forwarded-For, and some servers take it out."""
    scope = {"type": "websocket", "client": (claimed, 0), "server": (THERE, 8000), "headers": []}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def application(*_: Any) -> None:
        raise AssertionError

    await DemoGuardASGI(application)(scope, receive, send)
    assert sent == [{"type": "websocket.close"}]


@pytest.mark.parametrize(("peer", "server", "headers", "is_served"), CALLS.values(), ids=CALLS)
def test_wsgi_serves_this_machine_alone(
    peer: str, server: str, headers: dict[str, str], is_served: bool
) -> None:
    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    environ |= {"REMOTE_ADDR": peer, "SERVER_NAME": "0.0.0.0"}
    statuses: list[str] = []
    guarded = DemoGuardWSGI(lambda environ, start_response: [b"served"])
    body = b"".join(guarded(environ, lambda status, headers: statuses.append(status)))
    assert (body == b"served") is is_served
    assert statuses == ([] if is_served else ["403 Forbidden"])


def other_address() -> str:
    """This machine's own, but not of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the kernel only chooses an address.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@contextmanager
def serving(command: list[str], given: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(SECONDS * 20):
            with socket.socket() as probe:
                probe.settimeout(0.05)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.mark.skipif(ON_SERVICES, reason="the demo is the embedded default")
@pytest.mark.parametrize("kind", ["uvicorn", "WSGI server", "runserver"])
def test_a_server_that_listens_everywhere_serves_the_demo_on_loopback_alone(
    tmp_path: Path, kind: str
) -> None:
    elsewhere = other_address()
    installation = Installation(tmp_path)
    installation.prepare()
    port = free_port()
    commands = {
        "uvicorn": [
            *(PYTHON, "-m", "uvicorn", "finesse.asgi:application"),
            *("--host", "0.0.0.0", "--port", str(port), "--forwarded-allow-ips", "*"),
        ],
        "WSGI server": [PYTHON, "-c", WSGI_SERVER, "0.0.0.0", str(port)],
        "runserver": [PYTHON, "manage.py", "runserver", "--noreload", f"0.0.0.0:{port}"],
    }
    headers = {"Authorization": basic("admin", "finesse"), "X-Forwarded-For": "127.0.0.1"}
    with serving(commands[kind], installation.environment, port):
        for path in ("/finesse/api/SystemInfo", "/login/", "/healthz", "/static/viewer.css"):
            answer = httpx.get(
                f"http://{elsewhere}:{port}{path}", headers=headers, timeout=TIMEOUT_SECONDS
            )
            assert answer.status_code == 403
            assert "passwords are public" in answer.text
        assert (
            httpx.get(f"http://127.0.0.1:{port}/login/", timeout=TIMEOUT_SECONDS).status_code == 200
        )
        answer = httpx.get(
            f"http://127.0.0.1:{port}/login/",
            headers={"Host": "evil.example"},
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 403
        if kind == "uvicorn":
            for address in ("/ws/notifications/", "/ws/"):
                with pytest.raises(InvalidStatus, match="403"):
                    connect(
                        f"ws://{elsewhere}:{port}{address}",
                        additional_headers=headers,
                        subprotocols=["xmpp"],  # type: ignore[list-item]
                        open_timeout=TIMEOUT_SECONDS,
                    )


@pytest.mark.skipif(ON_SERVICES, reason="the demo is the embedded default")
def test_two_prosodies_do_not_share_a_configuration(tmp_path: Path) -> None:
    """The demo's, and the one of `make run DEMO=0` with the same data folder."""
    if shutil.which("prosody") is None:
        pytest.skip("there is no prosody")
    installation = Installation(tmp_path, xmpp=True)
    installation.start()
    try:
        assert (tmp_path / "demo-xmpp" / "prosody.cfg.lua").exists()
        assert not (tmp_path / "xmpp").exists()
    finally:
        installation.end()
