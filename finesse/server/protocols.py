"""uvicorn's connections, with the limits that uvicorn has no option for.

Its options bound one WebSocket message and turn compression off (see docs/operations.md). It does
not bound how long a connection may take to send a request, how much of its data is parsed before
other connections are served, how many frames without a message it may send, nor how long a peer
that reads nothing keeps the data that was written for it. Without these limits one peer can fill
the memory or delay everybody else.
"""

import asyncio
import contextlib
import logging
import socket
from asyncio.sslproto import SSLProtocol
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from finesse.client_networks import origin_of
from finesse.server.body_limit import BODY_TIMEOUT_SECONDS
from finesse.server.request_reader import RequestReader
from finesse.server.unread import UnreadDeadline

connections_logger = logging.getLogger("finesse.server.connections")
"""Who comes and goes. uvicorn's own logger, which also says that the server starts, cannot tell the
two apart."""
peers_logger = logging.getLogger("finesse.server.peers")
"""What peers send that is no WebSocket: their fault, and read at DEBUG alone."""

REQUEST_HEAD_TIMEOUT_SECONDS = 15
"""Within this time the whole head of a request must arrive."""
MAX_SILENT_CONNECTIONS_PER_ADDRESS = 200
"""Connections of one address to this process that may take that long for their first request."""
CROWDED_HEAD_TIMEOUT_SECONDS = 1
"""The time that further connections of that address have: enough when many clients connect at
once."""
PARSED_AT_ONCE_BYTES = 1024
"""Data of a WebSocket that is parsed in one go. Full of the smallest frames, it takes some
milliseconds."""
EMPTY_FRAMES_BURST = 100
EMPTY_FRAMES_PER_SECOND = 10
"""Frames without a message (pings, pongs, fragments) that a peer may send: so many per second, and
so many more at once."""
CLOSE_TIMEOUT_SECONDS = 10
"""When a WebSocket is closed, its peer has this time to read the rest."""
FIRST_REQUEST_SECONDS = 1
"""So long a server that ends waits for the request of a connection that it has just accepted."""
BODY_GRACE_SECONDS = 5
"""The application answers a body that is late; so much later the connection is closed."""

_silent_connections: Counter[str] = Counter()
"""Connections that have not sent a request yet, by client network."""


