"""A real Prosody with this project's modules, on ports of its own, and its peers.

`Desk` checks the passwords, `Component` stands for pubsub.<domain>, `Wire` is a client that
shows everything that is sent to it.
"""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, XMLPullParser, tostring

import httpx
from defusedxml.ElementTree import fromstring
from django.conf import settings as current
from slixmpp import ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from finesse.tls.own_certificate import make_or_renew
from finesse.xmpp.prosody import child_process
from finesse.xmpp.prosody.configuration import Configuration, component_address
from tests.kit.installation import free_port
from tests.kit.programs import give_up

SECRET = 'an "odd" \\secret'
SESSIONS = "urn:finesse-media:sessions"
ITEM = (
    "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/n'><item id='{}'>"
    "<notification xmlns='http://jabber.org/protocol/pubsub'>&lt;Update/&gt;</notification>"
    "</item></items></event>"
)


def names(element: Element) -> list[str]:
    """The names of an element and of all in it, without their namespaces."""
    return [one.tag.rpartition("}")[2] for one in element.iter()]


# --- The server ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Configuration):
    """With options for all hosts that an operator could write into the file."""

    options: str = ""
    bind_timeout: float = 0.1
    """Seconds; most tests have no component to wait for."""

    def render(self) -> str:
        text = super(Changed, self).render()
        options = f"finesse_bind_patience = {self.bind_timeout}\n{self.options}\n"
        return text.replace("VirtualHost", f"{options}VirtualHost", 1)


@dataclass
class Server:
    folder: Path
    configuration: Configuration
    trusted: ssl.SSLContext
    bosh: str
    clients: list["Wire"] = field(default_factory=list)

    async def listens(self) -> None:
        """Until every port of it is open."""
        for address in self.configuration.listens_at():
            while not await listens(address):
                await asyncio.sleep(0.01)

    async def wire(self, port: int | None = None, **options: Any) -> "Wire":
        wire = await Wire.connect(port or current.FINESSE_XMPP_PORT, **options)
        self.clients.append(wire)
        return wire

    async def sign_in(self, user: str = "alice", resource: str = "desktop") -> "Wire":
        return await (await self.wire()).sign_in(user, resource)


def require_prosody() -> None:
    if child_process.find() is None:
        give_up("There is no prosody")


@contextlib.asynccontextmanager
async def serve(
    folder: Path,
    settings: Any,
    desk: "Desk",
    options: str = "",
    renew: Callable[[], object] = lambda: None,
    **changes: Any,
) -> AsyncIterator[Server]:
    """Run one, as `run --xmpp` does, until the end of the block."""
    settings.FINESSE_XMPP_SECRET = SECRET
    settings.FINESSE_XMPP_PORT = free_port()
    settings.FINESSE_XMPP_SECURE_PORT = free_port()
    settings.FINESSE_XMPP_COMPONENT = f"127.0.0.1:{free_port()}"
    settings.FINESSE_XMPP_BOSH_URL = f"http://127.0.0.1:{free_port()}/http-bind"
    pair = make_or_renew(folder / "tls", ["localhost"])
    assert pair.authority is not None
    configuration = Changed(
        **{
            "certificate": pair.certificate,
            "key": pair.key,
            "password_url": desk.url,
            "interfaces": ["127.0.0.1"],
            "folder": folder,
            "options": options,
            **changes,
        }
    )
    require_prosody()
    running = asyncio.create_task(child_process.keep_running(configuration, renew))
    server = Server(
        folder,
        configuration,
        ssl.create_default_context(cafile=str(pair.authority)),
        settings.FINESSE_XMPP_BOSH_URL,
    )
    try:
        async with asyncio.timeout(30):
            await server.listens()
        yield server
    finally:
        for client in server.clients:
            await client.drop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def listens(address: tuple[str, int]) -> bool:
    try:
        _, writer = await asyncio.open_connection(*address)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


# --- The service's check of passwords ------------------------------------------------------------


