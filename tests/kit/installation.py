"""A running installation of its own: real processes, a real server, nothing shared.

On the embedded default it is one process (`manage.py run`); on real services it is a server, a
worker and a beat, with a database, a cache prefix and a queue of their own. With `xmpp` there is a
real XMPP server, too: on services the role "xmpp", with the role "component" beside it; otherwise
a child of the server, of which the component is a part. With `wsgi` the server is gunicorn, without
sockets: on services it takes the place of uvicorn.
"""

import contextlib
import fcntl
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

import httpx
import psycopg
from django.conf import settings
from kombu import Connection

from finesse.tls.own_certificate import make_or_renew

ROOT = Path(__file__).resolve().parents[2]
ON_SERVICES = bool(settings.REDIS_URL)
TIMEOUT_SECONDS = 120
DATABASE = "demo.sqlite3"
UVICORN = [
    *(sys.executable, "-m", "uvicorn", "finesse.asgi:application", "--no-access-log"),
    *("--http", "finesse.server.protocols:HTTPProtocol"),
    *("--ws", "finesse.server.protocols:WebSocketProtocol"),
    *("--ws-max-size", "65536", "--ws-per-message-deflate", "false"),
]
SHARED = Path(os.environ["FINESSE_DATA_DIR"])
"""What all processes of this run of pytest share."""
TEMPLATE = SHARED.with_name(f"{SHARED.name}-template")
"""Beside it: tests look whether that folder is as private as the service's data has to be."""
LOAD_DEMO = "from finesse.commands.demo_data import load; load('finesse')"


FIRST_PORT, PORTS = 10_240, 4_000
"""Those that a process of pytest-xdist gives out: below the ones that the system gives to whoever
asks for any, and not those of another process. A server may bind its own half a minute later."""
_ports = itertools.count(random.randrange(PORTS))


def free_port() -> int:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        port = FIRST_PORT + PORTS * (worker % 5) + next(_ports) % PORTS
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def administration() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


