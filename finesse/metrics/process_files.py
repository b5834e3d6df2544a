"""Where processes keep what they count: files in FINESSE_RUN_DIR, which any of them can read.

prometheus-client writes them, its multiprocess mode: a number is a place in a file that is mapped
into memory. So a process that is killed leaves its counts, and whichever process is asked for
metrics adds up those of all that run on this machine. Of a process that has ended, gauges are
removed and counts are kept in one file for all that have.
"""

import errno
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from finesse import running
from finesse.private_files import PRIVATE_FILE

logger = logging.getLogger(__name__)

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""By which prometheus-client learns the folder."""
KINDS = ("counter", "histogram", "gauge_livesum")
"""The files that each process has."""
FILE_BYTES = 128 * 1024
"""Of each file, for some hundred numbers. Their labels have few values, so this is never too
little."""
ENDED = "ended"
"""Stands for the process in the names of the files with the counts of those that have ended."""

# Without types in prometheus-client.
_values: Any = values
_MmapedDict: Any = MmapedDict
_MultiProcessCollector: Any = MultiProcessCollector
_OfProcess: Any = _values.MultiProcessValue(running.name)


class Value(_OfProcess):  # type: ignore[misc]
    """A number in this process's file; without a file it is nowhere, and nothing fails for it.

    The files are made with the first number, not before: most commands count nothing.
    """

    _is_lost = False

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            join()
            super().__init__(*args, **options)
        except OSError as error:
            self._is_lost = True
            logger.error("Metrics cannot be kept in FINESSE_RUN_DIR: %s", error)

    def inc(self, amount: float) -> None:
        if self._is_lost:
            return
        try:
            if running.name() != _joined:
                join()
            super().inc(amount)
        except OSError as error:
            logger.error("Metrics cannot be kept in FINESSE_RUN_DIR: %s", error)


_joined = ""


def join() -> None:
    """Be one of the processes whose files are added up. Raises OSError."""
    global _joined
    if (me := running.name()) == _joined:
        return
    with running.folder_locked() as locked:
        # Another thread, which counts into these files already: they are not of one before.
        if me == _joined:
            return
        os.environ[FOLDER_VARIABLE] = str(locked)
        # Another had this process id before.
        retire(locked, me)
        running.hold_mark(locked)
        for kind in KINDS:
            _make_room(locked / f"{kind}_{me}.db")
        _joined = me


def _make_room(path: Path) -> None:
    """On the disk, too: a process that writes to mapped memory without it is ended by SIGBUS."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        if not os.fstat(file).st_size and os.write(file, bytes(FILE_BYTES)) < FILE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    except OSError:
        path.unlink()
        raise
    finally:
        os.close(file)


def collect() -> Iterable[Metric]:
    """The sums of all processes of this machine. Raises OSError."""
    with running.folder_locked() as locked:
        for name in {_process_of(file) for file in locked.glob("*.db")} - {ENDED}:
            if not running.is_running(name):
                retire(locked, name)
        files = [str(file) for file in locked.glob("*.db")]
        summed: Iterable[Metric] = _MultiProcessCollector.merge(files)
        return summed


def retire(locked: Path, process: str) -> None:
    """Keep the counts of a process that has ended, and forget its gauges."""
    for file in locked.glob(f"*_{process}.db"):
        kind = file.name.partition("_")[0]
        try:
            if kind in {"counter", "histogram"}:
                _add_up(file, locked / f"{kind}_{ENDED}.db")
        except (RuntimeError, ValueError) as error:
            logger.error("The counts of %s cannot be read, and are left out: %s", process, error)
        file.unlink()


def _add_up(file: Path, total: Path) -> None:
    _make_room(total)
    sums = _MmapedDict(str(total))
    try:
        for key, value, _, _ in _MmapedDict.read_all_values_from_file(str(file)):
            before, _ = sums.read_value(key)
            sums.write_value(key, before + value, 0.0)
    finally:
        sums.close()


def _process_of(file: Path) -> str:
    return file.stem.rpartition("_")[2]
