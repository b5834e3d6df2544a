"""XMPP clients that take little CPU, so that the figures are those of the server.

A client reads its stream as bytes and looks for marks in them; nothing is parsed. It signs in
as any client does (SASL PLAIN, bind, presence), over TCP or over WebSocket (RFC 7395).
"""

import asyncio
import base64
import contextlib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from xml.sax.saxutils import quoteattr

ANSWER_TIMEOUT_SECONDS = 30.0
KEPT_BYTES = 64 * 1024
"""The end of its stream that a client keeps."""

_CLIENT = "jabber:client"
_STREAMS = "http://etherx.jabber.org/streams"
_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
_SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
_BIND = "urn:ietf:params:xml:ns:xmpp-bind"
_PING = re.compile(rb"<iq [^>]*\bid=['\"]([^'\"]*)['\"][^>]*><ping [^>]*urn:xmpp:ping[^>]*></iq>")


class RefusedError(ConnectionError):
    """The server refused a request, or ended the connection."""


class Round:
    """A mark that some clients wait for; each client that has seen it is counted once."""

    def __init__(self, mark: bytes, waiting: int) -> None:
        self.mark = mark
        self.first = self.last = 0.0
        """When the first and the latest client saw it, by `time.perf_counter`."""
        self._waiting = waiting
        self._done = asyncio.get_running_loop().create_future()

    def seen(self) -> None:
        self.last = time.perf_counter()
        self.first = self.first or self.last
        self._waiting -= 1
        if not self._waiting and not self._done.done():
            self._done.set_result(None)

    def fail(self, error: Exception) -> None:
        """End the waiting with an error, since one of the clients will never see the mark."""
        if not self._done.done():
            self._done.set_exception(error)

    async def complete(self) -> float:
        """Wait until all clients have seen it; returns the time at which the last one did.

        Raises TimeoutError with the number of clients that still wait, or the error that ended a
        connection.
        """
        try:
            await asyncio.wait_for(self._done, ANSWER_TIMEOUT_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"{self._waiting} clients have not seen {self.mark!r}") from None
        return self.last


