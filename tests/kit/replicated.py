"""PostgreSQL with a streaming replica: two servers of their own, which end with the test."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.kit.installation import TIMEOUT_SECONDS, free_port

FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PROGRAMS = FOUND[-1] if FOUND else None
"""Debian's folder of the server's programs; None: not installed there."""


class Replicated:
    """A primary that waits for its replica at each commit."""

    def __init__(self) -> None:
        # Servers refuse to run as root, so the folder has to be their user's.
        self._is_root = os.geteuid() == 0
        self.folder = Path(mkdtemp(prefix="replicated-"))
        if self._is_root:
            shutil.chown(self.folder, "postgres")
        self.ports = {"primary": free_port(), "replica": free_port()}
        self._folders = {"primary": "primary", "replica": "replica"}

    def start(self) -> None:
        self.start_primary()
        self.add_replica()

    def start_primary(self) -> None:
        """Alone: it waits for nobody."""
        self._run("initdb", "-D", self._data("primary"), "-A", "trust", "-U", "postgres", "-N")
        self._configure("primary")
        self._start("primary")

    def add_replica(self) -> None:
        """Return when each commit waits for it."""
        source = ("-h", "127.0.0.1", "-p", str(self.ports["primary"]), "-U", "postgres")
        self._run("pg_basebackup", *source, "-D", self._data("replica"), "-R", "-c", "fast")
        self._configure("replica")
        self._start("replica")
        with psycopg.connect(self.url("primary"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while connection.execute("SELECT sync_state FROM pg_stat_replication").fetchall() != [
                ("sync",)
            ]:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def url(self, role: str, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.ports[role]}/{database}"

    def kill_primary(self) -> None:
        """kill -9 of the postmaster and of all its sessions."""
        self.signal_primary(signal.SIGKILL)

    def signal_primary(self, number: signal.Signals) -> None:
        """To the postmaster and to all its sessions."""
        pid = int(Path(self._data("primary"), "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
        for one in (pid, *map(int, listed.stdout.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)

    def start_primary_again(self) -> None:
        """After a kill: return when it has recovered. It is refused while one of the killed
        sessions still has its memory."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not self._started("primary"):
            assert time.monotonic() < deadline, "PostgreSQL does not start again"
            time.sleep(0.05)

    def promote(self) -> None:
        """Return when the replica takes statements that write. It waits for no other any more."""
        self._run("pg_ctl", "-D", self._data("replica"), "-w", "promote")
        with psycopg.connect(self.url("replica"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")

    def take_over(self) -> None:
        """Call the promoted replica the primary from now on, and forget the old one: another
        replica can be added."""
        shutil.rmtree(self._data("primary"))
        port = free_port()
        self.ports = {"primary": self.ports["replica"], "replica": port}
        self._folders = {"primary": self._folders["replica"], "replica": f"replica-{port}"}

    def end(self) -> None:
        for role in self.ports:
            if Path(self._data(role), "postmaster.pid").exists():
                stop = ("-D", self._data(role), "-m", "immediate", "stop")
                self._run("pg_ctl", *stop, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _data(self, role: str) -> str:
        return str(self.folder / self._folders[role])

    def _configure(self, role: str) -> None:
        file = Path(self._data(role), "postgresql.conf")
        text = re.sub(r"^(port|listen_addresses|unix_socket).*$", "", file.read_text(), flags=re.M)
        file.write_text(
            f"{text}\nport = {self.ports[role]}\nlisten_addresses = '127.0.0.1'\n"
            f"unix_socket_directories = '{self.folder}'\n"
        )

    def _start(self, role: str) -> None:
        assert self._started(role), f"{role} does not start"

    def _started(self, role: str) -> bool:
        log = str(self.folder / f"{role}.log")
        start = ("-D", self._data(role), "-l", log, "-w", "-s", "start")
        return self._run("pg_ctl", *start, check=False)

    def _run(self, program: str, *arguments: str, check: bool = True) -> bool:
        assert PROGRAMS
        user = ["runuser", "-u", "postgres", "--"] if self._is_root else []
        done = subprocess.run(
            [*user, str(PROGRAMS / program), *arguments],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.returncode == 0
