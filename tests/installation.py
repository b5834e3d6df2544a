"""A running installation of its own: real processes, a real server, nothing shared.

On the embedded default it is one process (`manage.py run`); on real services it is a server, a
worker and a beat, with a database, a cache prefix and a queue of their own.
"""

import atexit
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.conf import settings
from kombu import Connection

ROOT = Path(__file__).resolve().parent.parent
ON_SERVICES = bool(settings.REDIS_URL)
PATIENCE = 30
DATABASE = "demo.sqlite3"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def administration() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


class Installation:
    """The demo, served. Processes end by their ids, and only those started here."""

    def __init__(self, folder: Path, *, measured: bool = False) -> None:
        self.folder = folder
        self.name = f"journey_{uuid.uuid4().hex[:12]}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "SECRET_KEY": "for-this-journey-only",
            "FINESSE_DEMO": "1",
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

    def prepare(self) -> None:
        """Migrate and load the demo: once a run of the tests, the others get a copy."""
        self.prepared = True
        template = _template()
        if ON_SERVICES:
            with administration() as connection:
                connection.execute(f'CREATE DATABASE "{self.name}" TEMPLATE "{template.name}"')
        else:
            shutil.copy(template.folder / DATABASE, self.folder / DATABASE)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def start(self) -> None:
        """Start what is not running, and wait until the service is in service."""
        if not self.prepared:
            self.prepare()
        python = sys.executable
        if ON_SERVICES:
            celery = [python, "-m", "celery", "-A", "finesse"]
            uvicorn = [python, "-m", "uvicorn", "finesse.asgi:application", "--no-access-log"]
            self._start("server", [*uvicorn, "--port", str(self.port)])
            self._start("worker", [*celery, "worker", "-c", "2", "-n", f"{self.name}@localhost"])
            self._start("beat", [*celery, "beat"])
        else:
            self._start("server", [python, "manage.py", "run", "--port", str(self.port)])
        self.await_status(200)

    def _start(self, role: str, command: list[str]) -> None:
        running = self.processes.get(role)
        if running and running.poll() is None:
            return
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def await_status(self, status: int) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        seen: Any = None
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                response = httpx.get(f"{self.url}/healthz", timeout=5)
                seen = response.json()
                if response.status_code == status:
                    return seen
            time.sleep(0.05)
        raise AssertionError(f"/healthz did not answer {status}: {seen}\n{self.logs()}")

    def kill(self, role: str) -> None:
        """kill -9, the whole process group: prefork workers have children."""
        process = self.processes.pop(role)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if ON_SERVICES:
            with administration() as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            with Connection(os.environ["CELERY_BROKER_URL"]) as broker:
                broker.default_channel.queue_delete(self.name)

    def query(self, code: str) -> Any:
        """Evaluate Python in the installation's own Django, for what no client can see."""
        return json.loads(self.manage("shell", "--no-imports", "-c", code).splitlines()[-1])


@cache
def _template() -> Installation:
    """A freshly migrated demo that is never started."""
    made = Installation(Path(tempfile.mkdtemp(prefix="finesse-template-")))
    if ON_SERVICES:
        with administration() as connection:
            connection.execute(f'CREATE DATABASE "{made.name}"')
    atexit.register(shutil.rmtree, made.folder)
    atexit.register(made.end)
    made.manage("migrate", "--verbosity", "0")
    made.manage("demo")
    return made
