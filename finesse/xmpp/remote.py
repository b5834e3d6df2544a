"""A client that is connected to the XMPP server: what stands in for it on this side."""

import asyncio
import logging
from collections import deque
from typing import Protocol
from xml.etree.ElementTree import Element

from slixmpp.jid import JID

from finesse.notifications.models import Notification
from finesse.notifications.readers import Reader
from finesse.xmpp import pubsub
from finesse.xmpp.sessions import Session
from finesse.xmpp.stanzas import error_of

logger = logging.getLogger(__name__)

MOST_WAITING = 20
"""Requests of one client that may wait for their turn; who asks for more gets an error each."""
PAUSE = 1.0
"""Seconds from a failure, as of the database, to the next attempt."""


class StreamEndedError(Exception):
    """Nothing can be sent any more: the server is gone, and with it all of its clients."""


class Server(Protocol):
    """The stream to the server, as one client's stand-in uses it."""

    async def reader_of(self, local: str) -> Reader | None:
        """What the user of an address may see; None if there is no such user, or none that may."""
        ...

    async def forward(self, notification: Notification, to: str) -> None:
        """Send it to a client. Waits for a server that is slow; raises StreamEndedError."""
        ...

    async def reply(self, answer: Element) -> None:
        """Send an answer, likewise."""
        ...

    def dismiss(self, address: str) -> None:
        """Have the server close the client's stream; it may come back and start anew."""
        ...


class RemoteClient:
    """One client from its binding to its end: joins the log, forwards, answers in order.

    A task of its own does so: a client that asks for much holds up nobody else.
    """

    def __init__(self, server: Server, address: str, start: int) -> None:
        """`address` is the full one as the server writes it; from behind `start` on, the client
        gets everything. Raises InvalidJID."""
        self.address = address
        self.priority: int | None = None
        self.known = start
        """How far the client has come as far as the server knows."""
        self._jid = JID(address)
        self._start = start
        self._server = server
        self._session: Session | None = None
        self._requests: deque[Element] = deque()
        self._presence_changed = False
        self._has_ended = False
        self._is_failing = False
        self._failure: Exception | None = None
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._serve(), name=f"xmpp {address}")

    @property
    def position(self) -> int:
        """Everything up to here has been forwarded, or was not for it."""
        return self._session.position if self._session else self._start

    def set_priority(self, priority: int | None) -> None:
        """Its presence; None is unavailable."""
        self.priority = priority
        self._presence_changed = True
        self._wake.set()

    def ask(self, iq: Element) -> bool:
        """Answer this when its turn comes; False if too many wait already."""
        if len(self._requests) >= MOST_WAITING:
            return False
        self._requests.append(iq)
        self._wake.set()
        return True

    def close(self) -> None:
        """It is gone. Nothing is sent to it after this."""
        self._task.cancel()
        self._leave()

    async def _serve(self) -> None:
        while True:
            try:
                if (session := await self._join()) is not None:
                    await self._attend(session)
                self._server.dismiss(self.address)
                return
            except StreamEndedError:
                return
            except Exception:
                # Once: as many as there are clients try again until the database is back.
                if not self._is_failing:
                    logger.exception("%s cannot be served; trying again", self.address)
                self._is_failing = True
            finally:
                self._leave()
            await asyncio.sleep(PAUSE)

    async def _join(self) -> Session | None:
        """Join the log; None if there is no such user, or none that may, or no such log."""
        reader = await self._server.reader_of(self._jid.node)
        if reader is None:
            return None
        self._has_ended, self._failure = False, None
        session = Session(self._jid, reader, self._forward, self._stop)
        await session.open(after=self._start)
        self._session = session
        if session.position < self._start:
            logger.warning(
                "%s has had %s of a log that ends at %s: it is another one",
                *(self.address, self._start, session.position),
            )
            return None
        self._is_failing = False
        self._presence_changed = self.priority is not None
        return session

    async def _attend(self, session: Session) -> None:
        """Do what the server tells and the client asks, until the user's access ends."""
        while not self._has_ended:
            if self._presence_changed:
                self._presence_changed = False
                await session.set_priority(self.priority)
            elif self._requests:
                await self._answer(session, self._requests.popleft())
            else:
                self._wake.clear()
                await self._wake.wait()
        if self._failure is not None:
            raise self._failure

    async def _answer(self, session: Session, iq: Element) -> None:
        try:
            answer = await pubsub.answer(session, iq)
        except Exception:
            logger.exception("A request of %s could not be answered", self.address)
            answer = error_of(iq, "internal-server-error")
        if answer is not None:
            await self._server.reply(answer)

    async def _forward(self, notification: Notification) -> None:
        await self._server.forward(notification, self.address)
        self.known = notification.position

    async def _stop(self, failure: Exception | None) -> None:
        self._has_ended, self._failure = True, failure
        self._wake.set()

    def _leave(self) -> None:
        if self._session is not None:
            self._start = self._session.position
            self._session.close()
            self._session = None
