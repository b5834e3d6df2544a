"""A log that repeats itself is counted: the first lines of a kind are written, the rest summed up.

An outage or a stranger may bring thousands of equal lines a minute; the operator reads ten of them,
and then how many more there were.
"""

import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LINES_OF_A_KIND = 10
"""As many are written in each period; further ones are counted."""
PERIOD_SECONDS = 60
MAX_KINDS = 1000
"""Kinds that are told apart: those that code can have are far fewer."""
EACH = "is_one_of_each"
"""Attribute of a line that is wanted however often it comes: `extra={EACH: True}`."""

_Kind = tuple[Any, ...]


@dataclass(slots=True)
class _Count:
    """The lines of one kind in the present period."""

    since: float
    written: int = 0
    suppressed: int = 0
    last: logging.LogRecord | None = field(default=None)


class RepeatsFilter(logging.Filter):
    """Lets LINES_OF_A_KIND of a kind through in each period, and says at its end how many it did
    not.

    A kind is a line of code that logs and, with a traceback, the error's class and the line of code
    that raised it. So clients cannot make new kinds, and no failure hides another one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[_Kind, _Count] = {}
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        atexit.register(self.sum_up)
        # A thread does not live on in a child process, and a lock may be held for ever there.
        os.register_at_fork(after_in_child=self._forget)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO or getattr(record, "is_sum", False):
            return True
        if getattr(record, EACH, False):
            return True
        with self._lock:
            now = self._clock()
            kind = _kind_of(record)
            if kind not in self._counts and len(self._counts) >= MAX_KINDS:
                kind = ()
            count = self._counts.setdefault(kind, _Count(now))
            if now - count.since >= PERIOD_SECONDS and not count.suppressed:
                count.since, count.written = now, 0
            if count.written < LINES_OF_A_KIND:
                count.written += 1
                return True
            count.suppressed += 1
            count.last = record
            self._sum_up_later()
            return False

    def sum_up(self) -> None:
        """Write the sums of the periods so far, and begin new ones."""
        with self._lock:
            self._timer = None
            counts, self._counts = self._counts, {}
            now = self._clock()
        for count in counts.values():
            if count.suppressed and count.last is not None:
                _write(count.last, count.suppressed, now - count.since)

    def _sum_up_later(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(PERIOD_SECONDS, self.sum_up)
            self._timer.daemon = True
            # A process that ends starts no thread; it writes its sums at once.
            with contextlib.suppress(RuntimeError):
                self._timer.start()

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._counts, self._timer = {}, None


def _kind_of(record: logging.LogRecord) -> _Kind:
    kind: _Kind = (record.name, record.levelno, record.pathname, record.lineno)
    if not record.exc_info or record.exc_info[0] is None:
        return kind
    error, _, traceback = record.exc_info
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is not None:
        kind += (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
    return (*kind, error)


def _write(record: logging.LogRecord, more: int, seconds: float) -> None:
    text = f"… {more:,} more in the last {seconds:.0f} s, the last of them: {record.getMessage()}"
    made = logging.LogRecord(
        record.name, record.levelno, record.pathname, record.lineno, text, None, None
    )
    made.is_sum = True
    logging.getLogger(record.name).handle(made)
