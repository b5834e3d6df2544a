"""The service as `production` runs it, on stores of its own, each behind a proxy that can break."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import psycopg
from kombu import Connection

from finesse.production.supervision import RUNNING, State
from finesse.xmpp.stand_by import SUFFIX
from tests.faults import reading
from tests.faults.history import Restored
from tests.faults.stores import PostgreSQL, RabbitMQ, Redis, Store, until
from tests.faults.wire import Wire
from tests.kit.installation import LOAD_DEMO, ROOT
from tests.kit.production import Production

AnyStore = TypeVar("AnyStore", bound=Store)


class SetUp(Production):
    """Two processes of web, worker, beat and component, one for sockets, and Prosody."""

    def __init__(self, folder: Path, former: str = "") -> None:
        """With the commit `former` it begins with the code of that version, and its database."""
        super().__init__(folder)
        if former:
            self.code = folder / "code"
            extract(former, self.code)
        self.stores: dict[str, Store] = {}
        self.restored: Restored | None = None
        """What a restore has undone in this round."""
        self.without_wires = ""
        """Why this machine has no namespaces of the network; empty if it has."""
        try:
            self.postgresql = self._keep("PostgreSQL", PostgreSQL("faults", self._wire()))
            self.redis = self._keep("Redis", Redis(folder, self._wire()))
            self.rabbitmq = self._keep("RabbitMQ", RabbitMQ(folder, self._wire()))
            self._configure()
        except BaseException:
            self.end()
            raise

    def _wire(self) -> Wire | None:
        try:
            return Wire()
        except OSError as error:
            self.without_wires = str(error)
            return None

    def _keep(self, name: str, store: AnyStore) -> AnyStore:
        self.stores[name] = store
        return store

    def _configure(self) -> None:
        with psycopg.connect(self.postgresql.administration, autocommit=True) as connection:
            connection.execute('CREATE DATABASE "faults"')
        self.environment |= {
            "DATABASE_URL": self.postgresql.network.url,
            "REDIS_URL": self.redis.network.url,
            "CELERY_BROKER_URL": self.rabbitmq.network.url,
            "FINESSE_WORKER_PROCESSES": "2",
            "FINESSE_BEAT_PROCESSES": "2",
        }
        # The default is what is measured here.
        del self.environment["FINESSE_HEARTBEAT_SECONDS"]

    def wire_of(self, name: str) -> Wire:
        wire = self.stores[name].network.wire
        assert wire, self.without_wires
        return wire

    @property
    def sockets_url(self) -> str:
        return f"http://127.0.0.1:{self.sockets_port}"

    def prepare(self) -> None:
        self.prepared = True
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--no-imports", "-c", LOAD_DEMO)

    def database(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Past the proxy."""
        return psycopg.connect(self.postgresql.url, autocommit=True)

    def end(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGCONT)
        try:
            process = self.processes.get("production")
            if process and process.poll() is None:
                process.terminate()
                process.wait(90)
            for role in [*self.processes]:
                with contextlib.suppress(ProcessLookupError):
                    self.kill(role)
            self._end_orphans()
        finally:
            for store in self.stores.values():
                store.end()

    def _end_orphans(self) -> None:
        """What a supervisor that has died has left behind: it has this set-up's name."""
        mark = f"FINESSE_INSTANCE={self.name}\0".encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes():
                    os.kill(int(folder.name), signal.SIGKILL)

    # --- processes ------------------------------------------------------------------------------

    def named(self, name: str) -> State:
        return next(one for one in self.states() if one.name == name)

    def signal(self, name: str, number: signal.Signals) -> None:
        """To a process of the supervisor and to its children: all of them, or the supervisor's
        own would go on."""
        for pid in _with_children(self.named(name).pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill_process(self, name: str) -> int:
        """kill -9; the supervisor starts it again. Returns the id that it had."""
        pid = self.named(name).pid
        for one in _with_children(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        return pid

    def await_process(self, name: str, former: int) -> None:
        """Until it was started again, and has said that it works."""

        def works() -> bool:
            now = self.named(name)
            return now.state == RUNNING and now.pid != former and now.works

        until(works, f"{name} does not come back")

    def connected_component(self) -> str:
        """The name of the one that is connected; the other stands by."""
        (turn,) = self.folder.rglob(f"*{SUFFIX}")
        inode = turn.stat().st_ino
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        # Numbers of the lock, the process and the file; waiting ones begin with an arrow.
        (pid,) = (
            int(one[4]) for one in locks if one[5].endswith(f":{inode}") and one[1] == "FLOCK"
        )
        return next(one.name for one in self.states() if one.pid == pid)

    # --- versions -------------------------------------------------------------------------------

    def migrate(self) -> None:
        """By the code of now, whichever runs."""
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def install(self) -> None:
        """Put the files of now in the place of those of the former version."""
        former = {path for path in self.code.rglob("*") if path.is_file()}
        listed = subprocess.run(
            ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if (ROOT / name).is_file():
                (self.code / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.code / name)
                former.discard(self.code / name)
        for path in former:
            path.unlink()

    # --- backups --------------------------------------------------------------------------------

    def back_up(self) -> tuple[float, int]:
        """Make a backup beside the running service. Returns from when on it may have missed what
        was accepted, and the position that the log had then."""
        with self.database() as database:
            begun, position = time.monotonic(), reading.head(database).position
        dump = ["pg_dump", "--format=custom", f"--file={self.backup}", self.postgresql.url]
        subprocess.run(dump, check=True)
        return begun, position

    def go_back(self, begun: float, position: int) -> None:
        """As docs/operations.md says: who writes has ended meanwhile, servers go on."""
        writers = [one for one in self.states() if one.kind in {"worker", "beat", "component"}]
        for one in writers:
            self.supervisor.stop(one)
        with self.database() as database:
            log = reading.log(database, position)
        options = ["--clean", "--if-exists", "--single-transaction"]
        database_option = f"--dbname={self.postgresql.url}"
        subprocess.run(["pg_restore", *options, database_option, str(self.backup)], check=True)
        over = time.monotonic()
        with self.database() as database:
            kept = reading.head(database).position
        gone = [one for one in log if one.position > kept]
        self.restored = Restored(kept=kept, gone=gone, begun=begun, over=over)
        self.manage("migrate", "--verbosity", "0")
        for one in writers:
            self.supervisor.start(one)

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    # --- messages -------------------------------------------------------------------------------

    def repeat_messages(self, count: int) -> None:
        """Call for applying and for sweeping so many times, whether it was called for or not."""
        arguments = [[], {}, dict.fromkeys(("callbacks", "errbacks", "chain", "chord"))]
        with Connection(self.rabbitmq.url) as connection:
            producer = connection.Producer()
            for _ in range(count):
                for task in ("media.tasks.apply_requests", "media.tasks.sweep"):
                    producer.publish(
                        arguments,
                        routing_key=self.name,
                        headers={"task": task, "id": uuid.uuid4().hex},
                        serializer="json",
                    )


PRODUCTION = "finesse/commands/management/commands/production.py"


def extract(commit: str, folder: Path) -> None:
    """The files of a commit, into a new folder."""
    folder.mkdir()
    archive = subprocess.run(("git", "archive", commit), cwd=ROOT, check=True, capture_output=True)
    subprocess.run(("tar", "-x"), cwd=folder, check=True, input=archive.stdout)


def first_with_production() -> str:
    """The oldest commit of this checkout's history that has `make production`; "" if there is no
    history."""
    if not shutil.which("git"):
        return ""
    command = ("git", "log", "--diff-filter=A", "--format=%H", "--", PRODUCTION)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split()[-1] if done.stdout else ""


def _with_children(pid: int) -> Iterator[int]:
    """A process and those that it has started, parents first."""
    yield pid
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _with_children(int(child))
