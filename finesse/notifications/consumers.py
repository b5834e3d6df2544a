"""The viewers' socket: JSON frames. It authenticates nobody and filters nothing: the hub does."""

import asyncio
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from finesse.notifications import frames
from finesse.notifications.follower import Follower
from finesse.notifications.hub import Hub

logger = logging.getLogger(__name__)

ACCESS_ENDED = 4401
"""Close code: the account was changed, closed or deleted. Sign in again."""
TRY_AGAIN = 1011
"""Close code: the log could not be read. Reconnect with the last position."""


class BadFrameError(ValueError):
    """A frame that is not one of the protocol's; the text says why."""


def parse_subscribe(text: str | None) -> int | None:
    """The `after` of a subscribe frame: a position, or None for "from now on"."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise BadFrameError("Frames are JSON texts") from None
    if not isinstance(frame, dict) or frame.get("type") != "subscribe":
        raise BadFrameError('The one frame a client sends is {"type": "subscribe", "after": …}')
    after = frame.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        raise BadFrameError('"after" is a position (a whole number from 0) or null')
    return after


class NotificationsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """`scope["reader"]` is who reads; one subscription a socket."""

    # The hub listens to the layer; a channel of its own for each socket would serve nobody.
    channel_layer_alias = "none"
    hub: Hub
    follower: Follower | None = None
    _forwarding: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels calls disconnect() for a client that says goodbye, not for one that is gone
        # when something is sent to it.
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stop_following()

    async def connect(self) -> None:
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            after = parse_subscribe(text_data)
            if self.follower is not None:
                raise BadFrameError("This socket has its subscription already")
        except BadFrameError as error:
            await self._send({"type": "error", "message": str(error)})
            return
        self.hub = await Hub.running()
        resume, position, self.follower = await self.hub.subscribe(self.scope["reader"], after)
        await self._send({"type": "subscribed", "position": position, "resume": resume})
        self._forwarding = asyncio.create_task(self._forward(self.follower))

    def _stop_following(self) -> None:
        if self.follower is not None:
            self.hub.leave(self.follower)
        if self._forwarding is not None:
            self._forwarding.cancel()

    async def _forward(self, follower: Follower) -> None:
        try:
            async for notification in follower:
                # Past Channels, whose part of sending would cost as much as the server's.
                await self.base_send(frames.message(notification))
        except Exception:
            logger.exception("A socket's forwarding failed; the client will resume")
            self.hub.leave(follower)
            await self.close(TRY_AGAIN)
        else:
            await self.close(ACCESS_ENDED)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))
