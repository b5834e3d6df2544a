"""One client's place in the log."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader
from finesse.notifications.turns import NOTIFICATIONS_PER_TURN, Turns


class Followed(Protocol):
    """The hub, as a follower sees it."""

    position: int
    """Followers may read up to here; the hub has woken those that find something new."""

    async def history(self, follower: "Follower") -> tuple[list[Notification], int]:
        """The next notifications after the follower's position, with all that it may see among
        them, and the position that they reach."""
        ...

    def note(self, follower: "Follower") -> None:
        """The follower's client has come or gone."""
        ...


class AccessChanged:
    """In a follower's stream: from here on, its user may see other users than before."""


class Follower:
    """Iterate it to get each notification that its user may see once, in order, without end.

    There is no queue: what a client has yet to get waits in the log. The hub wakes the follower,
    and the follower reads on from its position. So a slow client keeps one page in memory, and a
    client that reconnects goes the same way as one that was always there.
    """

    def __init__(
        self, log: Followed, reader: Reader, position: int, *, present: bool = True
    ) -> None:
        self.reader = reader
        self.position = position
        """Everything up to here has been yielded, or its user may not see it."""
        self._log = log
        self._ended = False
        self._access_changed = False
        self._present = present
        # Not an asyncio.Event, which is slower: one notification may wake thousands of followers.
        self._waiting: asyncio.Future[None] | None = None
        self._at_end: Callable[[], None] | None = None

    @property
    def reached(self) -> int:
        """Its position; while it waits for the next notification, the position of the log."""
        return self._log.position if self._waits() else self.position

    @property
    def present(self) -> bool:
        """Whether its client counts as present; it may be connected and say that it is away."""
        return self._present

    @present.setter
    def present(self, present: bool) -> None:
        if present != self._present:
            self._present = present
            self._log.note(self)

    def wake(self, position: int) -> None:
        """Called for each new notification that its user may see, when the log has reached it."""
        if self._waits():
            self._go_on(position - 1)

    @property
    def ended(self) -> bool:
        """Whether its user may no longer read."""
        return self._ended

    def end(self) -> None:
        """Its user may no longer read: yield nothing more, not even what is already published."""
        self._ended = True
        self._go_on(self.reached)
        if self._at_end is not None:
            self._at_end()

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the user may no longer read, even if nothing iterates this."""
        self._at_end = callback
        if self._ended:
            callback()

    def see(self, reader: Reader) -> None:
        """From the log's position on, yield what its user may see now."""
        self._access_changed |= reader.watches != self.reader.watches
        # While it waits, all before is done: what the user could not see then is not sent now.
        self._go_on(self.reached)
        self.reader = reader

    async def __aiter__(self) -> AsyncIterator[Notification | AccessChanged]:
        while not self._ended:
            if self._access_changed:
                self._access_changed = False
                yield AccessChanged()
            elif self.position < self._log.position:
                page, reached = await self._log.history(self)
                for index, notification in enumerate(page, start=1):
                    if self._passes(notification):
                        yield notification
                    if index % NOTIFICATIONS_PER_TURN == 0:
                        await Turns.here().next()
                self.position = max(self.position, reached)
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                try:
                    await self._waiting
                finally:
                    self._waiting = None

    def _waits(self) -> bool:
        """Whether everything published so far has been yielded."""
        return self._waiting is not None and not self._waiting.done()

    def _go_on(self, position: int) -> None:
        self.position = position
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _passes(self, notification: Notification) -> bool:
        """Move to this notification. False if the user may not, or no longer, see it."""
        if self._ended:
            return False
        self.position = notification.position
        return self.reader.may_see(notification.node)