class Desk:
    """All passwords are `right`; the answer for the user `slow` waits until `go` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.status: int | None = None
        self.go = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Desk"]:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/password"
        try:
            yield self
        finally:
            self.go.set()
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers["Content-Length"]))
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            self.asked.append((headers["Authorization"], form["user"], form["password"]))
            if form["user"] == "slow":
                await self.go.wait()
            status = self.status or (200 if form["password"] == "right" else 401)
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        writer.close()


# --- What stands for the component ---------------------------------------------------------------


class Component(ComponentXMPP):
    """Answers each `bound` with a position, unless it holds its answers back."""

    def __init__(self, *, position: int = 0, secret: str = SECRET) -> None:
        host, port = component_address()
        self.domain = current.FINESSE_XMPP_DOMAIN
        super().__init__(f"pubsub.{self.domain}", secret, host, port)
        self.next_position = position
        self.answers = asyncio.Event()
        self.answers.set()
        self.announced: asyncio.Queue[tuple[str, dict[str, str]]] = asyncio.Queue()
        self.others: asyncio.Queue[Element] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self.connected_once = asyncio.Event()
        self.add_event_handler("session_start", lambda _: self.connected_once.set())
        for kind in ("message", "iq", "presence"):
            path = MatchXPath(f"{{jabber:component:accept}}{kind}")
            self.register_handler(Callback(f"all {kind}", path, self._take))

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator["Component"]:
        self.connect()
        async with asyncio.timeout(30):
            await self.connected_once.wait()
        try:
            yield self
        finally:
            self.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, stanza: Any) -> None:
        xml: Element = stanza.xml
        what = next(iter(xml), None)
        if xml.get("from") == self.domain and what is not None and f"{{{SESSIONS}}}" in what.tag:
            self.announced.put_nowait((names(what)[0], dict(what.attrib)))
            if names(what)[0] == "bound" and "position" not in what.attrib:
                task = asyncio.ensure_future(self._place(what.attrib["jid"]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        else:
            self.others.put_nowait(xml)

    async def _place(self, jid: str) -> None:
        await self.answers.wait()
        self.place(jid, self.next_position)

    def place(self, jid: str, position: int) -> None:
        at = f"<at xmlns='{SESSIONS}' jid='{jid}' position='{position}'/>"
        self.say("message", self.domain, at)

    def notify(self, jid: str, position: int) -> None:
        self.say("message", jid, ITEM.format(position))

    def say(self, kind: str, to: str, content: str, extra: str = "") -> None:
        self.send_raw(f"<{kind} from='pubsub.{self.domain}' to='{to}' {extra}>{content}</{kind}>")

    async def pong(self) -> None:
        """Come back when the server has read everything that was said before."""
        self.say("iq", self.domain, "<ping xmlns='urn:xmpp:ping'/>", "type='get' id='pong'")
        async with asyncio.timeout(30):
            assert (await self.others.get()).get("id") == "pong"

    async def hears(self) -> tuple[str, dict[str, str]]:
        async with asyncio.timeout(30):
            return await self.announced.get()


# --- A client ------------------------------------------------------------------------------------


class Wire:
    """A stream over TCP."""

    to: str | None
    """The name that it opens the stream to; None for no attribute."""
    opened: dict[str, str]
    """The attributes with which the server has opened it."""

    @classmethod
    async def connect(
        cls,
        port: int,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        domain: str = "localhost",
    ) -> "Wire":
        wire = cls()
        name = domain if tls else None
        wire.reader, wire.writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname=name
        )
        wire.domain = domain
        wire.to = domain
        wire.jid = ""
        wire._restart()
        return wire

    def _restart(self) -> None:
        self.parser = XMLPullParser(("start", "end"))
        self._depth = 0

    async def say(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()

    async def read(self, seconds: float = 30) -> Element | None:
        """The next element of the stream; None at its end."""
        async with asyncio.timeout(seconds):
            while True:
                for event, element in self.parser.read_events():
                    self._depth += 1 if event == "start" else -1
                    if event == "start" and self._depth == 1:
                        self.opened = element.attrib
                    if event == "end" and self._depth == 1:
                        return element
                    if event == "end" and self._depth == 0:
                        return None
                data = await self.reader.read(65536)
                if not data:
                    return None
                self.parser.feed(data)

    async def hear(self, seconds: float = 30) -> Element:
        element = await self.read(seconds)
        assert element is not None, "The stream has ended"
        return element

    async def ask(self, text: str) -> Element:
        await self.say(text)
        return await self.hear()

    async def open(self) -> list[str]:
        """Open the stream, or open it anew; the mechanisms that it offers."""
        self._restart()
        to = "" if self.to is None else f"to='{self.to}' "
        features = await self.ask(
            f"<?xml version='1.0'?><stream:stream {to}version='1.0' "
            "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        return [one.text or "" for one in features.iter() if one.tag.endswith("}mechanism")]

    async def start_tls(self, context: ssl.SSLContext) -> None:
        proceed = await self.ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        assert names(proceed) == ["proceed"]
        await self.writer.start_tls(context, server_hostname=self.domain)

    async def auth(
        self, user: str = "alice", password: str = "right", acting_as: str = ""
    ) -> list[str]:
        said = base64.b64encode(f"{acting_as}\0{user}\0{password}".encode()).decode()
        answer = await self.ask(
            f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{said}</auth>"
        )
        return [name for name in names(answer) if name != "text"]

    async def bind(self, resource: str = "") -> Element:
        asked = f"<resource>{resource}</resource>" if resource else ""
        return await self.ask(
            "<iq type='set' id='bind'>"
            f"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{asked}</bind></iq>"
        )

    async def authenticate(self, user: str = "alice") -> "Wire":
        await self.open()
        assert await self.auth(user) == ["success"]
        await self.open()
        return self

    async def sign_in(self, user: str = "alice", resource: str = "desktop") -> "Wire":
        await self.authenticate(user)
        bound = await self.bind(resource)
        assert bound.get("type") == "result", tostring(bound)
        self.jid = next(one.text or "" for one in bound.iter() if one.tag.endswith("}jid"))
        return self

    async def available(self, content: str = "") -> "Wire":
        """Send presence while the component is connected; wait for its echo and the service's."""
        own = await self.ask(f"<presence>{content}</presence>")
        finesse = await self.hear()
        assert own.get("from") == self.jid
        assert (finesse.get("from"), finesse.get("type")) == ("finesse@localhost/finesse", None)
        return self

    async def item(self) -> int:
        """The id of the item that comes next."""
        message = await self.hear()
        assert message.get("from") == "pubsub.localhost", tostring(message)
        return next(int(one.attrib["id"]) for one in message.iter() if one.tag.endswith("}item"))

    async def ping(self, to: str = "") -> Element:
        to = f"to='{to}'" if to else ""
        return await self.ask(f"<iq type='get' id='p' {to}><ping xmlns='urn:xmpp:ping'/></iq>")

    async def ended(self, seconds: float = 30) -> str:
        """The stream error with which it ends, empty without one."""
        condition = ""
        while (element := await self.read(seconds)) is not None:
            if element.tag == "{http://etherx.jabber.org/streams}error":
                condition = names(element)[1]
        return condition

    async def drop(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await self.writer.wait_closed()


def condition(reply: Element) -> str:
    """The condition of an error stanza."""
    assert reply.get("type") == "error", tostring(reply)
    return [name for name in names(reply) if name != "text"][-1]


class BOSH:
    """A session over HTTP: each request is answered with the stanzas that there are."""

    def __init__(self, http: httpx.AsyncClient, url: str, version: str = "1.6") -> None:
        self.http, self.url, self.version = http, url, version
        self.sid = ""
        self.to: str | None = "localhost"
        self.rid = 4_000_000_000

    async def post(self, content: str = "", **attributes: str) -> Element:
        self.rid += 1
        given = {"rid": str(self.rid), **({"sid": self.sid} if self.sid else {}), **attributes}
        listed = " ".join(f"{name.replace('_', ':')}='{value}'" for name, value in given.items())
        body = (
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "
            f"{listed}>{content}</body>"
        )
        answer = await self.http.post(
            self.url, content=body, headers={"Content-Type": "text/xml; charset=utf-8"}
        )
        assert answer.status_code == 200, answer.text
        return fromstring(answer.content)

    async def open(self) -> list[str]:
        """The mechanisms that are offered."""
        to = {} if self.to is None else {"to": self.to}
        body = await self.post(wait="5", hold="1", ver=self.version, xmpp_version="1.0", **to)
        self.sid = body.attrib["sid"]
        return [one.text or "" for one in body.iter() if one.tag.endswith("}mechanism")]

    async def sign_in(self, user: str = "alice", resource: str = "desktop") -> Element:
        """The answer to the bind."""
        assert await self.open() == ["PLAIN"]
        said = base64.b64encode(f"\0{user}\0right".encode()).decode()
        sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'"
        answer = await self.post(f"<auth {sasl}>{said}</auth>")
        assert names(answer) == ["body", "success"]
        answer = await self.post(xmpp_restart="true", to=self.to or "")
        assert "bind" in names(answer)
        return await self.post(
            "<iq type='set' id='bind' xmlns='jabber:client'>"
            "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
