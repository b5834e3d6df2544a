"""The stage of the benchmarks: databases, keys and queues of their own on loopback, and processes,
which are ended by their ids."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from kombu import Connection
from redis import Redis

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = Path(sys.prefix) / "benchmarks"
"""Packages that only the benchmarks need, beside the product's environment and not in it."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
START_TIMEOUT_SECONDS = 60.0
"""The longest time that a process may take until it is ready."""


class Services:
    """PostgreSQL, Redis and RabbitMQ: those of `make services` unless the environment names others
    on loopback."""

    def __init__(self) -> None:
        read = os.environ.get
        self.database = read("DATABASE_URL", "postgres://postgres:postgres@127.0.0.1:5432/postgres")
        self.redis = read("REDIS_URL", "redis://127.0.0.1:6379/0")
        self.broker = read("CELERY_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672//")

    def missing(self) -> list[str]:
        """Descriptions of everything that must be installed or started first."""
        found = []
        for name, url in (
            ("PostgreSQL", self.database),
            ("Redis", self.redis),
            ("RabbitMQ", self.broker),
        ):
            parts = urlsplit(url)
            if parts.hostname not in LOOPBACK:
                found.append(f"{name} on loopback; {parts.hostname} may be another machine")
            elif not listens(parts.hostname, parts.port or 0):
                found.append(f"{name}: nothing listens on {parts.netloc.rpartition('@')[2]}")
        if not shutil.which("wrk"):
            found.append("wrk (on Debian: apt-get install wrk)")
        if not shutil.which("chromium"):
            found.append("Chromium, for the board (`make services` installs it)")
        if not (PACKAGES / "granian").exists():
            found.append("the packages of benchmarks/requirements.txt (`make bench` installs them)")
        return found


def listens(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), 1):
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """One role of a contender, with all the processes that it starts itself."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._popen.pid

    def alive(self) -> bool:
        return self._popen.poll() is None

    def end(self) -> None:
        """SIGTERM, and after ten seconds SIGKILL to its whole group."""
        if self.alive():
            self._popen.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(10)
        # Processes that it left behind are in its group, and no others.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()

    def tail(self) -> str:
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")[-2000:]
        return ""


class Stage:
    """Everything that one run makes; it is removed at the end of the context."""

    def __init__(self) -> None:
        self.services = Services()
        self.name = f"finesse_bench_{uuid.uuid4().hex[:8]}"
        self.folder = Path(tempfile.mkdtemp(prefix="finesse-bench-"))
        self._databases: list[str] = []
        self._queues: list[str] = []
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A second interrupt must not leave databases behind.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in [*self._processes]:
            self.end(process)
        for database in [*self._databases]:
            self.drop(database)
        with Redis.from_url(self.services.redis) as redis:
            if keys := list(redis.scan_iter(f"{self.name}*", count=1000)):
                redis.delete(*keys)
        if self._queues:
            with Connection(self.services.broker) as broker:
                channel: Any = broker.default_channel
                for queue in self._queues:
                    channel.queue_delete(queue)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- databases ------------------------------------------------------------------------------

    def administration(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg.connect(self.services.database, autocommit=True)

    def database(self, name: str, template: str | None = None) -> str:
        """Make a database, empty or as a copy; returns its full name."""
        whole = f"{self.name}_{name}"
        copied = f' TEMPLATE "{template}"' if template else ""
        with self.administration() as connection:
            connection.execute(f'CREATE DATABASE "{whole}"{copied}'.encode())
        self._databases.append(whole)
        return whole

    def drop(self, database: str) -> None:
        with self.administration() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'.encode())
        self._databases.remove(database)

    def url_of(self, database: str) -> str:
        return f"{self.services.database.rpartition('/')[0]}/{database}"

    def sql(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        """Execute the statements, each in its own transaction; returns the rows of the last one."""
        with psycopg.connect(self.url_of(database), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def queue(self, name: str) -> str:
        """A name for a queue, which is deleted at the end."""
        self._queues.append(name)
        return name

    def purge(self, queue: str) -> None:
        """Delete the messages of a queue, if there is such a queue."""
        with Connection(self.services.broker) as broker:
            channel: Any = broker.default_channel
            with contextlib.suppress(*broker.channel_errors):
                channel.queue_purge(queue)

    # --- processes ------------------------------------------------------------------------------

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Process:
        process = Process(command, environment, self.folder / f"{name}.log")
        self._processes.append(process)
        return process

    def end(self, process: Process) -> None:
        process.end()
        self._processes.remove(process)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> str:
        """Run a program to its end; returns its output. Raises RuntimeError if it fails."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
        return done.stdout


def await_port(process: Process, port: int) -> None:
    """Wait until a process listens. Raises RuntimeError, with the end of its log, if not."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not listens("127.0.0.1", port):
        if not process.alive() or time.monotonic() > deadline:
            raise RuntimeError(f"{process.log.name}: does not listen\n{process.tail()}")
        time.sleep(0.05)
