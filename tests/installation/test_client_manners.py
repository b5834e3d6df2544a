"""Whole sessions in the manners of public clients that nobody here wrote.

Each signs in over XMPP, asks for its feeds, changes its state over REST and reads the outcomes.
What differs is what such clients were seen to do: some of it is odd, and none of it is wrong enough
to be refused.
"""

import base64
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.kit.installation import Installation
from tests.kit.xmpp_stream import BIND, CLOSE, OPEN, PUBSUB, auth, names, plain

TIMEOUT_SECONDS = 60
USER, PASSWORD = "1400", "Grüße"
"""Of the user whose clients these are: an agent with a password that is not ASCII."""
MEDIA = f"/finesse/api/User/{USER}/Media"
DISCO = "<iq type='get' id='q' to='pubsub.localhost'><query xmlns='http://jabber.org/protocol/disco#info' node='{}'/></iq>"  # noqa: E501
ADD_USER = f"""
import json
from finesse.users.models import User
from media.models import Media
User.objects.create_user({USER!r}, {PASSWORD!r}, first_name="Eva", team_id=1)
print(json.dumps(Media.objects.create(user_id={USER!r}, mrd_id=5000).pk))
"""
PING = "<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
SESSION = {
    "LOGIN": "<maxDialogLimit>5</maxDialogLimit><interruptAction>ACCEPT</interruptAction>",
    "NOT_READY": "<reasonCodeId>1001</reasonCodeId>",
    "READY": "{none}",
    "LOGOUT": "<reasonCodeId>2001</reasonCodeId>",
}
"""What a client asks for in a session, and in addition to the state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    to: str = "localhost"
    """The stream's `to`."""
    path: str = "/ws/"
    feeds: tuple[str, ...] = ()
    """The nodes that it looks for, in this order, before it does anything else."""
    charset: str = "utf-8"
    """Of the password in HTTP Basic."""
    content_type: str = "application/xml"
    declaration: str = ""
    none: str = ""
    """What is sent as the reason of READY, which has none."""
    target: str = "{path}"
    headers: tuple[str, ...] = ()
    chunked: bool = False
    before: str = ""
    """Written before each request."""
    capitals: bool = True
    """Whether names of headers begin with capitals."""


OWN = f"/finesse/api/User/{USER}"
FEEDS = {
    "the Dialogs node first": (f"{OWN}/Dialogs", OWN),
    "all that the subscription page lists": (
        OWN, f"{OWN}/Dialogs", f"{OWN}/Dialogs/Media", f"{MEDIA}/5000", f"{OWN}/Queues",
        f"{OWN}/ClientLog", "/finesse/api/SystemInfo",
    ),
}  # fmt: skip
MANNERS = {
    "a gadget in a browser": Manner(
        content_type="application/xml; charset=UTF-8",
        headers=("Accept: */*", "X-Requested-With: XMLHttpRequest"),
        feeds=(MEDIA,),
    ),
    "a Java desktop": Manner(
        feeds=FEEDS["the Dialogs node first"],
        content_type="application/xml; charset=ISO-8859-1",
        headers=("Expect: 100-continue", "Accept-Encoding: gzip,deflate"),
    ),
    "a C# service": Manner(
        to="127.0.0.1",
        charset="latin-1",
        headers=("Expect: 100-continue",),
        content_type='text/xml; charset="utf8"',
    ),
    "a Go program": Manner(
        path="/ws",
        capitals=False,
        chunked=True,
        none="<reasonCodeId>0</reasonCodeId>",
        feeds=FEEDS["all that the subscription page lists"],
    ),
    "an old script": Manner(
        to="finesse.example.com",
        before="\r\n",
        declaration='<?xml version="1.0" encoding="ISO-8859-1"?>\n',
        none="<reasonCodeId>-1</reasonCodeId>",
        charset="latin-1",
    ),
    "a client that thinks of a proxy": Manner(
        target="http://127.0.0.1{path}",
        headers=("Proxy-Connection: keep-alive", "Via-Nothing: "),
        none="<reasonCodeId></reasonCodeId>",
    ),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("manners"))
    try:
        made.start()
        made.query(ADD_USER)
        yield made
    finally:
        made.end()


