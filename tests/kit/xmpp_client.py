"""A desk: slixmpp, a third party's client, signed in over TCP with STARTTLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import httpx
from defusedxml.ElementTree import fromstring
from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from tests.kit.installation import Installation

PUBSUB = "pubsub.localhost"
TIMEOUT_SECONDS = 60
_EVENT = "{http://jabber.org/protocol/pubsub#event}"
_NOTIFICATION = "{http://jabber.org/protocol/pubsub}notification"


@dataclass(frozen=True, slots=True)
class Item:
    """One notification, as it came or as it was retrieved."""

    node: str
    id: int
    update: Element

    def text(self, path: str) -> str:
        return self.update.findtext(path) or ""


def item_of(node: str, item: Element) -> Item:
    return Item(node, int(item.get("id", "")), fromstring(item.findtext(_NOTIFICATION) or ""))


class Desk(ClientXMPP):
    """One client of a user. It keeps everything that comes, in order."""

    def __init__(self, served: Installation, user: str, resource: str = "desk") -> None:
        super().__init__(f"{user}@localhost/{resource}", "finesse")
        self.served = served
        self.user = user
        self.ssl_context = ssl.create_default_context(cafile=served.authority)
        self.arrived: asyncio.Queue[Item] = asyncio.Queue()
        self.is_bound = asyncio.Event()
        self.is_gone = asyncio.Event()
        self.connections = 0
        for plugin in ("xep_0030", "xep_0059", "xep_0060", "xep_0199"):
            self.register_plugin(plugin)
        message = MatchXPath(f"{{jabber:client}}message/{_EVENT}event")
        self.register_handler(Callback("items", message, self._keep))
        self.add_event_handler("session_start", self._started)
        self.add_event_handler("disconnected", lambda _: self.is_gone.set())

    def _keep(self, message: Any) -> None:
        (items,) = message.xml.iter(f"{_EVENT}items")
        for item in items:
            self.arrived.put_nowait(item_of(items.get("node"), item))

    def _started(self, _: Any) -> None:
        self.connections += 1
        self.is_bound.set()

    async def sign_in(self) -> "Desk":
        """Until the resource is bound; presence is another thing."""
        self.is_bound.clear()
        self.is_gone.clear()
        self.connect("127.0.0.1", self.served.xmpp_port)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.is_bound.wait()
        return self

    async def be_available(self, priority: int = 0) -> "Desk":
        """From when this returns on, the service knows it."""
        self.send_presence(ppriority=priority)
        await self.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        return self

    async def leave(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self.disconnect(2)

    async def next(self) -> Item:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self.arrived.get()

    async def ask(self, kind: str, payload: str, to: str = PUBSUB) -> Element:
        """The answer; raises slixmpp's IqError for an error."""
        iq = self.Iq(stype=kind, sto=to)
        iq.xml.append(fromstring(payload))
        answer: Element = (await iq.send(timeout=TIMEOUT_SECONDS)).xml
        return answer

    async def ask_pubsub(self, kind: str, content: str) -> Element:
        return await self.ask(
            kind, f"<pubsub xmlns='http://jabber.org/protocol/pubsub'>{content}</pubsub>"
        )

    async def subscribe(self, node: str, *, verb: str = "subscribe") -> Element:
        return await self.ask_pubsub("set", f"<{verb} node='{node}' jid='{self.boundjid.full}'/>")

    async def after(self, node: str, last: int) -> list[Item]:
        """Everything on the node after an item, page by page, as the documentation says."""
        found: list[Item] = []
        while True:
            answer = await self.ask_pubsub(
                "get",
                f"<items node='{node}'/><set xmlns='http://jabber.org/protocol/rsm'>"
                f"<max>100</max><after>{last}</after></set>",
            )
            (items,) = answer.iter("{http://jabber.org/protocol/pubsub}items")
            if not len(items):
                return found
            found += [item_of(node, item) for item in items]
            last = found[-1].id

    async def put(self, body: str, mrd: int = 5000, request_id: str = "") -> None:
        """Ask for something over HTTP, as the same user; waits for a service that is away."""
        url = f"{self.served.url}/finesse/api/User/{self.user}/Media/{mrd}"
        await put(url, self.user, f"<Media>{body}</Media>", request_id)


async def put(url: str, user: str, body: str, request_id: str = "") -> None:
    headers = {"Content-Type": "application/xml", "requestId": request_id or "r"}
    async with httpx.AsyncClient(auth=(user, "finesse"), timeout=TIMEOUT_SECONDS) as http:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while (answer := await http.put(url, content=body, headers=headers)).status_code == 503:
                await asyncio.sleep(0.1)
        assert answer.status_code == 202, answer.text


def media(user: str) -> str:
    """The node of its states."""
    return f"/finesse/api/User/{user}/Media"


@asynccontextmanager
async def desk(
    served: Installation, user: str, resource: str = "desk", priority: int | None = 0
) -> AsyncIterator[Desk]:
    """A client that is signed in and, unless its priority is None, available."""
    made = Desk(served, user, resource)
    try:
        await made.sign_in()
        if priority is not None:
            await made.be_available(priority)
        yield made
    finally:
        await made.leave()
