"""A stream over WebSocket in the tests' own process: frames go in as text, elements come out."""

import base64
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from finesse.asgi import application
from tests.conftest import PASSWORD
from tests.kit.communicator import PatientCommunicator

OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>"
CLOSE = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
BIND = (
    "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{}</bind></iq>".format
)
PUBSUB = (
    "<iq type='{}' id='q' to='pubsub.localhost'>"
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'>{}</pubsub></iq>"
).format
LOCAL = ("127.0.0.1", 50000)


def plain(name: str = "alice", password: str = PASSWORD, acting_as: str = "") -> str:
    """The Authorization of a client."""
    return base64.b64encode(f"{acting_as}\0{name}\0{password}".encode()).decode()


def auth(response: str, mechanism: str = "PLAIN") -> str:
    return (
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{response}</auth>"
    )


def names(element: Element) -> list[str]:
    """The names of an element and of all in it, without their namespaces."""
    return [one.tag.rpartition("}")[2] for one in element.iter()]


class Stream:
    """One connection, of alice unless another user is given."""

    def __init__(self, path: str = "/ws/", peer: tuple[str, int] = LOCAL, **scope: Any) -> None:
        self.socket: Any = PatientCommunicator(application, path, subprotocols=["xmpp"])
        self.socket.scope.update({"client": peer, **scope})
        self.jid = ""

    async def connect(self) -> "Stream":
        connected, protocol = await self.socket.connect()
        assert (connected, protocol) == (True, "xmpp")
        return self

    async def say(self, text: str) -> None:
        await self.socket.send_to(text_data=text)

    async def read(self) -> Element:
        return fromstring(await self.socket.receive_from(30))

    async def ask(self, text: str) -> Element:
        await self.say(text)
        return await self.read()

    async def open(self) -> Element:
        """The features."""
        assert names(await self.ask(OPEN)) == ["open"]
        return await self.read()

    async def sign_in(self, name: str = "alice", password: str = PASSWORD) -> "Stream":
        await self.open()
        assert names(await self.ask(auth(plain(name, password)))) == ["success"]
        await self.open()
        return self

    async def bind(self, resource: str = "") -> "Stream":
        asked = f"<resource>{resource}</resource>" if resource else ""
        bound = await self.ask(BIND(asked))
        assert bound.get("type") == "result"
        (jid,) = (one.text for one in bound.iter() if one.tag.endswith("}jid"))
        self.jid = jid or ""
        return self

    async def available(self, priority: int = 0) -> "Stream":
        own = await self.ask(f"<presence><priority>{priority}</priority></presence>")
        assert own.get("from") == self.jid
        finesse = await self.read()
        assert finesse.get("from") == "finesse@localhost/finesse"
        return self

    async def item(self) -> tuple[str, int]:
        """Node and id of the one item that comes next."""
        message = await self.read()
        (items,) = message.iter("{http://jabber.org/protocol/pubsub#event}items")
        (item,) = items
        return items.get("node", ""), int(item.get("id", ""))

    async def silent(self) -> bool:
        return bool(await self.socket.receive_nothing(0.1))

    async def ended(self) -> str:
        """The stream error that closed it, empty for none."""
        element = await self.read()
        if names(element) == ["open"]:
            element = await self.read()
        condition = ""
        if element.tag == "{http://etherx.jabber.org/streams}error":
            condition = names(element)[1]
            element = await self.read()
        assert names(element) == ["close"]
        closed = await self.socket.receive_output(30)
        assert (closed["type"], closed["code"]) == ("websocket.close", 1000)
        return condition

    async def leave(self) -> None:
        await self.socket.disconnect()
