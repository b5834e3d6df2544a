"""Sends batches over the channel layer to the hub of every process that serves sockets.

A channel layer delivers at most once, and nothing depends on it: the hub notices a gap by the
positions and reads the log.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from channels.layers import get_channel_layer

from finesse.notifications.models import LogHead, Notification
from finesse.notifications.places import Place

GROUP = "log"
"""Another name for each format of messages: servers and workers of two versions may run at once."""
HAND_OVER_TIMEOUT_SECONDS = 2
"""A hand-over that takes longer counts as failed."""
_FIELDS = ("position", "check_digits", "node", "source", "event", "request_id", "update")

_server_loop: asyncio.AbstractEventLoop | None = None


def bind_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's event loop: the in-memory layer of the embedded default belongs to it."""
    global _server_loop
    _server_loop = loop


def deliver(batch: Sequence[Notification], head: LogHead, after: Place) -> None:
    message = {
        "type": "notifications",
        "after": [*after],
        "head": [*head.place],
        "access": head.access,
        "batch": [_packed(notification) for notification in batch],
    }
    _run(_send(message))


def unpacked(packed: Sequence[Any]) -> Notification:
    """The notification as `deliver` was given it."""
    *values, at = packed
    return Notification(**dict(zip(_FIELDS, values, strict=True)), at=datetime.fromisoformat(at))


def _packed(notification: Notification) -> list[Any]:
    values = [getattr(notification, field) for field in _FIELDS]
    return [*values, notification.at.isoformat()]


async def _send(message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send(GROUP, message)


def _run(sending: Coroutine[Any, Any, None]) -> None:
    if _server_loop is None:
        with _one_at_a_time:
            _own_loop().run_until_complete(_in_time(sending))
        return
    future = asyncio.run_coroutine_threadsafe(sending, _server_loop)
    try:
        future.result(HAND_OVER_TIMEOUT_SECONDS)
    except TimeoutError:
        # Cancelled, it lets go of the connection that does not answer; the next one is new.
        future.cancel()
        raise


_one_at_a_time = threading.Lock()


@cache
def _own_loop() -> asyncio.AbstractEventLoop:
    """A worker's, kept for its connection. It runs in the thread that sends: in one of its own,
    sending takes half as long again."""
    return asyncio.new_event_loop()


async def _in_time(sending: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(HAND_OVER_TIMEOUT_SECONDS):
        await sending
