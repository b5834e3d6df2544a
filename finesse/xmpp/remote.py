"""The component's side of one client that is connected to the XMPP server."""

import asyncio
import logging
from collections import deque
from typing import Protocol
from xml.etree.ElementTree import Element

from slixmpp.jid import JID

from finesse import log_context
from finesse.metrics import counters
from finesse.notifications.models import Notification
from finesse.notifications.places import Place
from finesse.notifications.readers import Reader
from finesse.xmpp import pubsub
from finesse.xmpp.client_session import ClientSession, ResetError
from finesse.xmpp.stanzas import ACCESS_ENDED, RESET, error_of

logger = logging.getLogger(__name__)

MAX_WAITING_REQUESTS = 20
"""Requests of one client that may wait for an answer; further ones are answered by an error."""
RETRY_SECONDS = 1.0
"""Pause after a failure, such as of the database, before the next attempt."""


class StreamEndedError(Exception):
    """The connection to the server has ended, and with it those of all of its clients."""


class Server(Protocol):
    """The stream to the server, as a RemoteClient uses it."""

    async def reader_of(self, local: str) -> Reader | None:
        """The user of an address, as a reader; None if no such user may sign in."""
        ...

    async def forward(self, notification: Notification, to: str) -> None:
        """Send it to a client. Waits for a slow server; raises StreamEndedError."""
        ...

    async def reply(self, answer: Element) -> None:
        """Send an answer, likewise."""
        ...

    def dismiss(self, address: str, condition: str) -> None:
        """Have the server close the client's stream with this stream error. The client may
        reconnect."""
        ...


class RemoteClient:
    """One client, from its binding to its end: subscribes, forwards, and answers in order.

    It has a task of its own, so that a client with many requests does not delay the others.
    """

    def __init__(self, server: Server, address: str, start: Place) -> None:
        """`address` is the full JID as the server writes it; the client gets everything behind the
        place `start`. Raises InvalidJID."""
        self.address = address
        self.priority: int | None = None
        self.known = start
        """The client's place as the server knows it."""
        self._jid = JID(address)
        self._start = start
        self._server = server
        self._session: ClientSession | None = None
        self._requests: deque[Element] = deque()
        self._presence_changed = False
        self._has_ended = False
        self._is_failing = False
        self._failure: Exception | None = None
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._serve(), name=f"xmpp {address}")
        counters.sockets.labels("component").inc()

    @property
    def place(self) -> Place:
        """Everything up to here has been forwarded, or is not for this client."""
        return self._session.place if self._session else self._start

    def set_priority(self, priority: int | None) -> None:
        """The priority of its presence; None means unavailable."""
        self.priority = priority
        self._presence_changed = True
        self._wake.set()

    def ask(self, iq: Element) -> bool:
        """Queue a request; False if too many wait already."""
        if len(self._requests) >= MAX_WAITING_REQUESTS:
            return False
        self._requests.append(iq)
        self._wake.set()
        return True

    def close(self) -> None:
        """The client has disconnected: send nothing more to it."""
        self._task.cancel()
        counters.sockets.labels("component").dec()
        self._leave()

    async def _serve(self) -> None:
        log_context.subject.set(log_context.OfUser(self._jid.node))
        while True:
            try:
                if (session := await self._join()) is not None:
                    await self._attend(session)
                self._server.dismiss(self.address, ACCESS_ENDED)
                return
            except ResetError:
                self._server.dismiss(self.address, RESET)
                return
            except StreamEndedError:
                return
            except Exception:
                # Log it once: every client tries again until the database is back.
                if not self._is_failing:
                    logger.exception("%s cannot be served; it will be tried again", self.address)
                self._is_failing = True
            finally:
                self._leave()
            await asyncio.sleep(RETRY_SECONDS)

    async def _join(self) -> ClientSession | None:
        """Subscribe; None if no such user may sign in. Raises ResetError."""
        reader = await self._server.reader_of(self._jid.node)
        if reader is None:
            return None
        self._has_ended, self._failure = False, None
        session = ClientSession(self._jid, reader, self._forward, self._stop)
        await session.open(after=self._start)
        self._session = session
        self._is_failing = False
        self._presence_changed = self.priority is not None
        return session

    async def _attend(self, session: ClientSession) -> None:
        """Follow presence and answer requests until the user's access ends."""
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

    async def _answer(self, session: ClientSession, iq: Element) -> None:
        try:
            answer = await pubsub.answer(session, iq)
        except Exception:
            logger.exception("A request of %s could not be answered", self.address)
            answer = error_of(iq, "internal-server-error")
        if answer is not None:
            await self._server.reply(answer)

    async def _forward(self, notification: Notification) -> None:
        await self._server.forward(notification, self.address)
        self.known = notification.place

    async def _stop(self, failure: Exception | None) -> None:
        self._has_ended, self._failure = True, failure
        self._wake.set()

    def _leave(self) -> None:
        if self._session is not None:
            self._start = self._session.place
            self._session.close()
            self._session = None
