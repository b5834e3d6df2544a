"""The network before a service, which can cut, reset, delay, and forget connections."""

import asyncio
import contextlib
import socket
import struct

from tests.faults.wire import Wire
from tests.kit.proxy_between import Between

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER: the end of a connection is a RST, and not a FIN."""


class Network(Between):
    """A proxy like `Between`, with the faults of networks beside those of services.

    With a wire its clients reach it by that alone.
    """

    def __init__(self, url: str, wire: Wire | None = None) -> None:
        self.wire = wire
        if wire:
            self._host = wire.address
        self._delay = 0.0
        self._generation = 0
        self._forgotten = 0
        """Connections of an earlier generation are half-open."""
        self._over = asyncio.Event()
        super().__init__(url)

    def reset(self) -> None:
        """End all connections by a RST to both of their ends. New ones are served."""
        self._do(self._reset())

    def forget(self) -> None:
        """From now on nothing of today's connections arrives, not even their end, and neither end
        is told: they are half-open. New ones are served."""
        self._do(self._forget())

    def delay(self, seconds: float) -> None:
        """Hold back for so long whatever is sent, each way."""
        self._delay = seconds

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        super().end()
        if self.wire:
            self.wire.end()

    def _listener(self, port: int) -> socket.socket:
        return self.wire.listener(port) if self.wire else super()._listener(port)

    async def _reset(self) -> None:
        for writer in self._writers:
            connection = writer.get_extra_info("socket")
            # One that ends just now has no socket any more.
            with contextlib.suppress(OSError, AttributeError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            writer.transport.abort()

    async def _forget(self) -> None:
        self._generation += 1
        self._forgotten = self._generation

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = self._generation
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if generation < self._forgotten:
                    break
                writer.write(data)
                await writer.drain()
        if generation < self._forgotten:
            await self._over.wait()
