"""A deadline for peers that do not read, which uvicorn has not."""

import asyncio

UNREAD_TIMEOUT_SECONDS = 30
"""A peer that takes longer to read what waits for it (64 KiB, beside the system's own buffers) is
disconnected."""


class UnreadDeadline(asyncio.Protocol):
    """Closes a connection whose peer does not read: uvicorn would wait, and keep the data."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_TIMEOUT_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_read()
        super().connection_lost(exc)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
