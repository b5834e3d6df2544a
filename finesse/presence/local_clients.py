"""Says of a process's sockets whose clients are there; finesse.presence.stamps asks why."""

import asyncio
import contextlib
from collections.abc import Callable

from asgiref.sync import sync_to_async

from finesse.presence import stamps


class Attendance:
    """Of one hub: stamps whoever is there now and then, who comes or goes at that moment."""

    def __init__(self, present: Callable[[], set[str]]) -> None:
        """`present` tells whose clients are there, by login id."""
        self._present = present
        self._noted: set[str] = set()
        self._wake = asyncio.Event()

    def note(self, login_id: str) -> None:
        """A client of this user has come or gone: the time counts from here."""
        if stamps.is_on():
            self._noted.add(login_id)
            self._wake.set()

    async def keep(self) -> None:
        # In a thread of its own: a cache that is away makes it wait, and nobody else.
        stamp = sync_to_async(stamps.stamp, thread_sensitive=False)
        loop = asyncio.get_running_loop()
        next_round = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_round):
                    await self._wake.wait()
            self._wake.clear()
            there, self._noted = self._noted, set()
            if loop.time() >= next_round:
                there |= self._present()
                next_round = loop.time() + stamps.interval()
            await stamp(there)
