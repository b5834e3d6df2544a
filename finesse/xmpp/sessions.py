"""One connected client of a user: where it stands in the log, and whether it listens.

The same for clients of the WebSocket, which this service serves itself, and for those of an XMPP
server, for which the component stands in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from channels.db import database_sync_to_async
from slixmpp.jid import JID

from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader, renewed
from finesse.presence import stamps

logger = logging.getLogger(__name__)

Deliver = Callable[[Notification], Awaitable[None]]
End = Callable[[Exception | None], Awaitable[None]]


class Session:
    """Gets every notification of its nodes from `open` on, once its client is available.

    What comes between the two is kept. Afterwards, a client that makes itself unavailable, or
    gives itself a priority below zero, gets nothing until that changes, and then what is new
    [Real-Time Events]; it can retrieve the rest as items.
    """

    def __init__(self, jid: JID, reader: Reader, deliver: Deliver, end: End) -> None:
        """`deliver` is awaited for each notification, in order; `end` once, when nothing more
        comes: with the error that prevents it, or None when the user's access has ended."""
        self.jid = jid
        self.reader = replace(reader, resource=jid.resource)
        self.priority: int | None = None
        self._deliver = deliver
        self._end = end
        self._began = asyncio.Event()
        self._hub: Hub | None = None
        self._follower: Follower | None = None
        self._forwarding: asyncio.Task[None] | None = None
        self._delivering: Notification | None = None

    @property
    def login_id(self) -> str:
        return self.reader.login_id

    @property
    def position(self) -> int:
        """Everything up to here has been delivered, or was not for this client."""
        if self._delivering is not None:
            return self._delivering.position - 1
        return self._follower.reached if self._follower else 0

    async def open(self, after: int | None = None) -> bool:
        """Join the log: from now on, or from behind a position, nothing is missed. False if the
        user's access has ended, and so has this."""
        self._hub = await Hub.running()
        resume, _, self._follower = await self._hub.subscribe(self.reader, after)
        if resume == "reset":
            logger.warning(
                "What followed %s in the log has been pruned: %s goes on with what is new",
                after,
                self.jid,
            )
        self._follower.present = False
        # A user who is closed is cut off, also one who never became available.
        self._follower.at_end(self._began.set)
        self.reader = self._follower.reader
        self._forwarding = asyncio.create_task(self._forward(self._follower))
        return not self._follower.ended

    async def set_priority(self, priority: int | None) -> None:
        """The client's stamps, -128 to 127; None is unavailable."""
        self.priority = priority
        if self._follower is not None:
            self._follower.present = priority is not None
        if priority is not None:
            await database_sync_to_async(stamps.watch)(self.login_id)
            self._began.set()

    async def access(self) -> Reader | None:
        """What its user may see at this moment; None if that is nothing any more."""
        return (await renewed([self.reader])).get(self.reader)

    async def renew(self) -> None:
        """Go on with the subscriptions as they are now."""
        if self._hub is not None and self._follower is not None:
            await self._hub.renew(self._follower)

    def close(self) -> None:
        """Leave the log. Nothing is delivered after this."""
        if self._hub is not None and self._follower is not None:
            self._hub.leave(self._follower)
        if self._forwarding is not None:
            self._forwarding.cancel()

    async def _forward(self, follower: Follower) -> None:
        failure: Exception | None = None
        try:
            await self._began.wait()
            async for notification in follower:
                if not isinstance(notification, AccessChanged) and self._listens:
                    self._delivering = notification
                    await self._deliver(notification)
                    self._delivering = None
        except Exception as error:
            failure = error
        await self._end(failure)

    @property
    def _listens(self) -> bool:
        return self.priority is not None and self.priority >= 0
