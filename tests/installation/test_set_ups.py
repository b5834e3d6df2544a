"""The set-ups that the documents name, started as they say: a PUT ends in its notification.

Others are started elsewhere: the demo with TLS in tests/tls, with Prosody in tests/xmpp, servers
with a worker and a beat on PostgreSQL, Redis and RabbitMQ by every test on real services.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import WebSocketException

from tests.kit.installation import (
    ON_SERVICES,
    ROOT,
    TIMEOUT_SECONDS,
    Installation,
    administration,
    free_port,
)
from tests.kit.socket_client import watch
from tests.kit.whole_way import assert_a_put_ends_in_its_notification

PASSWORD = "not the demo's"
LOAD_PEOPLE = f"from finesse.commands.demo_data import load; load({PASSWORD!r})"


# --- make run -------------------------------------------------------------------------------------

MAKE = ["make", "run", f"BIN={Path(sys.executable).parent}", "--assume-old=.venv/installed"]


class Made(Installation):
    """Started by make, in an empty folder, with no setting but those that are given here."""

    def __init__(self, folder: Path, *variables: str, **environment: str) -> None:
        super().__init__(folder)
        self.command = [*MAKE, f"PORT={self.port}", *variables]
        ours = ("FINESSE_", "DATABASE_URL", "REDIS_URL", "CELERY_", "SECRET_KEY", "DJANGO_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = {**kept, "FINESSE_DATA_DIR": str(folder), **environment}

    def start(self) -> None:
        self._start("server", self.command)
        self.await_status(200)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_make_run(folder: Path) -> None:
    if ON_SERVICES:
        pytest.skip("it is the embedded default")
    made = Made(folder)
    try:
        made.start()
        assert_a_put_ends_in_its_notification(made.url)
    finally:
        made.end()


def test_make_run_without_the_demo(folder: Path) -> None:
    """In one process, on SQLite; where there is PostgreSQL, on that alone."""
    made = Made(folder, "DEMO=0", SECRET_KEY="of this test", FINESSE_DEMO="1")
    if ON_SERVICES:
        base = os.environ["DATABASE_URL"].rpartition("/")[0]
        made.environment["DATABASE_URL"] = f"{base}/{made.name}"
        with administration() as connection:
            connection.execute(f'CREATE DATABASE "{made.name}"')
    try:
        made.start()
        made.environment["FINESSE_DEMO"] = "0"
        made.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
        made.manage("createsuperuser", "--no-input", "--login_id", "root", "--first_name", "Root")
        made.manage("shell", "--no-imports", "-c", LOAD_PEOPLE)
        assert_a_put_ends_in_its_notification(made.url, PASSWORD)
        with pytest.raises(WebSocketException), watch(made.url, "2001"):
            pass
        with watch(made.url, "root", PASSWORD) as root:
            assert root.subscribe()["resume"] == "live"
    finally:
        made.end()


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ([], "--host 127.0.0.1 --port 8000"),
        (["TLS=1"], "--host 127.0.0.1 --port 8445 --tls"),
        (["XMPP=1"], "--host 127.0.0.1 --port 8000 --xmpp"),
        (["DEMO=0", "TLS=1", "HOST=0.0.0.0"], "--host 0.0.0.0 --port 8445 --tls"),
        (["TLS=1", "XMPP=1", "PORT=9000"], "--host 127.0.0.1 --port 9000 --tls --xmpp"),
    ],
)
def test_make_run_passes_its_variables_on(variables: list[str], options: str) -> None:
    """The commands with these options are started by tests/tls and tests/xmpp."""
    dry = subprocess.run(
        [*MAKE, "--dry-run", "--no-print-directory", *variables],
        cwd=ROOT,
        # Some shells have a HOST of their own: it is not for make.
        env={**os.environ, "HOST": "mybox.example"},
        check=True,
        capture_output=True,
        text=True,
    )
    *_, last = dry.stdout.strip().splitlines()
    assert " ".join(last.split()).endswith(f"manage.py run {options}")


# --- many processes -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_broker_in_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """uvicorn, a worker and a beat, and a WSGI server beside them."""
    if not ON_SERVICES:
        pytest.skip("one process is all of it")
    made = Installation(tmp_path_factory.mktemp("redis"))
    made.environment["CELERY_BROKER_URL"] = os.environ["REDIS_URL"]
    try:
        made.start()
        yield made
    finally:
        made.end()


def test_the_broker_may_be_redis(with_broker_in_redis: Installation) -> None:
    assert_a_put_ends_in_its_notification(with_broker_in_redis.url)
    roles = with_broker_in_redis.processes
    assert {role for role, process in roles.items() if process.poll() is None} == {
        *("server", "worker", "beat")
    }
    # It was the bell that called the worker, or the sweep: beat's is a message in Redis, too.
    assert with_broker_in_redis.await_status(200)["parts"]["sweep"] == "ok"


def test_a_wsgi_server_serves_rest_beside_the_sockets(with_broker_in_redis: Installation) -> None:
    port = free_port()
    with_broker_in_redis.start_wsgi_server("WSGI", port)
    wsgi = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            if httpx.get(f"{wsgi}/healthz", timeout=5).status_code == 200:
                break
        except httpx.HTTPError:
            assert time.monotonic() < deadline, with_broker_in_redis.logs()
            time.sleep(0.05)
    url = with_broker_in_redis.url
    assert_a_put_ends_in_its_notification(url, put_to=wsgi, request_id="r-2")
    assert httpx.get(f"{wsgi}/login/", timeout=TIMEOUT_SECONDS).status_code == 200


@pytest.mark.skipif(ON_SERVICES, reason="it needs none of them")
@pytest.mark.parametrize("broker", ["redis://127.0.0.1:{}/0", "amqp://guest:guest@127.0.0.1:{}//"])
def test_no_request_waits_for_a_broker_that_hangs(broker: str, folder: Path) -> None:
    """The kernel accepts the connection, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = broker.format(hanging.getsockname()[1])
        made = Made(folder, SECRET_KEY="of this test", CELERY_BROKER_URL=address)
        made.environment["FINESSE_DEMO"] = "0"
        code = "import json; from media.writing.bell import ring; ring(); print(json.dumps('rung'))"
        shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        done = subprocess.run(
            shell,
            cwd=ROOT,
            env=made.environment,
            timeout=TIMEOUT_SECONDS,
            check=True,
            capture_output=True,
        )
    assert b"rung" in done.stdout
    assert b"The bell did not ring" in done.stderr
