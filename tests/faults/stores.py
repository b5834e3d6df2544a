"""PostgreSQL, Redis and RabbitMQ of its own: other ports, other folders, each behind a proxy."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psycopg
from kombu import Connection
from redis import Redis as Client

from tests.faults.proxy import Network
from tests.faults.wire import Wire
from tests.kit.installation import TIMEOUT_SECONDS, free_port
from tests.kit.replicated import PROGRAMS, Replicated

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's; the one on the path starts the system's own node only, as its own user."""


DISK_MEGABYTES = 768
"""Of PostgreSQL, where this user may mount one: a cluster and its replica, and their logs."""


class Store(Protocol):
    """A service that can be killed, stopped, and started again."""

    network: Network

    def kill(self) -> None:
        """kill -9 of all its processes."""
        ...

    def start(self) -> None:
        """Return when it answers."""
        ...

    def stop(self) -> None:
        """SIGSTOP of all its processes."""
        ...

    def go_on(self) -> None: ...

    def end(self) -> None: ...


def missing() -> list[str]:
    """Programs that are needed and not installed."""
    found = {
        "PostgreSQL": PROGRAMS,
        "Redis": shutil.which("redis-server"),
        "RabbitMQ": RABBITMQ.exists(),
        "Prosody": shutil.which("prosody"),
    }
    return [name for name, program in found.items() if not program]


def until(done: Callable[[], object], what: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Ask until it is so. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class PostgreSQL:
    """One cluster, to which a replica can be added, which can take over."""

    def __init__(self, database: str, wire: Wire | None) -> None:
        self.database = database
        self._made = Replicated()
        self.can_be_full = self._mount()
        self._made.start_primary()
        self.network = Network(self.url, wire)

    @property
    def url(self) -> str:
        """Past the proxy."""
        return self._made.url("primary", self.database)

    @property
    def administration(self) -> str:
        return self._made.url("primary")

    def kill(self) -> None:
        self._made.kill_primary()

    def start(self) -> None:
        self._made.start_primary_again()

    def stop(self) -> None:
        self._made.signal_primary(signal.SIGSTOP)

    def go_on(self) -> None:
        self._made.signal_primary(signal.SIGCONT)

    def _mount(self) -> bool:
        """Give it a small disk of its own. False: this user may not mount."""
        folder = str(self._made.folder)
        options = ["-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs"]
        done = subprocess.run(["mount", *options, folder], check=False, capture_output=True)
        if done.returncode == 0:
            shutil.chown(folder, "postgres")
            Path(folder).chmod(0o700)
        return done.returncode == 0

    def fill_disk(self) -> None:
        """Until nothing more can be written."""
        with (self._made.folder / "filler").open("wb", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while filler.write(bytes(1024 * 1024)):
                    pass
            with contextlib.suppress(OSError):
                while filler.write(b"0"):
                    pass

    def empty_disk(self) -> None:
        """Return when it answers: without place for its log PostgreSQL has ended."""
        (self._made.folder / "filler").unlink()
        if not self._answers():
            self.start()

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.administration, connect_timeout=5).close()
            return True
        return False

    def add_replica(self) -> None:
        self._made.add_replica()

    def fail_over(self) -> None:
        """Kill the primary, promote its replica, and lead its clients there. From now on the
        replica is what others call the primary."""
        made = self._made
        made.kill_primary()
        self.network.lead_to(made.url("replica", self.database))
        made.promote()
        made.take_over()

    def end(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.go_on()
        self.network.end()
        self._made.end()
        if self.can_be_full:
            folder = str(self._made.folder)
            subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)
            Path(folder).rmdir()


class _Program:
    """A service that is one group of processes."""

    network: Network
    _process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        self.network.end()
        with contextlib.suppress(ProcessLookupError):
            self.kill()

    def _run(
        self, command: list[str], log: Path, environment: dict[str, str] | None = None
    ) -> None:
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
                start_new_session=True,
            )


class Redis(_Program):
    """Keeps nothing on disk: after a kill it is empty."""

    def __init__(self, folder: Path, wire: Wire | None) -> None:
        self._folder, self._port = folder, free_port()
        self.start()
        self.network = Network(f"redis://127.0.0.1:{self._port}/0", wire)

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        command = ["redis-server", *options, "--appendonly", "no", "--dir", str(self._folder)]
        self._run(command, self._folder / "redis.log")
        until(self._answers, "Redis does not answer")

    def _answers(self) -> bool:
        with contextlib.suppress(Exception), Client(port=self._port, socket_timeout=2) as client:
            return bool(client.ping())
        return False


class RabbitMQ(_Program):
    """A node of its own name, with a folder, a cookie and a port mapper of its own."""

    def __init__(self, folder: Path, wire: Wire | None) -> None:
        self._folder, self._port, self._mapper = folder / "rabbitmq", free_port(), free_port()
        self._folder.mkdir()
        (self._folder / "plugins").write_text("[].\n")
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\n"
            # A watermark of the machine's disk says nothing about these tests.
            "disk_free_limit.absolute = 50MB\n"
        )
        self._environment = {
            **os.environ,
            "HOME": str(self._folder),
            "RABBITMQ_NODENAME": f"faults{self._port}@localhost",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(self._mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
        }
        self.start()
        self.network = Network(self.url, wire)

    @property
    def url(self) -> str:
        """Past the proxy."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}//"

    def start(self) -> None:
        self._run([str(RABBITMQ)], self._folder / "server.log", self._environment)
        until(self._answers, f"RabbitMQ does not answer: see {self._folder}")

    def _answers(self) -> bool:
        with (
            contextlib.suppress(Exception),
            Connection(self.url, connect_timeout=2) as connection,
        ):
            connection.ensure_connection(max_retries=1, timeout=2)
            return True
        return False

    def purge(self, queue: str) -> None:
        """Lose all messages that wait."""
        with Connection(self.url) as connection:
            connection.default_channel.queue_purge(queue)

    def end(self) -> None:
        super().end()
        # The port mapper has left the group of the node that has started it. It refuses to end
        # until it has noticed that the node is gone.
        until(self._mapper_ends, "RabbitMQ's port mapper does not end")

    def _mapper_ends(self) -> bool:
        command = ["epmd", "-port", str(self._mapper), "-kill"]
        said = subprocess.run(command, check=False, capture_output=True, text=True)
        return "living nodes" not in said.stdout + said.stderr