class Stream(asyncio.Protocol):
    """One connection over TCP, which keeps the end of what it received until `until` reads it."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._round: Round | None = None
        self._awaited: tuple[re.Pattern[bytes], asyncio.Future[bytes]] | None = None
        self._transport: asyncio.Transport | None = None
        self._lost: Exception | None = None

    # --- asyncio's side ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.take(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = error or RefusedError("The server closed the connection")
        if self._awaited and not self._awaited[1].done():
            self._awaited[1].set_exception(self._lost)
        if self._round:
            self._round.fail(self._lost)

    @property
    def is_closed(self) -> bool:
        return self._lost is not None

    # --- reading ----------------------------------------------------------------------------------

    def take(self, data: bytes) -> None:
        """Take bytes of the stream, without the frames around them."""
        self._kept += data
        if b"urn:xmpp:ping" in data:
            self._answer_ping()
        if self._round and (at := self._kept.find(self._round.mark)) >= 0:
            del self._kept[: at + len(self._round.mark)]
            waited, self._round = self._round, None
            waited.seen()
        self._look()
        if len(self._kept) > KEPT_BYTES:
            del self._kept[: len(self._kept) - KEPT_BYTES]

    def expect(self, waited: Round) -> None:
        """Count this client in the round when its mark comes; forget the bytes before."""
        self._kept.clear()
        self._round = waited

    async def until(self, pattern: bytes) -> bytes:
        """Wait for a match; returns the bytes up to its end. Raises OSError or TimeoutError."""
        if self._lost:
            raise self._lost
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited = (re.compile(pattern), answer)
        self._look()
        return await asyncio.wait_for(answer, ANSWER_TIMEOUT_SECONDS)

    def _answer_ping(self) -> None:
        """Answer a ping, since servers disconnect clients that do not."""
        if match := _PING.search(self._kept):
            # Removed, so that it is answered once.
            del self._kept[match.start() : match.end()]
            self.send(f"<iq xmlns='{_CLIENT}' type='result' id={quoteattr(match[1].decode())}/>")

    def _look(self) -> None:
        if self._awaited and (match := self._awaited[0].search(self._kept)):
            found = bytes(self._kept[: match.end()])
            del self._kept[: match.end()]
            answer, self._awaited = self._awaited[1], None
            if not answer.done():
                answer.set_result(found)

    # --- writing ----------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        self.write(text.encode())

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    # --- what differs between the ways to connect -------------------------------------------------

    async def open(self, domain: str) -> None:
        """Open the stream, or open it anew after SASL, and wait for its features."""
        self.send(
            f"<?xml version='1.0'?><stream:stream xmlns='{_CLIENT}' xmlns:stream='{_STREAMS}' "
            f"to={quoteattr(domain)} version='1.0'>"
        )
        await self.until(rb"</(?:stream:)?features>")


class WebSocket(Stream):
    """The same over RFC 7395: unmasked text frames come, frames masked with zeros go."""

    def __init__(self) -> None:
        super().__init__()
        self._frames = bytearray()
        self._upgraded = False

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self.take(data)
            return
        self._frames += data
        while (frame := self._next_frame()) is not None:
            opcode, payload = frame
            if opcode == 0x9:
                self._frame(0xA, payload)
            elif opcode != 0x8:
                self.take(payload)

    def _next_frame(self) -> tuple[int, bytes] | None:
        buffer = self._frames
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start], "big")
            if len(buffer) < start:
                return None
        if len(buffer) < start + length:
            return None
        frame = buffer[0] & 0x0F, bytes(buffer[start : start + length])
        del buffer[: start + length]
        return frame

    def _frame(self, opcode: int, payload: bytes) -> None:
        length = len(payload)
        header = bytes([0x80 | opcode])
        if length < 126:
            header += bytes([0x80 | length])
        else:
            header += bytes([0x80 | 126]) + length.to_bytes(2, "big")
        self.write(header + b"\0\0\0\0" + payload)

    def send(self, text: str) -> None:
        self._frame(0x1, text.encode())

    async def upgrade(self, host: str, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: xmpp\r\n\r\n".encode()
        )
        answer = await self.until(rb"\r\n\r\n")
        if b" 101 " not in answer.splitlines()[0]:
            raise RefusedError(answer.splitlines()[0].decode())
        self._upgraded = True

    async def open(self, domain: str) -> None:
        self.send(f"<open xmlns='{_FRAMING}' to={quoteattr(domain)} version='1.0'/>")
        await self.until(rb"</(?:stream:)?features>")


@dataclass(frozen=True)
class Address:
    """The address and the transport by which clients connect."""

    port: int
    domain: str = "localhost"
    kind: Literal["tcp", "websocket"] = "tcp"
    path: str = "/ws/"
    host: str = "127.0.0.1"

    async def connect(self) -> Stream:
        loop = asyncio.get_running_loop()
        if self.kind == "tcp":
            _, stream = await loop.create_connection(Stream, self.host, self.port)
            return stream
        _, socket = await loop.create_connection(WebSocket, self.host, self.port)
        await socket.upgrade(f"{self.domain}:{self.port}", self.path)
        return socket


async def sign_in(
    address: Address, user: str, password: str, resource: str = "bench", *, available: bool = True
) -> Stream:
    """A connected client with its resource. Raises RefusedError when the password is wrong."""
    stream = await address.connect()
    try:
        await stream.open(address.domain)
        secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        stream.send(f"<auth xmlns='{_SASL}' mechanism='PLAIN'>{secret}</auth>")
        answer = await stream.until(rb"<success[^>]*>|<failure.*?</failure>")
        if b"<failure" in answer:
            raise RefusedError(answer.decode())
        await stream.open(address.domain)
        stream.send(
            f"<iq xmlns='{_CLIENT}' type='set' id='bind'><bind xmlns='{_BIND}'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        await stream.until(rb"</jid>.*?</iq>")
        if available:
            stream.send(f"<presence xmlns='{_CLIENT}'/>")
    except BaseException:
        stream.close()
        raise
    return stream


@dataclass
class Crowd:
    """Many clients at once; `users` are signed in at most `at_once` at a time."""

    address: Address
    password: str
    at_once: int = 20
    members: dict[str, Stream] = field(default_factory=dict)

    async def join(self, users: Iterable[str]) -> Self:
        turns = asyncio.Semaphore(self.at_once)

        async def one(user: str) -> None:
            async with turns:
                self.members[user] = await sign_in(self.address, user, self.password)

        async with asyncio.TaskGroup() as group:
            for user in users:
                group.create_task(one(user))
        return self

    def expect(self, mark: bytes) -> Round:
        waited = Round(mark, len(self.members))
        for stream in self.members.values():
            stream.expect(waited)
        return waited

    def leave(self) -> None:
        for stream in self.members.values():
            stream.close()
        self.members.clear()


def memory(pid: int) -> dict[str, int]:
    """Bytes of memory of a process and its descendants, by the name of the program.

    PSS: shared pages count by their share.
    """
    found: dict[str, int] = {}
    for one in family(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            name = Path(f"/proc/{one}/comm").read_text().strip()
            if match := re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE):
                found[name] = found.get(name, 0) + int(match[1]) * 1024
    return found


def family(pid: int) -> list[int]:
    """The ids of a process and its descendants, which any of its threads may have started."""
    children: list[str] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += (thread / "children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]
