"""One client's place in the log."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from finesse.notifications.models import Notification
from finesse.notifications.places import Place
from finesse.notifications.readers import Reader
from finesse.notifications.turns import NOTIFICATIONS_PER_TURN, Turns


class Followed(Protocol):
    """The hub, as a follower sees it."""

    place: Place
    """Followers may read up to here; the hub has woken those that find something new."""

    async def history(self, follower: "Follower") -> tuple[list[Notification], Place]:
        """The next notifications after the follower's place, with all that it may see among them,
        and the place that they reach."""
        ...

    def note(self, follower: "Follower") -> None:
        """The follower's client has come or gone."""
        ...


class AccessChanged:
    """In a follower's stream: from here on, its user may see other users, or reason codes of other
    teams, than before."""


class LogRestored:
    """In a follower's stream: the log was restored from a backup. What is committed up to `place`
    is not sent: its client must read the present state."""

    def __init__(self, place: Place) -> None:
        self.place = place


Item = Notification | AccessChanged | LogRestored


class Follower:
    """Iterate it to get each notification that its user may see once, in order, without end.

    There is no queue: what a client has yet to get waits in the log. The hub wakes the follower,
    and the follower reads on from its place. So a slow client keeps one page in memory, and a
    client that reconnects goes the same way as one that was always there.
    """

    def __init__(
        self, log: Followed, reader: Reader, place: Place, *, present: bool = True
    ) -> None:
        self.reader = reader
        self.place = place
        """Everything up to here has been taken by its client, or its user may not see it."""
        self._log = log
        self._ended = False
        self._access_changed = False
        self._restored = False
        self._present = present
        # Not an asyncio.Event, which is slower: one notification may wake thousands of followers.
        self._waiting: asyncio.Future[None] | None = None
        self._at_cut: Callable[[], None] | None = None

    @property
    def reached(self) -> Place:
        """Its place; while it waits for the next notification, the place of the log."""
        return self._log.place if self._waits() else self.place

    @property
    def present(self) -> bool:
        """Whether its client counts as present; it may be connected and say that it is away."""
        return self._present

    @present.setter
    def present(self, present: bool) -> None:
        if present != self._present:
            self._present = present
            self._log.note(self)

    def wake(self, before: Place) -> None:
        """Called for each new notification that its user may see, when the log has reached it.

        `before` is the place of the one before it.
        """
        if self._waits():
            self._go_on(before)

    @property
    def ended(self) -> bool:
        """Whether its user may no longer read."""
        return self._ended

    def end(self) -> None:
        """Its user may no longer read: yield nothing more, not even what is already published."""
        self._ended = True
        self._cut(self.reached)

    def restart(self) -> None:
        """The log was restored, and is at another place: yield that, then what comes after it."""
        self._restored = True
        self._cut(self._log.place)

    def _cut(self, place: Place) -> None:
        self._go_on(place)
        if self._at_cut is not None:
            self._at_cut()

    def at_cut(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the user may no longer read, and when the log was restored, even if
        nothing iterates this."""
        self._at_cut = callback
        if self._ended or self._restored:
            callback()

    def see(self, reader: Reader) -> None:
        """From the log's position on, yield what its user may see now."""
        before = self.reader
        self._access_changed |= reader.watches != before.watches
        self._access_changed |= reader.of_reason_codes != before.of_reason_codes
        # While it waits, all before is done: what the user could not see then is not sent now.
        self._go_on(self.reached)
        self.reader = reader

    async def __aiter__(self) -> AsyncIterator[Item]:
        while not self._ended:
            if self._restored:
                self._restored = False
                yield LogRestored(self.place)
            elif self._access_changed:
                self._access_changed = False
                yield AccessChanged()
            elif self.place.position < self._log.place.position:
                page, reached = await self._log.history(self)
                for index, notification in enumerate(page, start=1):
                    if self._may_yield(notification):
                        yield notification
                    if self._restored:
                        break  # The rest of the page is of a log that is no more.
                    # Not earlier: while a client takes it, it may be lost.
                    self.place = notification.place
                    if index % NOTIFICATIONS_PER_TURN == 0:
                        await Turns.here().next()
                else:
                    if not self._restored:
                        self.place = reached
            else:
                self._waiting = asyncio.get_running_loop().create_future()
                try:
                    await self._waiting
                finally:
                    self._waiting = None

    def _waits(self) -> bool:
        """Whether everything published so far has been yielded."""
        return self._waiting is not None and not self._waiting.done()

    def _go_on(self, place: Place) -> None:
        self.place = place
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _may_yield(self, notification: Notification) -> bool:
        """Whether its user may, or still may, see it in this log."""
        return not self._ended and not self._restored and self.reader.may_see(notification.node)
