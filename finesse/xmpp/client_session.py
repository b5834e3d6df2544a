"""The session of one connected XMPP client: its place in the log, and whether it is available.

Clients over WebSocket, which this service serves itself, and clients of an XMPP server, which the
component serves, have the same sessions.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from slixmpp.jid import JID

from finesse.db.off_loop import off_loop
from finesse.notifications.follower import AccessChanged, Follower, LogRestored
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification
from finesse.notifications.places import BEGINNING, Place
from finesse.notifications.readers import Reader, renewed
from finesse.presence import stamps

Deliver = Callable[[Notification], Awaitable[None]]
End = Callable[[Exception | None], Awaitable[None]]


class ResetError(Exception):
    """The client cannot go on from its place in the log: what it has seen was undone by a restored
    backup, or what follows was pruned. Its stream ends: it must read the present state."""


class ClientSession:
    """Delivers the notifications that are published from `open` on, once the client is available.

    Those published before the client first becomes available are delivered then. Later, a client
    that is unavailable, or whose priority is below zero, misses what is published meanwhile
    [Real-Time Events]; it can retrieve that as items.
    """

    def __init__(self, jid: JID, reader: Reader, deliver: Deliver, end: End) -> None:
        """`deliver` is awaited for each notification, in order. `end` is awaited once, after the
        last one: with the error that stopped delivery, or None if the user's access has ended."""
        self.jid = jid
        self.reader = replace(reader, resource=jid.resource)
        self.priority: int | None = None
        self._deliver = deliver
        self._end = end
        self._was_available = asyncio.Event()
        self._hub: Hub | None = None
        self._follower: Follower | None = None
        self._forwarding: asyncio.Task[None] | None = None

    @property
    def login_id(self) -> str:
        return self.reader.login_id

    @property
    def place(self) -> Place:
        """Everything up to here has been delivered, or is not for this client."""
        return self._follower.reached if self._follower else BEGINNING

    async def open(self, after: Place | None = None) -> bool:
        """Subscribe to what is new, or to all behind the place `after`. False if the user's access
        has ended. Raises ResetError."""
        self._hub = await Hub.running()
        resume, _, self._follower = await self._hub.subscribe(self.reader, after)
        if resume == "reset":
            self._hub.leave(self._follower)
            raise ResetError
        self._follower.present = False
        # A client that never became available must be disconnected, too.
        self._follower.at_cut(self._was_available.set)
        self.reader = self._follower.reader
        self._forwarding = asyncio.create_task(self._forward(self._follower))
        return not self._follower.ended

    async def set_priority(self, priority: int | None) -> None:
        """The priority of the client's presence, -128 to 127; None means unavailable."""
        self.priority = priority
        if self._follower is not None:
            self._follower.present = priority is not None
        if priority is not None:
            await off_loop(stamps.watch)(self.login_id)
            self._was_available.set()

    async def access(self) -> Reader | None:
        """What its user may see at this moment; None if the access has ended."""
        return (await renewed([self.reader])).get(self.reader)

    async def renew(self) -> None:
        """Take over changed subscriptions."""
        if self._hub is not None and self._follower is not None:
            await self._hub.renew(self._follower)

    def close(self) -> None:
        """Unsubscribe. Nothing is delivered after this."""
        if self._hub is not None and self._follower is not None:
            self._hub.leave(self._follower)
        if self._forwarding is not None:
            self._forwarding.cancel()

    async def _forward(self, follower: Follower) -> None:
        failure: Exception | None = None
        try:
            await self._was_available.wait()
            async for item in follower:
                if isinstance(item, LogRestored):
                    raise ResetError
                if not isinstance(item, AccessChanged) and self._is_listening:
                    await self._deliver(item)
        except Exception as error:
            failure = error
        await self._end(failure)

    @property
    def _is_listening(self) -> bool:
        return self.priority is not None and self.priority >= 0