class Client:
    def __init__(self, served: Installation, manner: Manner, socket: ClientConnection) -> None:
        self.served = served
        self.manner = manner
        self.socket = socket

    # --- XMPP -------------------------------------------------------------------------------------

    def ask(self, text: str) -> Element:
        self.socket.send(text)
        return self.read()

    def read(self) -> Element:
        element: Element = fromstring(self.socket.recv(TIMEOUT_SECONDS))
        return element

    def open(self) -> None:
        opened = self.ask(OPEN.replace("localhost", self.manner.to))
        assert (names(opened), opened.get("from")) == (["open"], "localhost")
        assert "features" in names(self.read())

    def sign_in(self) -> None:
        self.open()
        assert names(self.ask(auth(plain(USER, PASSWORD)))) == ["success"]
        self.open()
        assert self.ask(BIND("<resource>desktop</resource>")).get("type") == "result"
        for node in self.manner.feeds:
            assert self.ask(DISCO.format(node)).get("type") == "result", node
            jid = f"{USER}@localhost/desktop"
            wanted = PUBSUB("set", f"<subscribe node='{node}' jid='{jid}'/>")
            assert self.ask(wanted).get("type") == "result", node
        self.socket.send("<presence/>")

    def next_update(self) -> Element:
        """The next notification of the Media; presence and SystemInfo are no matter here."""
        while True:
            stanza = self.read()
            for item in stanza.iter("{http://jabber.org/protocol/pubsub}notification"):
                update: Element = fromstring(item.text or "")
                if update.findtext("source", "").startswith(MEDIA):
                    return update

    # --- REST -------------------------------------------------------------------------------------

    def put(self, state: str, request_id: str) -> int:
        manner = self.manner
        added = SESSION[state].format(none=manner.none)
        body = f"{manner.declaration}<Media><state>{state}</state>{added}</Media>"
        path = manner.target.format(path=f"{MEDIA}/5000")
        credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode(manner.charset)).decode()
        length = "Transfer-Encoding: chunked" if manner.chunked else f"Content-Length: {len(body)}"
        headers = [
            f"Host: 127.0.0.1:{self.served.port}",
            f"Authorization: Basic {credentials}",
            f"Content-Type: {manner.content_type}",
            f"requestId: {request_id}",
            length,
            *manner.headers,
        ]
        if not manner.capitals:
            headers = [f"{name.lower()}:{value}" for name, _, value in map(_parts, headers)]
        head = "\r\n".join([f"{manner.before}PUT {path} HTTP/1.1", *headers, "", ""])
        sent = f"{len(body):x}\r\n{body}\r\n0\r\n\r\n" if manner.chunked else body
        return self.exchange((head + sent).encode("latin-1"))

    def exchange(self, sent: bytes) -> int:
        at = ("127.0.0.1", self.served.port)
        with socket.create_connection(at, TIMEOUT_SECONDS) as connection:
            connection.sendall(sent)
            with HTTPResponse(connection) as response:
                response.begin()
                return response.status


def _parts(header: str) -> tuple[str, str, str]:
    return header.partition(": ")


@pytest.mark.parametrize("name", MANNERS)
def test_a_whole_session(name: str, served: Installation) -> None:
    address = served.url.replace("http", "ws", 1) + MANNERS[name].path
    with connect(
        address, subprotocols=[Subprotocol("xmpp")], open_timeout=TIMEOUT_SECONDS
    ) as socket:
        client = Client(served, MANNERS[name], socket)
        client.sign_in()
        for state in SESSION:
            assert client.put(state, f"r-{state}") == 202
            update = client.next_update()
            shown = "NOT_READY" if state == "LOGIN" else state
            assert (update.findtext("requestId"), update.findtext("data/Media/state")) == (
                f"r-{state}",
                shown,
            )
        # Each came once, whatever the client has subscribed to beside.
        assert client.ask(PING).get("id") == "p"
        socket.send(CLOSE)
