"""Clients that take little CPU, in one process: sockets that receive, callers that send requests.

One epoll loop, no coroutines, nothing parsed but the lengths of frames. The CPU time of this
process is measured with each figure: if it were busy all the time, the figure would be its own.
"""

import contextlib
import os
import select
import socket
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterable

from benchmarks.people import basic

SUBSCRIBE = '{{"type": "subscribe", "after": {after}}}'
CONNECTING_AT_ONCE = 20
LARGEST_READ_BYTES = 1 << 18


class EndedError(ConnectionError):
    """The server ended a connection that it should have kept."""


class Loop:
    """The event loop of all connections of this process."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._of: dict[int, Connection] = {}

    def add(self, connection: "Connection") -> None:
        self._of[connection.fd] = connection
        self._poll.register(connection.fd, select.EPOLLIN | select.EPOLLOUT)

    def want_to_write(self, connection: "Connection", wanted: bool) -> None:
        events = select.EPOLLIN | (select.EPOLLOUT if wanted else 0)
        self._poll.modify(connection.fd, events)

    def remove(self, connection: "Connection") -> None:
        if self._of.pop(connection.fd, None) is not None:
            self._poll.unregister(connection.fd)

    def turn(self, timeout: float) -> None:
        """Wait for events, at most so many seconds, and handle them."""
        for fd, events in self._poll.poll(max(0.0, timeout)):
            if connection := self._of.get(fd):
                if events & ~select.EPOLLOUT:
                    connection.read()
                if events & select.EPOLLOUT:
                    connection.flush()

    def until(self, done: Callable[[], bool], timeout: float) -> bool:
        """Handle events until `done()`. False if it is not after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.turn(min(left, 0.1))
        return True


class Connection:
    """A TCP connection to a server on loopback, non-blocking."""

    def __init__(self, loop: Loop, port: int) -> None:
        self._loop = loop
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect_ex(("127.0.0.1", port))
        self.fd = self._socket.fileno()
        self._unsent = b""
        self._connected = False
        loop.add(self)

    def send(self, data: bytes) -> None:
        if self._unsent or not self._connected:
            self._unsent += data
            return
        sent = 0
        with contextlib.suppress(BlockingIOError):
            sent = self._socket.send(data)
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.want_to_write(self, True)

    def flush(self) -> None:
        self._connected = True
        unsent, self._unsent = self._unsent, b""
        self._loop.want_to_write(self, False)
        if unsent:
            self.send(unsent)

    def read(self) -> None:
        try:
            data = self._socket.recv(LARGEST_READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise EndedError("The server has ended the connection")
        self.received(data)

    def received(self, data: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._loop.remove(self)
        self._socket.close()


class Caller(Connection):
    """HTTP on one kept connection: one request at a time."""

    def __init__(self, loop: Loop, port: int) -> None:
        super().__init__(loop, port)
        self._answered: Callable[[int], None] | None = None
        self._buffer = b""

    @property
    def is_free(self) -> bool:
        return self._answered is None

    def ask(self, request: bytes, answered: Callable[[int], None]) -> None:
        """Send a request; `answered` is called with the status."""
        self._answered = answered
        self.send(request)

    def received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        _, _, length = head.partition(b"content-length:")
        size = int(length.split(b"\r\n", 1)[0]) if length else 0
        if len(self._buffer) < end + 4 + size:
            return
        self._buffer = b""
        answered, self._answered = self._answered, None
        if answered:
            answered(int(head[9:12]))


class Listener(Connection):
    """A subscribed WebSocket; `heard` is called with the frame of each notification."""

    def __init__(
        self,
        loop: Loop,
        port: int,
        path: str,
        login_id: str,
        heard: "Callable[[Listener, bytes], None]",
        *,
        after: int | None = None,
    ) -> None:
        super().__init__(loop, port)
        self.login_id = login_id
        self.subscribed = False
        self._heard = heard
        self._upgraded = False
        self._buffer = b""
        self._after = "null" if after is None else str(after)
        key = b64encode(os.urandom(16)).decode()
        self.send(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Authorization: {basic(login_id)}\r\n\r\n".encode()
        )

    def received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            head, end, buffer = buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise EndedError(f"The handshake was refused: {head[:200]!r}")
            self._upgraded = True
            self._frame(0x1, SUBSCRIBE.format(after=self._after).encode())
        size = len(buffer)
        start = 0
        while size - start >= 2:
            length, begin = buffer[start + 1], start + 2
            if length >= 126:
                begin = start + (4 if length == 126 else 10)
                if size < begin:
                    break
                length = int.from_bytes(buffer[start + 2 : begin], "big")
            end_of_frame = begin + length
            if size < end_of_frame:
                break
            self._take(buffer[start] & 0x0F, buffer[begin:end_of_frame])
            start = end_of_frame
        self._buffer = buffer[start:]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 0x1:
            if self.subscribed:
                self._heard(self, payload)
            else:
                self.subscribed = True
        elif opcode == 0x9:
            self._frame(0xA, payload)
        elif opcode == 0x8:
            raise EndedError(f"The server has closed the socket: {payload!r}")

    def _frame(self, opcode: int, payload: bytes) -> None:
        assert len(payload) < 126
        self.send(bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)


def listen(
    loop: Loop,
    port: int,
    path: str,
    login_ids: Iterable[str],
    heard: Callable[[Listener, bytes], None],
    *,
    after: int | None = None,
    at_once: int = CONNECTING_AT_ONCE,
    timeout: float = 120.0,
) -> list[Listener]:
    """Open sockets of these users and subscribe. Raises TimeoutError, EndedError."""
    made: list[Listener] = []
    waiting: list[Listener] = []
    for login_id in login_ids:
        one = Listener(loop, port, path, login_id, heard, after=after)
        made.append(one)
        waiting.append(one)
        while len(waiting) >= at_once:
            loop.turn(0.1)
            waiting = [one for one in waiting if not one.subscribed]
    if not loop.until(lambda: all(one.subscribed for one in waiting), timeout):
        missing = sum(not one.subscribed for one in made)
        raise TimeoutError(f"{missing} sockets were not subscribed after {timeout:.0f} s")
    return made


def ask_all(port: int, requests: Iterable[bytes], *, connections: int = 4) -> dict[int, int]:
    """Send each request once, over a few connections; returns the number of answers by status."""
    loop = Loop()
    callers = [Caller(loop, port) for _ in range(connections)]
    statuses: dict[int, int] = {}
    waiting = deque(requests)
    total = len(waiting)

    def count(status: int) -> None:
        statuses[status] = statuses.get(status, 0) + 1

    while sum(statuses.values()) < total:
        for caller in callers:
            if waiting and caller.is_free:
                caller.ask(waiting.popleft(), count)
        loop.turn(1)
    for caller in callers:
        caller.close()
    return statuses
