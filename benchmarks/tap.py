"""A tap between a program and PostgreSQL or Redis, which notes every statement and command.

It also notes those that a framework adds by itself (checks, transactions, savepoints). The program
is not changed for it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

Parser = Callable[[bytearray, list[str], dict[bytes, str]], None]
_REQUESTS_OF_TLS = {80877103, 80877104}
"""Codes of a client's request for TLS or GSS encryption, which may be its first message."""


class Tap:
    """Listens on a port of its own, forwards everything, and notes what the client sends."""

    def __init__(self, url: str, parser: Parser) -> None:
        self.heard: list[str] = []
        """Statements or commands in their order."""
        self._url = url
        self._parser = parser
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def database(cls, url: str) -> Self:
        return cls(url, _postgresql)

    @classmethod
    def redis(cls, url: str) -> Self:
        return cls(url, _redis)

    @property
    def port(self) -> int:
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def through(self, url: str) -> str:
        """The same address, through the tap."""
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{self.port}" if user else f"127.0.0.1:{self.port}"
        query = "sslmode=disable" if self._parser is _postgresql else parts.query
        return urlunsplit(parts._replace(netloc=netloc, query=query))

    def __enter__(self) -> Self:
        self._thread.start()
        self._server: asyncio.Server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        async def end() -> None:
            self._server.close()
            for task in self._tasks:
                task.cancel()

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _call(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self._url)
        to_reader, to_writer = await asyncio.open_connection(parts.hostname, parts.port)
        ways = (self._pass_on(reader, to_writer, True), self._pass_on(to_reader, writer, False))
        for way in ways:
            task = self._loop.create_task(way)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, of_client: bool
    ) -> None:
        unread, names = bytearray(), dict[bytes, str]()
        try:
            while data := await reader.read(1 << 16):
                if of_client:
                    unread += data
                    self._parser(unread, self.heard, names)
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


def _postgresql(unread: bytearray, heard: list[str], names: dict[bytes, str]) -> None:
    """Note statements of the simple and the extended protocol; of prepared ones, each execution."""
    while len(unread) >= 8:
        if b"\0began" not in names:
            # The first messages have no type: a request for TLS, or the start itself.
            size = int.from_bytes(unread[:4], "big")
            if len(unread) < size:
                return
            if int.from_bytes(unread[4:8], "big") not in _REQUESTS_OF_TLS:
                names[b"\0began"] = ""
            del unread[:size]
            continue
        break
    while len(unread) >= 5:
        size = 1 + int.from_bytes(unread[1:5], "big")
        if len(unread) < size:
            return
        kind, body = chr(unread[0]), bytes(unread[5:size])
        del unread[:size]
        if kind == "Q":
            heard.append(_one_line(body[:-1]))
        elif kind == "P":
            name, _, rest = body.partition(b"\0")
            names[name] = _one_line(rest.partition(b"\0")[0])
        elif kind == "B":
            _, _, rest = body.partition(b"\0")
            heard.append(names.get(rest.partition(b"\0")[0], "?"))


def _redis(unread: bytearray, heard: list[str], names: dict[bytes, str]) -> None:
    """Note commands, each an array of strings."""
    while unread.startswith(b"*"):
        end = unread.find(b"\r\n")
        if end < 0:
            return
        words, position = [], end + 2
        for _ in range(int(unread[1:end])):
            end = unread.find(b"\r\n", position)
            if end < 0:
                return
            size = int(unread[position + 1 : end])
            position = end + 2 + size + 2
            if len(unread) < position:
                return
            words.append(bytes(unread[end + 2 : end + 2 + size]))
        del unread[:position]
        heard.append(" ".join(word.decode("utf-8", "replace")[:60] for word in words))


def _one_line(statement: bytes) -> str:
    return " ".join(statement.decode("utf-8", "replace").split())
