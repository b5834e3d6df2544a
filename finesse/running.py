"""Which processes of this service run on this machine, and when each last showed that it goes on.

Each process has a mark in FINESSE_RUN_DIR: a file that is named by its role and its id. It holds a
lock on the mark, which the system takes from it when it ends, however it ends. The time of the file
is when the process last showed life. Processes that wait for others (a broker, a database) go on
showing it: to start them anew would not help.
"""

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from finesse.private_files import PRIVATE_FILE, make_folder
from finesse.process_name import role_of

MARK = ".mark"
NO_LIFE_YET = 0
"""The time of a mark whose process has not shown life."""


@dataclass(frozen=True, slots=True)
class Process:
    """One that runs on this machine."""

    role: str
    pid: int
    silent_seconds: float | None
    """Since it last showed life; None for one that never does, as a worker's child: it only counts,
    and its parent starts it anew."""


def folder() -> Path:
    return Path(settings.FINESSE_RUN_DIR)


@contextlib.contextmanager
def folder_locked() -> Iterator[Path]:
    """The folder, made if it is missing, for this thread of this process alone. Raises OSError."""
    make_folder(folder())
    # Opened anew each time: threads of one process exclude each other, too.
    lock = _open(folder() / "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder()
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)


def name() -> str:
    """The name of this process in the folder, as `worker-4711`. Cheap."""
    pid = os.getpid()
    if pid != _name[0]:
        _take_name(pid)
    return _name[1]


_name = (0, "")


def _take_name(pid: int) -> None:
    global _name
    # Names of metrics' files are parts between underscores.
    _name = (pid, f"{role_of(sys.argv).replace('_', '-')}-{pid}")


def show_life() -> None:
    """To be called again and again by what makes a process useful. Never raises."""
    # A full disk, or a folder that is gone, must not end what shows life.
    with contextlib.suppress(OSError):
        os.utime(_mark())


def hold_mark(locked: Path) -> None:
    """Take this process's mark in the folder, which is locked. Raises OSError."""
    global _held
    if _held is not None and _held[0] == name():
        return
    if _held is not None:
        # Of the process that this one was forked from, which keeps its lock.
        os.close(_held[1])
    mark = _open(locked / f"{name()}{MARK}")
    # Not flock, which a forked child would share.
    fcntl.lockf(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.utime(mark, (NO_LIFE_YET, NO_LIFE_YET))
    _held = name(), mark


_held: tuple[str, int] | None = None
"""The name of the process that holds the mark, and the mark's descriptor."""


def _mark() -> int:
    if _held is None or _held[0] != name():
        with folder_locked() as locked:
            hold_mark(locked)
    assert _held is not None
    return _held[1]


def is_running(process: str) -> bool:
    """Whether the process of this name holds its mark."""
    if process == name():
        # To open and close its own mark would take its lock away.
        return _held is not None and _held[0] == process
    mark = _open(folder() / f"{process}{MARK}")
    try:
        fcntl.lockf(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(mark)
    return False


def processes() -> list[Process]:
    """Those that run now. Marks of those that have ended are removed. Raises OSError."""
    found = []
    with folder_locked() as locked:
        for mark in sorted(locked.glob(f"*{MARK}")):
            process = mark.name.removesuffix(MARK)
            if is_running(process):
                role, _, pid = process.rpartition("-")
                shown = mark.stat().st_mtime
                silent = None if shown == NO_LIFE_YET else max(0.0, time.time() - shown)
                found.append(Process(role, int(pid), silent))
            else:
                mark.unlink(missing_ok=True)
    return found
