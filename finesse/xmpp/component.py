"""The component that is `pubsub.<domain>` on an XMPP server (XEP-0114).

The server does streams, sign-in and routing for clients over TCP, TLS and BOSH. A module of this
project in it (deploy/prosody/mod_finesse_sessions.lua) tells of every client that is bound,
available, gone; each gets a Session here, as those of the WebSocket have.

How far each client has come is known to the server, which sees the items' ids go by. So after a
kill -9 of this process every client goes on exactly where it was, and notices nothing.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection
from typing import Any, cast
from xml.etree.ElementTree import Element

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models.functions import Lower
from slixmpp import ComponentXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.jid import JID, InvalidJID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.tostring import tostring

from finesse import heartbeat
from finesse.notifications import log
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.readers import Reader, readers_of
from finesse.notifications.together import Together
from finesse.xmpp.addresses import domain, parsed, pubsub_domain
from finesse.xmpp.prosody.configuration import component_address
from finesse.xmpp.remote import RemoteClient, StreamEndedError
from finesse.xmpp.stanzas import (
    CLIENT,
    PING,
    error_of,
    integer,
    notification_text,
    serialise,
    split,
    tag,
)

logger = logging.getLogger(__name__)

SESSIONS = "urn:finesse-media:sessions"
"""The namespace of what module and component tell each other."""
BEAT = 1.0
"""Seconds from an answered ping to the next."""
PATIENCE = 10.0
"""Seconds that the server may take to answer before the connection counts as lost."""
FAREWELL = 2.0
"""Seconds that the server may take to close its side."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
"""Seconds between two attempts to connect: each twice the one before."""
PAUSE_WHEN_REFUSED = 15.0
"""Where somebody has to change a configuration first."""
UNREAD = 256 * 1024
"""Bytes that the server has not read yet, at which notifications and answers wait for it."""
BEATS_TO_TELLING = 60
"""Beats from one telling of positions to the next."""
MOST_TOLD = 500
"""Positions in one stanza."""

_NO_ANSWER = f"no answer within {PATIENCE:.0f} s"
_REFUSALS = {
    "not-authorized": "The XMPP server refuses the secret: FINESSE_XMPP_SECRET here and "
    "component_secret of {pubsub} there must be the same",
    "host-unknown": "The XMPP server knows no component {pubsub}: set FINESSE_XMPP_DOMAIN to its "
    "domain, or configure it anew (manage.py xmpp_config)",
    "conflict": "Another component has taken the place of {pubsub}: only one may run",
    "silent": "The XMPP server does not tell of its clients: {domain} there needs "
    "mod_finesse_sessions (manage.py xmpp_config)",
}
"""By condition of the stream error, what somebody has to change."""


class LostError(Exception):
    """The connection has ended, or could not be made; the text says why."""


class RefusedError(LostError):
    """The server will not have this component until a configuration changes."""

    def __init__(self, reason: str) -> None:
        super().__init__(_REFUSALS[reason].format(pubsub=pubsub_domain(), domain=domain()))


async def run_component() -> None:
    """Be `pubsub.<domain>` until this is cancelled: whatever happens meanwhile, come back."""
    told, pause = "", FIRST_PAUSE
    while True:
        component = None
        try:
            component = await _connected()
            await component.serve()
        except RefusedError as error:
            logger.error("%s. Trying again every %.0f s.", error, PAUSE_WHEN_REFUSED)
            await asyncio.sleep(PAUSE_WHEN_REFUSED)
        except LostError as error:
            # An outage is one line in the log, however long it lasts.
            if str(error) != told:
                told = str(error)
                logger.warning("No XMPP server at %s: %s", settings.FINESSE_XMPP_COMPONENT, told)
        except Exception:
            logger.exception("The XMPP component failed and starts anew")
        finally:
            if component is not None:
                await component.leave()
        if component is not None and component.in_sync.is_set():
            told, pause = "", FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _connected() -> "Component":
    """Connect, and read where the last component ended. Raises LostError, DatabaseError."""
    hub = await Hub.running()
    cursor = await database_sync_to_async(_cursor)()
    try:
        host, port = component_address()
        async with asyncio.timeout(PATIENCE):
            # slixmpp's own connect() pauses for up to five minutes.
            _, component = await asyncio.get_running_loop().create_connection(
                lambda: cast(Any, Component(hub, cursor)), host, port
            )
    except OSError as error:
        raise LostError(error.strerror or str(error) or _NO_ANSWER) from None
    except ValueError as error:
        raise LostError(str(error)) from None
    return cast(Component, component)


