"""How late a busy machine lets a thread go on, which is its part of every time that is measured."""

import threading
import time
from typing import Self

PULSE_SECONDS = 0.05


class Lateness:
    """In its context a thread does nothing but sleep; `seconds` is the latest that it woke up."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sleep)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _sleep(self) -> None:
        while not self._end.is_set():
            begin = time.monotonic()
            self._end.wait(PULSE_SECONDS)
            self.seconds = max(self.seconds, time.monotonic() - begin - PULSE_SECONDS)
