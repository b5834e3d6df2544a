"""A client that does what a good client does, small enough for many of them in one process.

It keeps to the documentation: reconnect, send presence, retrieve the items after the last one,
drop those that it has already. Plain XML over TCP, or over WebSocket (RFC 7395).
"""

import asyncio
import base64
import contextlib
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Protocol
from xml.etree.ElementTree import Element, XMLPullParser

from defusedxml.ElementTree import fromstring
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.kit.installation import Installation

SYSTEM_INFO = "/finesse/api/SystemInfo"
TIMEOUT_SECONDS = 60
STREAM = (
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='localhost' version='1.0'>"
)
OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
_PUBSUB = "http://jabber.org/protocol/pubsub"


class LostError(Exception):
    """The connection has ended, or the server wants to be asked later."""


class ForgottenError(LostError):
    """The log does not know the last item that came: the database was restored."""


class Wire(Protocol):
    async def open(self) -> None:
        """Open a stream, the first one or the next one; returns before its features."""
        ...

    async def send(self, text: str) -> None: ...

    async def receive(self) -> Element: ...

    async def close(self) -> None: ...


class TCP:
    """In the clear, as on loopback one may."""

    def __init__(self, served: Installation) -> None:
        self._served = served
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        if self._writer is None:
            port = self._served.xmpp_port
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._parser = XMLPullParser(("start", "end"))
        self._depth = 0
        await self.send(STREAM)

    async def send(self, text: str) -> None:
        assert self._writer is not None
        self._writer.write(text.encode())
        await self._writer.drain()

    async def receive(self) -> Element:
        while True:
            for event, element in self._parser.read_events():
                self._depth += 1 if event == "start" else -1
                if event == "end" and self._depth == 1:
                    return element
            data = await self._reader.read(65536)
            if not data:
                raise LostError("the end of the connection")
            self._parser.feed(data)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()


class WebSocket:
    def __init__(self, served: Installation) -> None:
        self._url = served.url.replace("http", "ws", 1) + "/ws/"
        self._socket: ClientConnection | None = None

    async def open(self) -> None:
        if self._socket is None:
            self._socket = await connect(self._url, subprotocols=[Subprotocol("xmpp")])
        await self.send(OPEN)
        await self.receive()

    async def send(self, text: str) -> None:
        assert self._socket is not None
        await self._socket.send(text)

    async def receive(self) -> Element:
        assert self._socket is not None
        return fromstring(await self._socket.recv())

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()


class GoodClient:
    """One client of a user, until `end` is called. `got` has its positions by node, in order."""

    def __init__(
        self,
        served: Installation,
        user: str,
        resource: str,
        wire: type[TCP | WebSocket],
        nodes: Sequence[str] = (),
    ):
        """`nodes` are those of which it retrieves what it has missed; by default of SystemInfo and
        of the user's Media."""
        self.user = user
        self.resource = resource
        self.got: dict[str, list[int]] = defaultdict(list)
        self.until_reset: list[dict[str, list[int]]] = []
        """What `got` was, each time that the log did not know its end any more."""
        self.ready = asyncio.Event()
        self.connections = 0
        self.losses: list[str] = []
        self._served = served
        self._nodes = nodes or (SYSTEM_INFO, f"/finesse/api/User/{user}/Media")
        self._new_wire = wire
        self._ids = itertools.count()
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    @property
    def last(self) -> int:
        return max((ids[-1] for ids in self.got.values() if ids), default=0)

    async def _run(self) -> None:
        while True:
            wire = self._new_wire(self._served)
            try:
                await self._live(wire)
            except (OSError, LostError, WebSocketException) as error:
                self.losses.append(repr(error))
                if isinstance(error, ForgottenError):
                    self.until_reset.append(self.got)
                    self.got = defaultdict(list)
                    self.connections = 0
            finally:
                await wire.close()
            await asyncio.sleep(0.2)

    async def _live(self, wire: Wire) -> None:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self._sign_in(wire)
            self.connections += 1
            came: list[Element] = []
            await self._ask(wire, "<ping xmlns='urn:xmpp:ping'/>", came)
            if self.connections > 1:
                missed = {node: await self._retrieve(wire, node, came) for node in self._nodes}
                # All at once: one that is lost before that asks for all of it again.
                for node, found in missed.items():
                    self.got[node] += found
        self.ready.set()
        latest = 0
        async for position, node in _items(wire, came):
            # The service's own promise for one connection: each once, in order.
            assert position > latest
            latest = position
            if position > max(self.got[node], default=0):
                self.got[node].append(position)

    async def _sign_in(self, wire: Wire) -> None:
        await wire.open()
        await wire.receive()
        token = base64.b64encode(f"\0{self.user}\0finesse".encode()).decode()
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        await wire.send(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{token}</auth>")
        if (answer := await wire.receive()).tag != f"{{{sasl}}}success":
            raise LostError(answer.tag)
        await wire.open()
        await wire.receive()
        bind = "urn:ietf:params:xml:ns:xmpp-bind"
        await wire.send(
            "<iq xmlns='jabber:client' type='set' id='bind'>"
            f"<bind xmlns='{bind}'><resource>{self.resource}</resource></bind></iq>"
        )
        if (answer := await wire.receive()).get("type") != "result":
            raise LostError(answer.tag)
        await wire.send("<presence xmlns='jabber:client'/>")

    async def _retrieve(self, wire: Wire, node: str, came: list[Element]) -> list[int]:
        """Everything on the node after the last item that came on any, page by page."""
        missed: list[int] = []
        while True:
            after = missed[-1] if missed else self.last
            answer = await self._ask(
                wire,
                f"<pubsub xmlns='{_PUBSUB}'><items node='{node}'/>"
                "<set xmlns='http://jabber.org/protocol/rsm'>"
                f"<max>100</max><after>{after}</after></set></pubsub>",
                came,
            )
            found = [int(one.get("id", "")) for one in answer.iter(f"{{{_PUBSUB}}}item")]
            if not found:
                return missed
            missed += found

    async def _ask(self, wire: Wire, payload: str, came: list[Element]) -> Element:
        """Send a request; returns the answer. Stanzas that come before it are kept in `came`."""
        asked = f"q{next(self._ids)}"
        await wire.send(
            f"<iq xmlns='jabber:client' type='get' id='{asked}' to='pubsub.localhost'>"
            f"{payload}</iq>"
        )
        while (answer := await wire.receive()).get("id") != asked:
            came.append(answer)
        if answer.find(".//{*}item-not-found") is not None:
            raise ForgottenError("the last item")
        if answer.get("type") != "result":
            raise LostError("The server is back, the component is not")
        return answer


async def _items(wire: Wire, came: list[Element]) -> AsyncIterator[tuple[int, str]]:
    """Position and node of each item: first of the stanzas kept in `came`, then of new ones."""
    event = "{http://jabber.org/protocol/pubsub#event}"
    while True:
        element = came.pop(0) if came else await wire.receive()
        for items in element.iter(f"{event}items"):
            for item in items:
                yield int(item.get("id", "")), items.get("node", "")
