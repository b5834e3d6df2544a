"""A peer without manners: WebSocket frames as bytes, over a socket that it need not read."""

import base64
import contextlib
import os
import socket
import struct
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from tests.kit.xmpp_stream import BIND, OPEN, auth, names, plain

CONTINUATION, TEXT, BINARY, PING, PONG = 0, 1, 2, 9, 10
FINAL, COMPRESSED = 0x80, 0x40
CLOSE = 8
ERROR = "{http://etherx.jabber.org/streams}error"


def frame(payload: str | bytes = b"", opcode: int = TEXT, bits: int = FINAL) -> bytes:
    """One frame of a client; its mask changes nothing."""
    data = payload.encode() if isinstance(payload, str) else payload
    if len(data) < 126:
        length = struct.pack("!B", 0x80 | len(data))
    elif len(data) < 65536:
        length = struct.pack("!BH", 0x80 | 126, len(data))
    else:
        length = struct.pack("!BQ", 0x80 | 127, len(data))
    return bytes([bits | opcode]) + length + bytes(4) + data


@dataclass(frozen=True, slots=True)
class Closed:
    """How the connection ended: the WebSocket's code, None if the server just went away."""

    code: int | None


class Peer:
    """A connection; each step takes at most ten seconds."""

    def __init__(self, port: int, *, reads_little: bool = False) -> None:
        self.socket = socket.socket()
        if reads_little:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        self._received = b""
        self.features: Element = Element("")
        self.jid = ""

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def upgrade(self, *headers: str, path: str = "/ws/") -> str:
        """Become a WebSocket; the head of the answer."""
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: localhost",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Protocol: xmpp",
            *headers,
        )
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        return head.decode()

    def send(self, *frames: bytes) -> None:
        self.socket.sendall(b"".join(frames))

    def push(self, *frames: bytes) -> None:
        """Send what the server takes: it may refuse the rest."""
        with contextlib.suppress(OSError):
            self.send(*frames)

    def say(self, *texts: str) -> None:
        self.send(*map(frame, texts))

    def read(self) -> Element | Closed:
        try:
            while True:
                opcode, payload = self._frame()
                if opcode == TEXT:
                    return fromstring(payload.decode())
                if opcode == CLOSE:
                    return Closed(struct.unpack("!H", payload[:2])[0] if payload else 1005)
                if opcode == PING:
                    self.send(frame(payload, PONG))
        except ConnectionError:
            return Closed(None)

    def ask(self, text: str) -> Element:
        self.say(text)
        answer = self.read()
        assert isinstance(answer, Element), answer
        return answer

    def open(self) -> "Peer":
        assert names(self.ask(OPEN)) == ["open"]
        features = self.read()
        assert isinstance(features, Element), features
        self.features = features
        return self

    def sign_in(self, user: str, password: str = "finesse") -> "Peer":
        self.open()
        assert names(self.ask(auth(plain(user, password)))) == ["success"]
        return self.open()

    def bind(self, resource: str = "") -> "Peer":
        bound = self.ask(BIND(f"<resource>{resource}</resource>" if resource else ""))
        assert bound.get("type") == "result"
        (self.jid,) = (one.text or "" for one in bound.iter() if one.tag.endswith("}jid"))
        return self

    def ended(self) -> str | int | None:
        """The stream error with which it was closed, empty for none; the WebSocket's code if the
        end was the WebSocket's alone. Anything received before the end is skipped."""
        condition: str | None = None
        while isinstance(element := self.read(), Element):
            if element.tag == ERROR:
                condition = names(element)[1]
            elif names(element) == ["close"]:
                assert self.read() == Closed(1000)
                return condition or ""
        assert condition is None
        return element.code

    def vanish(self) -> None:
        """Go away without a word, as a process that is killed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _frame(self) -> tuple[int, bytes]:
        opcode, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return opcode & 15, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._receive()
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _receive(self) -> None:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionResetError
        self._received += received
