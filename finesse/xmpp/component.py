"""The component that is `pubsub.<domain>` on an XMPP server (XEP-0114).

The server handles streams, sign-in and routing for clients over TCP, TLS and BOSH. A module of this
project in it (deploy/prosody/mod_finesse_sessions.lua) reports each client that is bound, available
or gone. Each client gets a ClientSession here, as clients over WebSocket do.

The server knows each client's place, since it sees the ids of the items that it delivers. So after
a kill -9 of this process every client goes on exactly where it was, and notices nothing. A client
whose place the log does not know, since the database was restored, is disconnected.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Collection
from typing import Any, cast
from xml.etree.ElementTree import Element

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists
from django.db.models.functions import Lower
from slixmpp import ComponentXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.jid import JID, InvalidJID
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.tostring import tostring

from finesse import heartbeat, readiness
from finesse.db.off_loop import off_loop
from finesse.notifications import log
from finesse.notifications.batched_lookup import BatchedLookup
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.places import Place
from finesse.notifications.readers import Reader, readers_of
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
"""The namespace of the messages between module and component."""
PING_SECONDS = 0.5
"""Pause between an answered ping and the next."""
ANSWER_TIMEOUT_SECONDS = 10.0
"""If the server takes longer to answer, the connection counts as lost."""
CLOSE_TIMEOUT_SECONDS = 2.0
"""The server has this time to close its side of the connection."""
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 2.0
"""Pauses between attempts to connect: each is twice as long as the one before."""
REFUSED_RETRY_SECONDS = 15.0
"""The pause where an operator has to change a configuration first."""
MAX_UNREAD_BYTES = 256 * 1024
"""While the server has more unread data than this, notifications and answers wait."""
PINGS_PER_POSITION_REPORT = 120
"""Pings between two reports of clients' places."""
POSITIONS_PER_STANZA = 500
"""Places that one stanza reports."""

_NO_ANSWER = f"no answer within {ANSWER_TIMEOUT_SECONDS:.0f} s"
_REFUSALS = {
    "not-authorized": "The XMPP server refuses the secret: FINESSE_XMPP_SECRET here and "
    "component_secret of {pubsub} there must be the same",
    "host-unknown": "The XMPP server knows no component {pubsub}: set FINESSE_XMPP_DOMAIN to its "
    "domain, or configure it anew (manage.py xmpp_config)",
    "conflict": "Another component has taken the place of {pubsub}: only one may be connected, and "
    "those with the same FINESSE_RUN_DIR take turns",
    "silent": "The XMPP server does not report its clients: {domain} there needs "
    "mod_finesse_sessions (manage.py xmpp_config)",
}
"""What an operator has to change, by the condition of the stream error."""


class LostError(Exception):
    """The connection has ended, or could not be made; the text says why."""


class RefusedError(LostError):
    """The server refuses this component until a configuration changes."""

    def __init__(self, reason: str) -> None:
        super().__init__(_REFUSALS[reason].format(pubsub=pubsub_domain(), domain=domain()))


async def run_component() -> None:
    """Be `pubsub.<domain>` until this is cancelled; reconnect after every failure."""
    last_error, pause = "", FIRST_RETRY_SECONDS
    while True:
        component = None
        try:
            component = await _connected()
            await component.serve()
        except RefusedError as error:
            logger.error("%s. Trying again every %.0f s.", error, REFUSED_RETRY_SECONDS)
            await asyncio.sleep(REFUSED_RETRY_SECONDS)
        except LostError as error:
            # An outage is one line in the log, however long it lasts.
            if str(error) != last_error:
                last_error = str(error)
                logger.warning(
                    "No XMPP server at %s: %s", settings.FINESSE_XMPP_COMPONENT, last_error
                )
        except Exception:
            logger.exception("The XMPP component failed and is started again")
        finally:
            if component is not None:
                await component.leave()
        if component is not None and component.in_sync.is_set():
            last_error, pause = "", FIRST_RETRY_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_RETRY_SECONDS)


async def _connected() -> "Component":
    """Connect, and read the place of the last component. Raises LostError, DatabaseError."""
    hub = await Hub.running()
    cursor = await off_loop(_cursor)()
    try:
        host, port = component_address()
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            # slixmpp's own connect() pauses for up to five minutes.
            _, component = await asyncio.get_running_loop().create_connection(
                lambda: cast(Any, Component(hub, cursor)), host, port
            )
    except OSError as error:
        raise LostError(error.strerror or str(error) or _NO_ANSWER) from None
    except ValueError as error:
        raise LostError(str(error)) from None
    return cast(Component, component)


def _cursor() -> Place:
    # The first component starts with what is new. From then on, this row keeps notifications from
    # being pruned before they are handed over.
    here = log.head().place
    cursor, _ = TransportCursor.objects.get_or_create(
        name=TransportCursor.XMPP, defaults=here._asdict()
    )
    return cursor.place


