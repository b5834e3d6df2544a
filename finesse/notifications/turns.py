"""Turns for followers that have much to send, so that nobody else waits for them.

Sending does not wait while the system takes the data, so a replay would hold the event loop for a
whole page. Each follower sends a few notifications in a turn, and each round of the event loop has
one turn, however many followers want one.
"""

import asyncio
from collections import deque
from weakref import WeakKeyDictionary

NOTIFICATIONS_PER_TURN = 20
"""They take less than a millisecond."""


class Turns:
    """The turns of one event loop, in the order in which they were asked for."""

    _of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    @classmethod
    def here(cls) -> "Turns":
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    async def next(self) -> None:
        """Wait for a turn: at least until everything else that can run has run once."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            loop.call_soon(self._begin_next)
        await turn

    def _begin_next(self) -> None:
        begun = False
        while self._waiting and not begun:
            turn = self._waiting.popleft()
            # A turn whose client has gone meanwhile is cancelled.
            if begun := not turn.done():
                turn.set_result(None)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._begin_next)
