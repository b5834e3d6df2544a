"""A proxy before PostgreSQL, Redis or RabbitMQ, which can stand still, be gone, and come back."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit, urlunsplit

PORTS = {"postgres": 5432, "redis": 6379, "amqp": 5672}


class Between:
    """A proxy before one service, in a thread.

    A service that stands still (SIGSTOP, a machine that swaps) accepts connections and bytes, since
    the kernel does, and answers when it goes on.
    """

    _host = "127.0.0.1"

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._open())

    @property
    def url(self) -> str:
        """The service's address, by this proxy."""
        login = self._url.netloc.rpartition("@")[0]
        address = f"{self._host}:{self._port}"
        return urlunsplit(self._url._replace(netloc=f"{login}@{address}" if login else address))

    def stand_still(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.clear)

    def go_on(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.set)

    def be_gone(self) -> None:
        self._do(self._close())

    def come_back(self) -> None:
        self._do(self._open())

    def lead_to(self, url: str) -> None:
        """To another server from now on, as an address does that follows the primary."""
        self._url = urlsplit(url)

    def end(self) -> None:
        self.go_on()
        self.be_gone()
        self._do(self._rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _do(self, step: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(60)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, sock=self._listener(self._port))
        self._port = self._server.sockets[0].getsockname()[1]

    def _listener(self, port: int) -> socket.socket:
        return socket.create_server((self._host, port))

    async def _close(self) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _rest(self) -> None:
        """Wait until all connections have ended."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._url.port or PORTS[self._url.scheme]
        try:
            there, back = await asyncio.open_connection(self._url.hostname, port)
        except OSError:
            # The service is gone; its client notices in the same way.
            writer.close()
            return
        ends = {writer, back}
        self._writers |= ends
        ways = [self._forward(reader, back), self._forward(there, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writers -= ends
            for one in ends:
                one.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
