"""Hands batches to the channel layer, from where every socket process's hub takes them.

A channel layer delivers at most once. Nothing depends on it: the hub sees a gap by the positions
and reads the log.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from channels.layers import get_channel_layer

from finesse.notifications.models import LogHead, Notification

GROUP = "notifications"
PATIENCE = 2
"""Seconds that a hand-over may take before it counts as failed."""
_FIELDS = ("position", "node", "source", "event", "request_id", "update")

_server_loop: asyncio.AbstractEventLoop | None = None


def bind_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's event loop: the in-memory layer of the embedded default belongs to it."""
    global _server_loop
    _server_loop = loop


def deliver(batch: Sequence[Notification], head: LogHead) -> None:
    message = {
        "type": "notifications",
        "head": head.position,
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
    loop = _server_loop or _own_loop()
    future = asyncio.run_coroutine_threadsafe(sending, loop)
    try:
        future.result(PATIENCE)
    except TimeoutError:
        # Cancelled, it lets go of the connection that does not answer; the next one is new.
        future.cancel()
        raise


@cache
def _own_loop() -> asyncio.AbstractEventLoop:
    """One long-lived loop a worker: a new one for each send would cost a new connection, too."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="channel-layer", daemon=True).start()
    return loop
