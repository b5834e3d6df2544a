"""Stamps the users whose clients are connected to this process (see finesse.presence.stamps)."""

import asyncio
import contextlib
from collections.abc import Callable

from asgiref.sync import sync_to_async

from finesse.db.off_loop import BACKGROUND
from finesse.presence import stamps


class Attendance:
    """Of one hub: stamps all its users now and then, and a user who comes or goes at once."""

    def __init__(self, present: Callable[[], set[str]]) -> None:
        """`present` returns the login ids of the users whose clients are connected."""
        self._present = present
        self._noted: set[str] = set()
        self._wake = asyncio.Event()

    def note(self, login_id: str) -> None:
        """A client of this user has come or gone: absence counts from this moment."""
        if stamps.is_on():
            self._noted.add(login_id)
            self._wake.set()

    async def keep(self) -> None:
        """Stamp, until cancelled."""
        # In a thread of its own: while a cache is away, nothing else waits for it.
        stamp = sync_to_async(stamps.stamp, thread_sensitive=False, executor=BACKGROUND)
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