class Installation:
    """The demo, served. Processes end by their ids, and only those started here."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "",
        measured: bool = False,
        xmpp: bool = False,
        wsgi: bool = False,
    ) -> None:
        self.folder = folder
        self.code = ROOT
        """The checkout that runs."""
        self.wsgi = wsgi
        self.name = name or f"journey_{uuid.uuid4().hex[:12]}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "SECRET_KEY": "for-this-journey-only",
            "FINESSE_DEMO": "0" if ON_SERVICES else "1",
            "FINESSE_PRESENCE_SECONDS": "0",
            # As docs/operations.md says for machines that stand still for longer than the default:
            # other tests run beside this one.
            "FINESSE_HEARTBEAT_SECONDS": "8",
            "FINESSE_DATA_DIR": str(folder),
            "FINESSE_INSTANCE": self.name,
            "FINESSE_REQUEST_ID_ON_SUCCESS": "1",
            "DJANGO_SETTINGS_MODULE": "tests.served_settings",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.pop("PYTHONDEVMODE", None)
        if not measured:
            # Coverage makes servers slow; one installation that is measured is enough.
            for name in [name for name in self.environment if name.startswith("COVERAGE_")]:
                del self.environment[name]
        if ON_SERVICES:
            base = os.environ["DATABASE_URL"].rpartition("/")[0]
            self.environment["DATABASE_URL"] = f"{base}/{self.name}"
        self.prepared = False
        self.xmpp = xmpp
        if xmpp:
            self.xmpp_port, self.xmpp_secure_port = free_port(), free_port()
            self.component_port, self.bosh_port = free_port(), free_port()
            self.bosh_url = f"http://127.0.0.1:{self.bosh_port}/http-bind"
            # The authority that XMPP's clients have to trust; the server is "localhost".
            self.authority = folder / "tls" / "authority.pem"
            self.environment |= {
                "FINESSE_XMPP_DOMAIN": "localhost",
                "FINESSE_XMPP_COMPONENT": f"127.0.0.1:{self.component_port}",
                "FINESSE_XMPP_PORT": str(self.xmpp_port),
                "FINESSE_XMPP_SECURE_PORT": str(self.xmpp_secure_port),
                "FINESSE_XMPP_BOSH_URL": self.bosh_url,
            }
            if ON_SERVICES:
                self.environment["FINESSE_XMPP_SECRET"] = "for-this-journey-only"

    def prepare(self) -> None:
        """Migrate and load the demo: once a run of the tests, the others get a copy."""
        self.prepared = True
        with _template() as template:
            if ON_SERVICES:
                with administration() as connection:
                    connection.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{template.name}"')
            else:
                shutil.copy(template.folder / DATABASE, self.folder / DATABASE)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.code,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load_demo(self) -> None:
        """The demo's data; on services by its function, since the demo itself is refused there."""
        if ON_SERVICES:
            self.manage("shell", "--no-imports", "-c", LOAD_DEMO)
        else:
            self.manage("demo")

    def start(self) -> None:
        """Start the processes that do not run, and wait until the service is in service."""
        if not self.prepared:
            self.prepare()
        python = sys.executable
        if ON_SERVICES:
            celery = [python, "-m", "celery", "-A", "finesse"]
            if self.wsgi:
                self.start_wsgi_server("server", self.port)
            else:
                self._start("server", [*UVICORN, "--port", str(self.port)])
            self._start("worker", [*celery, "worker", "-c", "2", "-n", f"{self.name}@localhost"])
            self.start_beat("beat")
            if self.xmpp:
                self.start_xmpp_server()
                self.start_component("component")
        elif self.wsgi:
            self.start_wsgi_server("server", self.port, "tests.kit.wsgi_with_worker")
        else:
            run = [python, "manage.py", "run", "--port", str(self.port)]
            self._start("server", [*run, "--xmpp"] if self.xmpp else run)
        self.await_status(200)

    def start_wsgi_server(self, role: str, port: int, module: str = "finesse.wsgi") -> None:
        """One process of four threads."""
        gunicorn = [sys.executable, "-m", "gunicorn", "--threads", "4", "--graceful-timeout", "2"]
        self._start(role, [*gunicorn, "--bind", f"127.0.0.1:{port}", f"{module}:application"])

    def start_beat(self, role: str) -> None:
        self._start(role, [sys.executable, "-m", "celery", "-A", "finesse", "beat"])

    def start_component(self, role: str) -> None:
        self._start(role, [sys.executable, "manage.py", "xmpp_component"])

    def start_program(self, role: str, code: str) -> None:
        """Run Python in the installation's own Django, beside everything else."""
        self._start(role, [sys.executable, "manage.py", "shell", "--no-imports", "-c", code])

    def start_xmpp_server(self) -> None:
        """On services, alone."""
        self._start("xmpp", ["prosody", "-F", "--config", str(self._prosody())])

    def _prosody(self) -> Path:
        """The configuration of the XMPP server, as an operator makes it."""
        file = self.folder / "prosody.cfg.lua"
        if not file.exists():
            pair = make_or_renew(self.authority.parent, ["localhost"])
            made = self.manage(
                "xmpp_config",
                *("--certificate", str(pair.certificate), "--key", str(pair.key)),
                *("--password-url", f"{self.url}/finesse/xmpp/password"),
                *("--interface", "127.0.0.1"),
            )
            # Prosody runs as the user of the tests, and writes into their folder only.
            own = f"run_as_root = true\ndata_path = '{self.folder / 'prosody'}'\n"
            (self.folder / "prosody").mkdir()
            file.write_text(own + made)
        return file

    def _start(self, role: str, command: list[str]) -> None:
        running = self.processes.get(role)
        if running and running.poll() is None:
            return
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                command,
                cwd=self.code,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_status(self, status: int) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        seen: Any = None
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                response = httpx.get(f"{self.url}/healthz", timeout=5)
                seen = response.json()
                if response.status_code == status:
                    return seen
            time.sleep(0.05)
        raise AssertionError(f"/healthz did not answer {status}: {seen}\n{self.logs()}")

    def await_fault(self, part: str) -> None:
        """Wait until /healthz names this part. Another may be named first: one worker stamps
        several, each at its own times."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (seen := self.await_status(503))["parts"][part] == "ok":
            assert time.monotonic() < deadline, f"{part} is not at fault: {seen}"
            time.sleep(0.05)

    def kill(self, role: str) -> None:
        """kill -9, the whole process group: prefork workers have children."""
        if role == "xmpp" and role not in self.processes:
            os.kill(self.pid(role), signal.SIGKILL)
            return
        process = self.processes.pop(role)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def pid(self, role: str) -> int:
        if role in self.processes:
            return self.processes[role].pid
        # The XMPP server as the server's child.
        parent = str(self.processes["server"].pid)
        listed = ["ps", "-o", "pid=,args=", "--ppid", parent]
        shown = subprocess.run(listed, check=True, capture_output=True, text=True).stdout
        (child,) = [line for line in shown.splitlines() if "prosody" in line]
        return int(child.split()[0])

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if ON_SERVICES:
            with administration() as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            if address := self.environment.get("CELERY_BROKER_URL"):
                with Connection(address) as broker:
                    broker.default_channel.queue_delete(self.name)

    def dump(self) -> Path:
        """A backup of the database, made while it is in use."""
        backup = self.folder / "backup"
        if ON_SERVICES:
            dump = ["pg_dump", "--format=custom", f"--file={backup}"]
            subprocess.run([*dump, self.environment["DATABASE_URL"]], check=True)
        else:
            with closing(connect(self.folder / DATABASE)) as live, closing(connect(backup)) as copy:
                live.backup(copy)
        return backup

    def restore(self, backup: Path) -> None:
        """As docs/operations.md says: nobody writes meanwhile, and servers go on."""
        if ON_SERVICES:
            for role in ("beat", "worker"):
                self.kill(role)
            options = ["--clean", "--if-exists", "--single-transaction"]
            database = f"--dbname={self.environment['DATABASE_URL']}"
            subprocess.run(["pg_restore", *options, database, str(backup)], check=True)
            # Not before the outage was noticed: `start` would not wait for its end.
            self.await_status(503)
            self.start()
        else:
            with closing(connect(self.folder / DATABASE)) as live, closing(connect(backup)) as copy:
                copy.backup(live)

    def query(self, code: str) -> Any:
        """Evaluate Python in the installation's own Django, for data that no client can see."""
        return json.loads(self.manage("shell", "--no-imports", "-c", code).splitlines()[-1])


@contextlib.contextmanager
def _template() -> Iterator[Installation]:
    """A freshly migrated demo that is never started, for one process at a time."""
    TEMPLATE.mkdir(exist_ok=True)
    with (TEMPLATE / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        template = Installation(TEMPLATE, name=f"template_{SHARED.name}")
        complete = TEMPLATE / "complete"
        if not complete.exists():
            if ON_SERVICES:
                with administration() as connection:
                    connection.execute(f'CREATE DATABASE "{template.name}"')
            template.manage("migrate", "--verbosity", "0")
            template.load_demo()
            complete.touch()
        yield template


def remove_template() -> None:
    """At the end of the run, by the one process that began it."""
    if TEMPLATE.exists():
        Installation(TEMPLATE, name=f"template_{SHARED.name}").end()
        shutil.rmtree(TEMPLATE)
