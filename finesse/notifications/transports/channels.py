"""Sends batches over the channel layer to the hub of every process that serves sockets.

A channel layer delivers at most once, and nothing depends on it: the hub notices a gap by the
positions and reads the log.
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from datetime import datetime
from functools import cache
from time import monotonic as _monotonic
from typing import Any

from channels.layers import get_channel_layer

from finesse import traces, wait_limit
from finesse.db import redis_cache
from finesse.notifications.models import LogHead, Notification
from finesse.notifications.places import Place

GROUP = "log-with-context"
"""Another name for each format of messages: servers and workers of two versions may run at once."""
HAND_OVER_TIMEOUT_SECONDS = 1.0
"""A hand-over that takes longer counts as failed. The cursor's lock is held meanwhile."""
_FIELDS = ("position", "check_digits", "node", "source", "event", "request_id", "update", "context")

_server_loop: asyncio.AbstractEventLoop | None = None


def bind_loop(loop: asyncio.AbstractEventLoop | None) -> None:
    """Use the server's event loop: the in-memory layer of the embedded default belongs to it."""
    global _server_loop
    _server_loop = loop


def deliver(batch: Sequence[Notification], head: LogHead, after: Place) -> None:
    message: dict[str, Any] = {
        "type": "notifications",
        "after": [*after],
        "head": [*head.place],
        "access": head.access,
        "batch": [_packed(notification) for notification in batch],
    }
    if traces.on:
        message["traces"] = traces.carried(batch)
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
    left = wait_limit.left(wait_limit.CACHE)
    with wait_limit.waiting():
        (_run_here if _server_loop is None else _run_in_server)(sending, left)


def _run_in_server(sending: Coroutine[Any, Any, None], left: float | None) -> None:
    assert _server_loop is not None
    future = asyncio.run_coroutine_threadsafe(sending, _server_loop)
    try:
        future.result(_at_most(left))
    except TimeoutError:
        # Cancelled, it lets go of the connection that does not answer; the next one is new.
        future.cancel()
        raise


def _run_here(sending: Coroutine[Any, Any, None], left: float | None) -> None:
    begin = _monotonic()
    if not _one_at_a_time.acquire(timeout=-1 if left is None else left):
        sending.close()
        raise TimeoutError
    try:
        rest = None if left is None else left - (_monotonic() - begin)
        _own_loop().run_until_complete(_in_time(sending, _at_most(rest)))
    finally:
        _one_at_a_time.release()


def _at_most(left: float | None) -> float:
    return HAND_OVER_TIMEOUT_SECONDS if left is None else min(HAND_OVER_TIMEOUT_SECONDS, left)


_one_at_a_time = threading.Lock()


@cache
def _own_loop() -> asyncio.AbstractEventLoop:
    """A worker's, kept for its connection. It runs in the thread that sends: in one of its own,
    sending takes half as long again."""
    return asyncio.new_event_loop()


async def _in_time(sending: Coroutine[Any, Any, None], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await _drop_dead_connections()
            await sending
    finally:
        sending.close()


async def _drop_dead_connections() -> None:
    """When the cache has found its connection dead, a worker's other one need not be tried: it
    would be waited for with the cursor's lock, by one child of a worker after the other."""
    global _fresh_since
    if _fresh_since < redis_cache.dead_before():
        _fresh_since = _monotonic()
        layer = get_channel_layer()
        assert layer is not None
        await layer.flush()


_fresh_since = float("-inf")
