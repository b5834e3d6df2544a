"""Reads the bodies of requests, and bounds the memory of those whose end has yet to come."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

AWAITED_BYTES_PER_ORIGIN = 4 * 1024 * 1024
"""Of the bodies that one origin has begun and not ended."""
AWAITED_BYTES = 64 * 1024 * 1024
"""Of all such bodies in one process."""


class TooMuchError(Exception):
    """The bodies that are awaited hold as much memory as they may."""


class AwaitedBytes:
    """How much memory the bodies hold."""

    def __init__(self) -> None:
        self.of_origins: Counter[str] = Counter()
        self.total = 0

    def add(self, origin: str, count: int) -> None:
        """Count more bytes, or fewer if `count` is below zero. Raises TooMuchError."""
        self.of_origins[origin] += count
        self.total += count
        held = self.of_origins[origin]
        if not held:
            del self.of_origins[origin]
        if count > 0 and (held > AWAITED_BYTES_PER_ORIGIN or self.total > AWAITED_BYTES):
            raise TooMuchError


awaited_bytes = AwaitedBytes()


class AwaitedBody:
    """The body of one request. It counts until it is forgotten, unless it came in one piece, as
    those of the API's clients do: a full memory keeps none of them out."""

    def __init__(self, receive: Receive, origin: str) -> None:
        self.content = bytearray()
        self._receive = receive
        self._origin = origin
        self._counted = 0

    async def read(self, limit: int, timeout: float) -> bool:
        """Read up to `limit` bytes. False if the client disconnected before the end.

        Raises TimeoutError if they take longer than `timeout` seconds, and TooMuchError.
        """
        more = True
        async with asyncio.timeout(timeout):
            while more and len(self.content) < limit:
                message = await self._receive()
                if message["type"] != "http.request":
                    return False
                self.content += message.get("body", b"")
                del self.content[limit:]
                if (more := message.get("more_body", False)) or self._counted:
                    self._count(len(self.content))
        return True

    def forget(self) -> None:
        self.content.clear()
        self._count(0)

    def _count(self, held: int) -> None:
        more, self._counted = held - self._counted, held
        awaited_bytes.add(self._origin, more)
