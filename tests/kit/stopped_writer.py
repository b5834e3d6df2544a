"""A writer that is stopped by SIGSTOP in the midst of a batch."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.kit.installation import TIMEOUT_SECONDS, Installation

STOPPING_WRITER = """
import os, signal, time
from django.db import InterfaceError, OperationalError
from media.writing import writer

class StoppingBatch(writer.Batch):
    def write(self, head):
        if "{when}" == "after":
            super().write(head)
        os.kill(os.getpid(), signal.SIGSTOP)
        if "{when}" == "before":
            super().write(head)

writer.Batch = StoppingBatch
try:
    while True:
        writer.apply_pending()
        time.sleep(0.02)
except (OperationalError, InterfaceError) as error:
    print("The stopped writer was refused:", error)
"""


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not done():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def is_stopped(installation: Installation, role: str) -> bool:
    stat = Path(f"/proc/{installation.pid(role)}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"
