"""One socket's place in the log: what the hub hands to it, and what it reads by itself."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader

BACKLOG = 500
"""Notifications queued for one slow follower before it is sent back to the table."""


class Followed(Protocol):
    """The hub, as a follower sees it."""

    position: int
    """Everything up to here has been handed to the followers."""

    def history(self, follower: "Follower", upto: int) -> AsyncIterator[Notification]:
        """What the follower may see behind its position."""
        ...

    def note(self, follower: "Follower") -> None:
        """The follower's client has come or gone."""
        ...


class AccessChanged:
    """In a follower's stream: from here on it sees others than before."""

    message = {"type": "websocket.send", "text": json.dumps({"type": "access"})}


class Follower:
    """One socket's place in the log. Iterate it: each notification once, in order, for ever."""

    def __init__(self, log: "Followed", reader: Reader, position: int) -> None:
        self.reader = reader
        self.position = position
        self._log = log
        self._queue: deque[Notification] = deque()
        # A new follower is one that has missed everything since its position.
        self._missed = True
        self._ended = False
        self._access_changed = False
        self._present = True
        # Not an Event: a thousand followers wait and are woken for each notification.
        self._waiting: asyncio.Future[None] | None = None
        self._at_end: Callable[[], None] | None = None
        self.hand_over: Callable[[Notification], bool] | None = None
        """Sends at once what comes while the iteration waits, without a task that is woken for it:
        with a thousand followers that is half of the way. False if it has to wait for that."""

    @property
    def reached(self) -> int:
        """Everything up to here has been yielded, or was not for it."""
        return self._log.position if self._waits() else self.position

    @property
    def present(self) -> bool:
        """Whether its client counts as there: one may be connected and say that it is not."""
        return self._present

    @present.setter
    def present(self, present: bool) -> None:
        if present != self._present:
            self._present = present
            self._log.note(self)

    def offer(self, notification: Notification) -> None:
        """Queue it, or hand it over at once; a follower whose queue is full has missed it and will
        read the table."""
        if self.hand_over is not None and self._waits() and self._handed_over(notification):
            return
        if len(self._queue) < BACKLOG:
            self._queue.append(notification)
        else:
            self._queue.clear()
            self._missed = True
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether its user may no longer read."""
        return self._ended

    def end(self) -> None:
        """Its user may no longer read: nothing more comes, not even what is queued."""
        self._ended = True
        self._wake()
        if self._at_end is not None:
            self._at_end()

    def at_end(self, tell: Callable[[], None]) -> None:
        """Let somebody know who does not iterate yet."""
        self._at_end = tell
        if self._ended:
            tell()

    def see(self, reader: Reader) -> None:
        """Go on with what its user may see now."""
        self._access_changed |= reader.watches != self.reader.watches
        self.reader = reader
        self._wake()

    async def __aiter__(self) -> AsyncIterator[Notification | AccessChanged]:
        while not self._ended:
            if self._access_changed:
                self._access_changed = False
                yield AccessChanged()
            elif self._missed:
                self._missed = False
                # What the hub hands out from now on is queued, so reading up to here is enough.
                upto = self._log.position
                async for notification in self._log.history(self, upto):
                    if self._passes(notification):
                        yield notification
                self.position = max(self.position, upto)
            elif self._queue:
                notification = self._queue.popleft()
                if self._passes(notification):
                    yield notification
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                try:
                    await self._waiting
                finally:
                    self._waiting = None

    def _waits(self) -> bool:
        """Whether everything that came so far is on its way."""
        return self._waiting is not None and not self._waiting.done()

    def _handed_over(self, notification: Notification) -> bool:
        assert self.hand_over is not None
        if notification.position > self.position and self.reader.may_see(notification.node):
            try:
                if not self.hand_over(notification):
                    return False
            except Exception:
                # Whatever it is happens again to whoever iterates. The hub has others to tell.
                return False
        self.position = max(self.position, notification.position)
        return True

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _passes(self, notification: Notification) -> bool:
        """Go on to this one; False if it was seen, or may no longer be seen, however late it is."""
        if notification.position <= self.position or self._ended:
            return False
        self.position = notification.position
        return self.reader.may_see(notification.node)
