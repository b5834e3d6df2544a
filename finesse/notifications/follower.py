"""One client's place in the log: where it stands, and what it reads from there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader


class Followed(Protocol):
    """The hub, as a follower sees it."""

    position: int
    """Followers may read up to here; the hub has woken those that find something new."""

    async def history(self, follower: "Follower") -> tuple[list[Notification], int]:
        """The next notifications behind the follower's position that it may see, and the position
        that it has reached when it has had them."""
        ...

    def note(self, follower: "Follower") -> None:
        """The follower's client has come or gone."""
        ...


class AccessChanged:
    """In a follower's stream: from here on it sees others than before."""


class Follower:
    """One client's place in the log. Iterate it: each notification once, in order, for ever.

    There is no queue: the log itself is what waits to be sent. The hub wakes a follower, and the
    follower reads from its position on, from the hub's memory or, if it is slow, from the table.
    """

    def __init__(self, log: Followed, reader: Reader, position: int) -> None:
        self.reader = reader
        self.position = position
        """Everything up to here has been yielded, or was not for it."""
        self._log = log
        self._ended = False
        self._access_changed = False
        self._present = True
        # Not an Event: a thousand followers wait and are woken for each notification.
        self._waiting: asyncio.Future[None] | None = None
        self._at_end: Callable[[], None] | None = None

    @property
    def reached(self) -> int:
        """Its position; the log's, if it waits for the next notification."""
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

    def wake(self, position: int) -> None:
        """The notification at this position, which the log has just reached, is for it."""
        if self._waits():
            self._go_on(position - 1)

    @property
    def ended(self) -> bool:
        """Whether its user may no longer read."""
        return self._ended

    def end(self) -> None:
        """Its user may no longer read: nothing more comes, not even what it has yet to read."""
        self._ended = True
        self._go_on(self.reached)
        if self._at_end is not None:
            self._at_end()

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call this when the user may no longer read, also if nobody iterates."""
        self._at_end = callback
        if self._ended:
            callback()

    def see(self, reader: Reader) -> None:
        """Go on with what its user may see now."""
        self._access_changed |= reader.watches != self.reader.watches
        # Where it waits, all that came so far was decided by what its user could see then.
        self._go_on(self.reached)
        self.reader = reader

    async def __aiter__(self) -> AsyncIterator[Notification | AccessChanged]:
        while not self._ended:
            if self._access_changed:
                self._access_changed = False
                yield AccessChanged()
            elif self.position < self._log.position:
                page, reached = await self._log.history(self)
                for notification in page:
                    if self._passes(notification):
                        yield notification
                self.position = max(self.position, reached)
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                try:
                    await self._waiting
                finally:
                    self._waiting = None

    def _waits(self) -> bool:
        """Whether everything that came so far has been yielded."""
        return self._waiting is not None and not self._waiting.done()

    def _go_on(self, position: int) -> None:
        self.position = position
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _passes(self, notification: Notification) -> bool:
        """Go on to this one; False if it may no longer be seen, however late it is."""
        if self._ended:
            return False
        self.position = notification.position
        return self.reader.may_see(notification.node)