def _cursor() -> int:
    # The first one starts with what is new. From then on the row keeps from being pruned what
    # has not been handed over.
    cursor, _ = TransportCursor.objects.get_or_create(
        name=TransportCursor.XMPP, defaults={"position": log.head().position}
    )
    return cursor.position


def _move_cursor(position: int) -> None:
    TransportCursor.objects.filter(name=TransportCursor.XMPP, position__lt=position).update(
        position=position
    )


class Component(ComponentXMPP):
    """One connection to the server."""

    def __init__(self, hub: Hub, cursor: int) -> None:
        super().__init__(pubsub_domain(), settings.FINESSE_XMPP_SECRET)  # type: ignore[no-untyped-call]
        self.in_sync = asyncio.Event()
        """The server has told of all clients that it had when this came."""
        self._hub = hub
        self._cursor = cursor
        self._server = JID(domain())
        self._clients: dict[str, RemoteClient] = {}
        # All who are here when the component comes back join at once.
        self._readers = Together[str, Reader](database_sync_to_async(_readers))
        self._lost: asyncio.Future[LostError] = asyncio.get_running_loop().create_future()
        self._is_read = asyncio.Event()
        self._is_read.set()
        # It would answer them by a roster.
        self.remove_handler("Presence")
        for name, handler in (("message", self._hear), ("iq", self._take)):
            path = MatchXPath(f"{{{self.default_ns}}}{name}")
            self.register_handler(Callback(f"every {name}", path, handler))
        self.add_event_handler("stream_error", self._refuse)
        self.add_event_handler("disconnected", self._lose)

    async def serve(self) -> None:
        """Until the connection ends, which raises LostError."""
        beating = asyncio.create_task(self._beat())
        try:
            both: set[asyncio.Future[Any]] = {beating, self._lost}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                raise self._lost.result()
            beating.result()
        finally:
            beating.cancel()

    async def leave(self) -> None:
        """Take leave of the server, as far as it listens."""
        self._forget_clients()
        if self.transport is not None:
            await self.disconnect(FAREWELL)

    # --- for the clients' stand-ins ---------------------------------------------------------------

    async def reader_of(self, local: str) -> Reader | None:
        return await self._readers.get(local)

    async def forward(self, notification: Notification, to: str) -> None:
        await self._until_read()
        self.send_raw(notification_text(notification, to, within=CLIENT))

    async def reply(self, answer: Element) -> None:
        await self._until_read()
        self._say(answer)

    def dismiss(self, address: str) -> None:
        logger.info("%s is closed: it may not be here, or has to start anew", address)
        self._tell(Element(tag(SESSIONS, "end"), jid=address))

    async def _until_read(self) -> None:
        # All of them wake at once, and the first ones fill the buffer again.
        while not self._is_read.is_set():
            await self._is_read.wait()
        if self.transport is None or self.transport.is_closing():
            raise StreamEndedError

    # --- what the server says ---------------------------------------------------------------------

    def _hear(self, stanza: Any) -> None:
        """A message: the module's, or one of no interest, as an error of a client that has gone."""
        message: Element = stanza.xml
        if message.get("type") != "error" and parsed(message.get("from", "")) == self._server:
            for told in message:
                namespace, name = split(told)
                if namespace == SESSIONS:
                    self._learn(name, told)

    def _learn(self, name: str, told: Element) -> None:
        address = told.get("jid", "")
        priority = int(told.get("priority", "0")) if "priority" in told.attrib else None
        match name:
            case "bound":
                self._welcome(address, integer(told.get("position")), priority)
            case "presence" if address in self._clients:
                self._clients[address].set_priority(priority)
            case "unbound" if address in self._clients:
                self._clients.pop(address).close()
            case "synced":
                self.in_sync.set()

    def _welcome(self, address: str, position: int | None, priority: int | None) -> None:
        if former := self._clients.pop(address, None):
            former.close()
        start = position
        if start is None:
            # Bound just now, with nothing missed since; or while nobody was here to say where.
            start = self._hub.position if self.in_sync.is_set() else self._cursor
            # At once: the client waits for this.
            self._tell(_at(address, start))
        try:
            client = RemoteClient(self, address, start)
        except InvalidJID:
            logger.error("The XMPP server has a client at %r, which is no address", address)
            return
        self._clients[address] = client
        if priority is not None:
            client.set_priority(priority)

    def _take(self, stanza: Any) -> None:
        """A request of a client."""
        iq: Element = stanza.xml
        if iq.get("type") not in {"get", "set"}:
            return
        for element in iq.iter():
            # What a client wrote in its stream's namespace has come in this stream's.
            if element.tag.startswith(f"{{{self.default_ns}}}"):
                element.tag = tag(CLIENT, split(element)[1])
        client = self._clients.get(iq.get("from", ""))
        if client is None or parsed(iq.get("to", "")) != self.boundjid:
            self._say(error_of(iq, "service-unavailable"))
        elif not client.ask(iq):
            self._say(error_of(iq, "resource-constraint"))

    def _refuse(self, error: Any) -> None:
        condition, text = error["condition"], error["text"]
        if not self._lost.done():
            refused = condition in _REFUSALS
            self._lost.set_result(
                RefusedError(condition) if refused else LostError(f"{condition} ({text})")
            )

    def _lose(self, reason: Any) -> None:
        # At once: nothing that a stand-in still sends could arrive.
        self._forget_clients()
        if not self._lost.done():
            self._lost.set_result(LostError(str(reason or "the connection has ended")))

    def _forget_clients(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # --- the heartbeat ----------------------------------------------------------------------------

    async def _beat(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self.in_sync.wait()
        except TimeoutError:
            if self.sessionstarted:
                raise RefusedError("silent") from None
            raise LostError(_NO_ANSWER) from None
        logger.info("%s is here, for %s clients so far", pubsub_domain(), len(self._clients))
        for beats in itertools.count(1):
            reached = self._reached()
            await self._ping()
            await self._note(reached)
            if beats % BEATS_TO_TELLING == 0:
                await self._tell_positions()
            await asyncio.sleep(BEAT)

    def _reached(self) -> int:
        """Everything up to here has been handed over to whoever is available."""
        positions = (one.position for one in self._clients.values() if one.priority is not None)
        return min([self._hub.position, *positions])

    async def _ping(self) -> None:
        """See that the server has processed all that it was sent."""
        ping = self.Iq(stype="get", sto=self._server, sfrom=self.boundjid)
        ping.append(Element(tag(PING, "ping")))
        try:
            with contextlib.suppress(IqError):
                await ping.send(timeout=PATIENCE)  # type: ignore[no-untyped-call]
        except IqTimeout:
            raise LostError(_NO_ANSWER) from None

    async def _note(self, reached: int) -> None:
        """The server has answered a ping: say so, and how far it had come when that was sent.

        Whoever is bound from then on starts no earlier, and the positions of the others have been
        told before. So this is where those start that are bound while no component is here.
        """
        try:
            # In a thread of its own: a cache that is away makes it wait, and nobody else.
            await sync_to_async(heartbeat.stamp, thread_sensitive=False)(heartbeat.XMPP)
            if reached > self._cursor:
                await database_sync_to_async(_move_cursor)(reached)
                self._cursor = reached
        except Exception as error:
            logger.warning("The XMPP component cannot say that it is well: %r", error)

    # --- what is said to the server ---------------------------------------------------------------

    async def _tell_positions(self) -> None:
        """Of clients that have come further without an item, since there was none for them: what
        follows the position that the server knows will be pruned some day."""
        behind = [one for one in self._clients.values() if one.position > one.known]
        for first in range(0, len(behind), MOST_TOLD):
            await self._until_read()
            some = behind[first : first + MOST_TOLD]
            for one in some:
                one.known = one.position
            self._tell(*(_at(one.address, one.known) for one in some))

    def _tell(self, *said: Element) -> None:
        message = Element(tag(CLIENT, "message"), {"from": pubsub_domain(), "to": domain()})
        message.extend(said)
        self._say(message)

    def _say(self, stanza: Element) -> None:
        # Clients' stanzas stand in a component's own namespace, which the stream has declared.
        if self.transport is not None:
            self.send_raw(serialise(stanza, within=CLIENT))

    def send(self, data: Any, use_filters: bool = True) -> None:
        """At once, in order with all else: slixmpp would queue it for a task."""
        self.send_raw(
            data
            if isinstance(data, str)
            else tostring(data.xml, self.default_ns, stream=self, top_level=True)
        )

    # --- the transport ----------------------------------------------------------------------------

    def connection_made(self, transport: Any, send_event: bool = True) -> None:
        transport.set_write_buffer_limits(high=UNREAD)
        super().connection_made(transport, send_event)

    def pause_writing(self) -> None:
        self._is_read.clear()

    def resume_writing(self) -> None:
        self._is_read.set()


def _readers(locals_: Collection[str]) -> dict[str, Reader]:
    """What the users of these addresses may see, by local part."""
    # XMPP compares those without case.
    found = get_user_model().objects.annotate(local=Lower("login_id"))
    login_ids = dict(found.filter(local__in=locals_).values_list("local", "pk"))
    readers = readers_of(login_ids.values())
    return {local: readers[pk] for local, pk in login_ids.items() if pk in readers}


def _at(address: str, position: int) -> Element:
    return Element(tag(SESSIONS, "at"), jid=address, position=str(position))
