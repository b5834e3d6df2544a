"""supervisord as `production` runs it, with a process of a few lines."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from finesse import readiness
from finesse.production.supervision import READY_FOLDER, SUPERVISORD, NotRunningError, Supervisor
from tests.kit.installation import ROOT, TIMEOUT_SECONDS, free_port

LIKE_GUNICORN = "import os, time; os.fork(); time.sleep(1000)"
"""A child has the socket, too, and outlives its parent's kill -9."""


class Supervised(Supervisor):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        configuration = folder / "supervisord.conf"
        configuration.write_text(
            f"[supervisord]\nlogfile = {folder}/log\npidfile = {folder}/pid\n"
            f"[unix_http_server]\nfile = {folder}/supervisor.sock\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory ="
            " supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[fcgi-program:web]\nsocket = tcp://127.0.0.1:{self.port}\nstartsecs = 0\n"
            f'command = {sys.executable} -c "{LIKE_GUNICORN}"\nautorestart = true\n'
        )
        command = [sys.executable, "-m", SUPERVISORD, "-c", str(configuration), "--nodaemon"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        self.children: set[int] = set()

    def pid_beside(self, former: int) -> int:
        """Of the one process, once it is another than before, and has its child."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            assert self.process.poll() is None, "supervisord has ended"
            try:
                pid = self.states()[0].pid
            except NotRunningError:
                pid = 0
            children = Path(f"/proc/{pid}/task/{pid}/children")
            if pid not in (0, former) and children.exists() and (found := children.read_text()):
                self.children |= {pid, *map(int, found.split())}
                return pid
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    made = Supervised(tmp_path)
    yield made
    made.end()


def test_a_process_that_was_started_again_has_not_said_yet_that_it_works(
    supervised: Supervised, tmp_path: Path
) -> None:
    former = supervised.pid_beside(0)
    mark = readiness.mark(tmp_path / READY_FOLDER, "web")
    mark.parent.mkdir()
    mark.touch()
    assert supervised.states()[0].works
    long_ago = time.time() - 60
    os.utime(mark, (long_ago, long_ago))
    os.kill(former, signal.SIGKILL)
    supervised.pid_beside(former)
    assert not supervised.states()[0].works
    mark.touch()
    assert supervised.states()[0].works


def test_it_outlives_the_death_of_all_processes_of_a_kind(supervised: Supervised) -> None:
    former = supervised.pid_beside(0)
    os.kill(former, signal.SIGKILL)
    assert supervised.pid_beside(former) != former
    # Nobody accepts here, and nobody is refused.
    socket.create_connection(("127.0.0.1", supervised.port), 10).close()
