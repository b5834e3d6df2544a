"""The viewers' socket. socket_auth authenticates its handshake, the hub decides what it sees."""

import asyncio
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from finesse.notifications import frames
from finesse.notifications.follower import Follower
from finesse.notifications.hub import Hub
from finesse.notifications.places import Place

logger = logging.getLogger(__name__)

ACCESS_ENDED = 4401
"""Close code: the account was changed, closed or deleted. Sign in again."""
TRY_AGAIN = 1011
"""Close code: the log could not be read. Reconnect with the last position."""


class BadFrameError(ValueError):
    """The client's frame does not follow the protocol; the text says why."""


def parse_subscribe(text: str | None) -> Place | None:
    """The `after` of a subscribe frame: a place in the log, or None for "from now on"."""
    try:
        frame = json.loads(text or "")
    except (ValueError, RecursionError):
        raise BadFrameError("Frames are JSON texts") from None
    if not isinstance(frame, dict) or frame.get("type") != "subscribe":
        raise BadFrameError('The one frame a client sends is {"type": "subscribe", "after": …}')
    after = frame.get("after")
    if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
        raise BadFrameError('"after" is a position (a whole number from 0) or null')
    return None if after is None else Place.of_number(after)


class NotificationsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Sends JSON frames to the user of `scope["reader"]`. A socket has one subscription."""

    # The hub receives from the channel layer; a socket needs no channel of its own.
    channel_layer_alias = "none"
    hub: Hub
    follower: Follower | None = None
    _forwarding: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels calls disconnect() for a client that closes the socket, but not if the client
        # turns out to be gone when something is sent to it.
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
                raise BadFrameError("This socket already has its subscription")
        except BadFrameError as error:
            await self._send({"type": "error", "message": str(error)})
            return
        self.hub = await Hub.running()
        resume, place, self.follower = await self.hub.subscribe(self.scope["reader"], after)
        await self._send(frames.subscribed(resume, place))
        self._forwarding = asyncio.create_task(self._forward(self.follower))

    def _stop_following(self) -> None:
        if self.follower is not None:
            self.hub.leave(self.follower)
        if self._forwarding is not None:
            self._forwarding.cancel()

    async def _forward(self, follower: Follower) -> None:
        try:
            async for notification in follower:
                # Channels' own send() would add as much time as the server's takes.
                await self.base_send(frames.message(notification))
        except Exception:
            logger.exception("Sending to a socket failed; the client will reconnect")
            self.hub.leave(follower)
            await self.close(TRY_AGAIN)
        else:
            await self.close(ACCESS_ENDED)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))
