"""The session of one connected XMPP client: its place in the log, and whether it is available.

Clients over WebSocket, which this service serves itself, and clients of an XMPP server, which the
component serves, have the same sessions.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from slixmpp.jid import JID

from finesse.db.off_loop import off_loop
from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader, renewed
from finesse.presence import stamps

logger = logging.getLogger(__name__)

Deliver = Callable[[Notification], Awaitable[None]]
End = Callable[[Exception | None], Awaitable[None]]


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
        self._delivering: Notification | None = None

    @property
    def login_id(self) -> str:
        return self.reader.login_id

    @property
    def position(self) -> int:
        """Everything up to here has been delivered, or is not for this client."""
        if self._delivering is not None:
            return self._delivering.position - 1
        return self._follower.reached if self._follower else 0

    async def open(self, after: int | None = None) -> bool:
        """Subscribe to what is new, or to all behind the position `after`. False if the user's
        access has ended."""
        self._hub = await Hub.running()
        resume, _, self._follower = await self._hub.subscribe(self.reader, after)
        if resume == "reset":
            logger.warning(
                "The log behind position %s has been pruned: %s goes on with what is new",
                after,
                self.jid,
            )
        self._follower.present = False
        # When the access ends, a client that never became available must be disconnected, too.
        self._follower.at_end(self._was_available.set)
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
            async for notification in follower:
                if not isinstance(notification, AccessChanged) and self._is_listening:
                    self._delivering = notification
                    await self._deliver(notification)
                    self._delivering = None
        except Exception as error:
            failure = error
        await self._end(failure)

    @property
    def _is_listening(self) -> bool:
        return self.priority is not None and self.priority >= 0