def _move_cursor(place: Place) -> None:
    # Not to a place of before a restore, which the hub may still have: nothing would be kept until
    # the log has come so far again.
    of_this_log = Notification.objects.filter(**place._asdict())
    behind = TransportCursor.objects.filter(name=TransportCursor.XMPP, position__lt=place.position)
    behind.filter(Exists(of_this_log)).update(**place._asdict())


class Component(ComponentXMPP):
    """One connection to the server."""

    def __init__(self, hub: Hub, cursor: Place) -> None:
        super().__init__(pubsub_domain(), settings.FINESSE_XMPP_SECRET)  # type: ignore[no-untyped-call]
        self.in_sync = asyncio.Event()
        """Set when the server has reported all clients that it had when this connected."""
        self._hub = hub
        self._cursor = cursor
        self._server = JID(domain())
        self._clients: dict[str, RemoteClient] = {}
        # When the component reconnects, all clients subscribe at the same time.
        self._readers = BatchedLookup[str, Reader](off_loop(_readers))
        self._lost: asyncio.Future[LostError] = asyncio.get_running_loop().create_future()
        self._is_read = asyncio.Event()
        self._is_read.set()
        # slixmpp would answer presences by a roster.
        self.remove_handler("Presence")
        for name, handler in (("message", self._hear), ("iq", self._take)):
            path = MatchXPath(f"{{{self.default_ns}}}{name}")
            self.register_handler(Callback(f"every {name}", path, handler))
        self.add_event_handler("stream_error", self._refuse)
        self.add_event_handler("disconnected", self._lose)

    async def serve(self) -> None:
        """Serve until the connection ends, then raise LostError."""
        keeping_alive = asyncio.create_task(self._keep_alive())
        try:
            both: set[asyncio.Future[Any]] = {keeping_alive, self._lost}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if self._lost.done():
                raise self._lost.result()
            keeping_alive.result()
        finally:
            keeping_alive.cancel()

    async def leave(self) -> None:
        """Close the connection; a server that no longer answers is given up after a while."""
        self._forget_clients()
        if self.transport is not None:
            await self.disconnect(CLOSE_TIMEOUT_SECONDS)

    # --- called by RemoteClient -------------------------------------------------------------------

    async def reader_of(self, local: str) -> Reader | None:
        return await self._readers.get(local)

    async def forward(self, notification: Notification, to: str) -> None:
        await self._until_read()
        self.send_raw(notification_text(notification, to, within=CLIENT))

    async def reply(self, answer: Element) -> None:
        await self._until_read()
        self._send_stanza(answer)

    def dismiss(self, address: str, condition: str) -> None:
        logger.info("%s is disconnected: %s", address, condition)
        self._send_report(Element(tag(SESSIONS, "end"), jid=address, condition=condition))

    async def _until_read(self) -> None:
        # All waiting clients wake at once, and the first ones may fill the buffer again.
        while not self._is_read.is_set():
            await self._is_read.wait()
        if self.transport is None or self.transport.is_closing():
            raise StreamEndedError

    # --- from the server --------------------------------------------------------------------------

    def _hear(self, stanza: Any) -> None:
        """Handle a message of the module; ignore others, such as errors of disconnected clients."""
        message: Element = stanza.xml
        if message.get("type") != "error" and parsed(message.get("from", "")) == self._server:
            for report in message:
                namespace, name = split(report)
                if namespace == SESSIONS:
                    self._learn(name, report)

    def _learn(self, name: str, report: Element) -> None:
        address = report.get("jid", "")
        priority = int(report.get("priority", "0")) if "priority" in report.attrib else None
        match name:
            case "bound":
                number = integer(report.get("position"))
                place = None if number is None else Place.of_number(number)
                self._welcome(address, place, priority)
            case "presence" if address in self._clients:
                self._clients[address].set_priority(priority)
            case "unbound" if address in self._clients:
                self._clients.pop(address).close()
            case "synced":
                self.in_sync.set()

    def _welcome(self, address: str, place: Place | None, priority: int | None) -> None:
        if former := self._clients.pop(address, None):
            former.close()
        start = place
        if start is None:
            # Bound just now, so it has missed nothing; or bound while no component was connected.
            start = self._hub.place if self.in_sync.is_set() else self._cursor
            # At once, since the client waits for this.
            self._send_report(_at(address, start))
        try:
            client = RemoteClient(self, address, start)
        except InvalidJID:
            logger.error("The XMPP server has a client at %r, which is no address", address)
            return
        self._clients[address] = client
        if priority is not None:
            client.set_priority(priority)

    def _take(self, stanza: Any) -> None:
        """Queue a client's request."""
        iq: Element = stanza.xml
        if iq.get("type") not in {"get", "set"}:
            return
        for element in iq.iter():
            # The server has replaced the namespace of the client's stream by this stream's.
            if element.tag.startswith(f"{{{self.default_ns}}}"):
                element.tag = tag(CLIENT, split(element)[1])
        client = self._clients.get(iq.get("from", ""))
        if client is None or parsed(iq.get("to", "")) != self.boundjid:
            self._send_stanza(error_of(iq, "service-unavailable"))
        elif not client.ask(iq):
            self._send_stanza(error_of(iq, "resource-constraint"))

    def _refuse(self, error: Any) -> None:
        condition, text = error["condition"], error["text"]
        if not self._lost.done():
            refused = condition in _REFUSALS
            self._lost.set_result(
                RefusedError(condition) if refused else LostError(f"{condition} ({text})")
            )

    def _lose(self, reason: Any) -> None:
        # At once: nothing that is still sent to a client could arrive.
        self._forget_clients()
        if not self._lost.done():
            self._lost.set_result(LostError(str(reason or "the connection has ended")))

    def _forget_clients(self) -> None:
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    # --- the heartbeat ----------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                await self.in_sync.wait()
        except TimeoutError:
            if self.sessionstarted:
                raise RefusedError("silent") from None
            raise LostError(_NO_ANSWER) from None
        readiness.announce()
        logger.info("%s is connected, with %s clients so far", pubsub_domain(), len(self._clients))
        for pings in itertools.count(1):
            reached = self._reached()
            await self._ping()
            await self._note(reached)
            if pings % PINGS_PER_POSITION_REPORT == 0:
                await self._report_positions()
            await asyncio.sleep(PING_SECONDS)

    def _reached(self) -> Place:
        """Everything up to here has been handed over to all clients that are available."""
        places = (one.place for one in self._clients.values() if one.priority is not None)
        return min([self._hub.place, *places])

    async def _ping(self) -> None:
        """Wait until the server has processed everything that it was sent."""
        ping = self.Iq(stype="get", sto=self._server, sfrom=self.boundjid)
        ping.append(Element(tag(PING, "ping")))
        try:
            with contextlib.suppress(IqError):
                await ping.send(timeout=ANSWER_TIMEOUT_SECONDS)  # type: ignore[no-untyped-call]
        except IqTimeout:
            raise LostError(_NO_ANSWER) from None

    async def _note(self, reached: Place) -> None:
        """Stamp the heartbeat and store the place, when the server has answered a ping.

        `reached` is from before the ping. Clients that bind later start no earlier, and the server
        knows the places of the others. So clients that bind while no component is connected
        start here.
        """
        try:
            # In a thread of its own, so that a cache that is away blocks nothing else.
            await sync_to_async(heartbeat.stamp, thread_sensitive=False)(heartbeat.XMPP)
            # Not only if it is higher: after a restore, places are lower than before.
            if reached != self._cursor:
                await off_loop(_move_cursor)(reached)
                self._cursor = reached
        except Exception as error:
            logger.warning("The XMPP component cannot stamp its heartbeat: %r", error)

    # --- to the server ----------------------------------------------------------------------------

    async def _report_positions(self) -> None:
        """Report the places of clients that have moved on without an item of their own: what
        follows the place that the server knows will be pruned some day."""
        behind = [one for one in self._clients.values() if one.place > one.known]
        for first in range(0, len(behind), POSITIONS_PER_STANZA):
            await self._until_read()
            some = behind[first : first + POSITIONS_PER_STANZA]
            for one in some:
                one.known = one.place
            self._send_report(*(_at(one.address, one.known) for one in some))

    def _send_report(self, *elements: Element) -> None:
        message = Element(tag(CLIENT, "message"), {"from": pubsub_domain(), "to": domain()})
        message.extend(elements)
        self._send_stanza(message)

    def _send_stanza(self, stanza: Element) -> None:
        # In a component's stream, stanzas have the component's namespace, which it has declared.
        if self.transport is not None:
            self.send_raw(serialise(stanza, within=CLIENT))

    def send(self, data: Any, use_filters: bool = True) -> None:
        """Send at once, in order with all else; slixmpp would queue it for a task."""
        self.send_raw(
            data
            if isinstance(data, str)
            else tostring(data.xml, self.default_ns, stream=self, top_level=True)
        )

    # --- the transport ----------------------------------------------------------------------------

    def connection_made(self, transport: Any, send_event: bool = True) -> None:
        transport.set_write_buffer_limits(high=MAX_UNREAD_BYTES)
        super().connection_made(transport, send_event)

    def pause_writing(self) -> None:
        self._is_read.clear()

    def resume_writing(self) -> None:
        self._is_read.set()


def _readers(locals_: Collection[str]) -> dict[str, Reader]:
    """The users of these addresses as readers, by the address's local part."""
    # XMPP compares local parts without case.
    found = get_user_model().objects.annotate(local=Lower("login_id"))
    login_ids = dict(found.filter(local__in=locals_).values_list("local", "pk"))
    readers = readers_of(login_ids.values())
    return {local: readers[pk] for local, pk in login_ids.items() if pk in readers}


def _at(address: str, place: Place) -> Element:
    return Element(tag(SESSIONS, "at"), jid=address, position=str(place.number))