class _SilentConnection:
    """Counts a connection until it has sent its first request."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        address = (transport.get_extra_info("peername") or ("",))[0]
        self._network: str | None = origin_of(address)
        _silent_connections[self._network] += 1
        is_crowded = _silent_connections[self._network] > MAX_SILENT_CONNECTIONS_PER_ADDRESS
        self.timeout = CROWDED_HEAD_TIMEOUT_SECONDS if is_crowded else REQUEST_HEAD_TIMEOUT_SECONDS

    def end(self) -> None:
        if self._network is not None:
            _silent_connections[self._network] -= 1
            if not _silent_connections[self._network]:
                del _silent_connections[self._network]
            self._network = None


class TLSProtocol(SSLProtocol):
    """Closes a connection whose TLS handshake takes too long; asyncio would wait a minute.

    asyncio creates these objects itself; `run --tls` replaces asyncio's class by this one.
    """

    # The buffer that asyncio allocates for each connection; its own default is 256 KiB.
    max_size = 32 * 1024
    _silent: _SilentConnection | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._server_side:
            self._silent = _SilentConnection(transport)
            self._ssl_handshake_timeout = self._silent.timeout
        super().connection_made(transport)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        self._count_no_more()
        super()._on_handshake_complete(handshake_exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._count_no_more()
        super().connection_lost(exc)

    def _count_no_more(self) -> None:
        if self._silent is not None:
            self._silent.end()


class HTTPProtocol(UnreadDeadline, H11Protocol):
    """Closes a connection whose request does not arrive in time, its head or its body."""

    _silent: _SilentConnection | None = None
    _deadline: asyncio.TimerHandle | None = None
    _awaits_body = False
    _is_last = False
    """The server is ending, and this connection has yet to send its only request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = RequestReader()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.logger = connections_logger
        _send_at_once(transport)
        self._silent = _SilentConnection(transport)
        self._set_deadline(self._silent.timeout)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is not None:
            self._count_no_more()
        if self._is_last and self.cycle is not None:
            self.cycle.keep_alive = False
        self._expect_body()
        if self.conn.their_state is h11.IDLE and self._deadline is None:
            # uvicorn's own timeout for idle connections ends with the first byte.
            self._set_deadline(REQUEST_HEAD_TIMEOUT_SECONDS)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect_body()

    def shutdown(self) -> None:
        if self.cycle is None and not self._is_last and not self.transport.is_closing():
            # It was accepted a moment ago, and its first request is on its way: its client
            # would get no answer. The other processes that share the port take the next.
            self._is_last = True
            self.loop.call_later(FIRST_REQUEST_SECONDS, self._end_if_silent)
            return
        super().shutdown()
        if self.conn.their_state is h11.SEND_BODY:
            # The server would wait for the rest of the body.
            self.transport.abort()

    def _end_if_silent(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.shutdown()

    def _expect_body(self) -> None:
        """A body that has begun has a deadline until its end; a head's deadline ends with it."""
        is_upgraded = self.transport.get_protocol() is not self
        awaits_body = self.conn.their_state is h11.SEND_BODY and not is_upgraded
        if awaits_body and not self._awaits_body:
            self._cancel_deadline()
            self._set_deadline(BODY_TIMEOUT_SECONDS + BODY_GRACE_SECONDS)
        elif not awaits_body and (self._awaits_body or self.conn.their_state is not h11.IDLE):
            self._cancel_deadline()
        self._awaits_body = awaits_body

    def connection_lost(self, exc: Exception | None) -> None:
        self._count_no_more()
        self._cancel_deadline()
        super().connection_lost(exc)

    def _set_deadline(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count_no_more(self) -> None:
        if self._silent is not None:
            self._silent.end()


def _send_at_once(transport: asyncio.Transport) -> None:
    """Without Nagle's delay. asyncio takes sockets that uvicorn got by `--fd` for UNIX sockets."""
    if (accepted := transport.get_extra_info("socket")) is not None:
        # Of a UNIX socket.
        with contextlib.suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class WebSocketProtocol(UnreadDeadline, WebSocketsSansIOProtocol):
    """Parses small pieces, and none while the application has yet to take a message."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = connections_logger
        self.conn.logger = peers_logger
        self._unparsed = bytearray()
        self._empty_frames = 0.0
        self._counted_at = self.loop.time()

    def connection_made(self, transport: Any) -> None:
        closing_in_time: Any = _Transport(transport, self.loop)
        super().connection_made(closing_in_time)

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated:
            self._unparsed += data
            self._parse()
        else:
            super().data_received(data)

    async def send(self, message: Any) -> None:
        # asyncio would log each write to a peer that has gone.
        if self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            # A refusal completes the handshake, too; uvicorn would log that nothing did.
            self.handshake_complete = True

    async def receive(self) -> Any:
        message = await super().receive()
        self._parse()
        return message

    def _parse(self) -> None:
        while self._unparsed and not self.read_paused:
            if self.transport.is_closing():
                self._unparsed.clear()
                return
            piece = bytes(self._unparsed[:PARSED_AT_ONCE_BYTES])
            del self._unparsed[:PARSED_AT_ONCE_BYTES]
            super().data_received(piece)

    # --- frames without a message ---------------------------------------------------------------

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        self._count_empty_frame()

    def handle_ping(self) -> None:
        super().handle_ping()
        self._count_empty_frame()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._count_empty_frame()

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and not _is_utf_8(b"".join(self.frames)):
            # uvicorn would do the same, and log a traceback.
            self.conn.fail(CloseCode.INVALID_DATA, "not UTF-8")
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()
        if self.close_sent:
            self._count_empty_frame()

    def _count_empty_frame(self) -> None:
        now = self.loop.time()
        forgiven = (now - self._counted_at) * EMPTY_FRAMES_PER_SECOND
        self._empty_frames = max(0.0, self._empty_frames - forgiven) + 1
        self._counted_at = now
        if self._empty_frames <= EMPTY_FRAMES_BURST or self.transport.is_closing():
            return
        if self.close_sent:
            self.transport.abort()
        else:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames without a message")
            self.handle_parser_exception()


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Transport:
    """A transport that, once closed, does not wait forever until its peer has read the rest."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        # Faster than by __getattr__, since it is called for each frame of each socket.
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        if not self._transport.is_closing():
            self._loop.call_later(CLOSE_TIMEOUT_SECONDS, self._transport.abort)
        self._transport.close()
