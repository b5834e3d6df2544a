"""uvicorn's connections, each with no more than its share of the server.

uvicorn bounds one message. It does not bound how long a connection takes to ask for something,
what is parsed of it before others have their turn, how many frames come that say nothing, what
a small compressed frame becomes, nor how long a peer that reads nothing keeps what was written
for it. Any of these lets one peer fill the memory or hold up everybody else.
"""

import asyncio
from asyncio.sslproto import SSLProtocol
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from finesse.client_networks import origin_of

PATIENCE_WITH_HEADS = 15
"""Seconds within which the head of a request has to come, whole."""
SILENT_PER_ADDRESS = 200
"""Connections of one address, in this process, that may take that long for their first."""
PATIENCE_IN_A_CROWD = 1
"""Seconds that the others have: enough for many who come at once to be heard."""
PIECE = 1024
"""Bytes parsed at once: as the smallest frames, some milliseconds' work."""
EMPTY_FRAMES = 100
EMPTY_FRAMES_A_SECOND = 10
"""Frames that are no message: how many more of them may come than these a second."""
PATIENCE_AT_THE_END = 10
"""Seconds that a peer has to read the rest when its WebSocket is closed."""

_silent: Counter[str] = Counter()


class _Silence:
    """Of one connection that has not said yet what it wants."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._origin: str | None = origin_of((transport.get_extra_info("peername") or ("",))[0])
        _silent[self._origin] += 1
        is_crowd = _silent[self._origin] > SILENT_PER_ADDRESS
        self.patience = PATIENCE_IN_A_CROWD if is_crowd else PATIENCE_WITH_HEADS

    def end(self) -> None:
        if self._origin is not None:
            _silent[self._origin] -= 1
            if not _silent[self._origin]:
                del _silent[self._origin]
            self._origin = None


class TLSProtocol(SSLProtocol):
    """Ends a connection that does not shake hands in time: asyncio gives each a minute.

    asyncio makes these by itself; `run --tls` puts this one in the place of its own.
    """

    # asyncio sets as much aside for each connection, by itself 256 KiB.
    max_size = 32 * 1024
    _silence: _Silence | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._server_side:
            self._silence = _Silence(transport)
            self._ssl_handshake_timeout = self._silence.patience
        super().connection_made(transport)

    def _on_handshake_complete(self, handshake_exc: BaseException | None) -> None:
        self._end_silence()
        super()._on_handshake_complete(handshake_exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end_silence()
        super().connection_lost(exc)

    def _end_silence(self) -> None:
        if self._silence is not None:
            self._silence.end()


class HTTPProtocol(H11Protocol):
    """Ends a connection that does not say in time what it wants."""

    _silence: _Silence | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._silence = _Silence(transport)
        self._wait(self._silence.patience)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.scope is not None:
            self._has_asked()
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._deadline is None:
            # uvicorn's own patience with kept connections ends with the first byte.
            self._wait(PATIENCE_WITH_HEADS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_asked()
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self, patience: float) -> None:
        self._deadline = self.loop.call_later(patience, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _has_asked(self) -> None:
        if self._silence is not None:
            self._silence.end()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Parses in small pieces, no further than the application has come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unparsed = bytearray()
        self._empty_frames = 0.0
        self._counted_at = self.loop.time()

    def connection_made(self, transport: Any) -> None:
        patient: Any = _Transport(transport, self.loop)
        super().connection_made(patient)

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated:
            self._unparsed += data
            self._parse()
        else:
            super().data_received(data)

    async def receive(self) -> Any:
        message = await super().receive()
        self._parse()
        return message

    def _parse(self) -> None:
        while self._unparsed and not self.read_paused:
            if self.transport.is_closing():
                self._unparsed.clear()
                return
            piece = bytes(self._unparsed[:PIECE])
            del self._unparsed[:PIECE]
            super().data_received(piece)

    # --- frames that are no message -------------------------------------------------------------

    def handle_cont(self, event: Frame) -> None:
        super().handle_cont(event)
        self._count()

    def handle_ping(self) -> None:
        super().handle_ping()
        self._count()

    def handle_pong(self, event: Frame) -> None:
        super().handle_pong(event)
        self._count()

    def send_receive_event_to_app(self) -> None:
        super().send_receive_event_to_app()
        if self.close_sent:
            self._count()

    def _count(self) -> None:
        now = self.loop.time()
        forgiven = (now - self._counted_at) * EMPTY_FRAMES_A_SECOND
        self._empty_frames = max(0.0, self._empty_frames - forgiven) + 1
        self._counted_at = now
        if self._empty_frames <= EMPTY_FRAMES or self.transport.is_closing():
            return
        if self.close_sent:
            self.transport.abort()
        else:
            self.conn.fail(CloseCode.POLICY_VIOLATION, "too many frames without a message")
            self.handle_parser_exception()


class _Transport:
    """A transport that does not wait for ever until its peer has read the rest."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        # Found without a detour, as it is asked for with each frame of each socket.
        self.write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        if not self._transport.is_closing():
            self._loop.call_later(PATIENCE_AT_THE_END, self._transport.abort)
        self._transport.close()
