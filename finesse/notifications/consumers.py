"""The viewers' socket. socket_auth authenticates its handshake, the hub decides what it sees."""

import asyncio
import contextlib
import json
import logging
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from finesse import log_context
from finesse.metrics import counters
from finesse.notifications import frames
from finesse.notifications.follower import Follower
from finesse.notifications.hub import Hub
from finesse.notifications.places import Place

logger = logging.getLogger(__name__)

ACCESS_ENDED = 4401
"""Close code: the account was changed, closed or deleted, or the session has ended. Sign in
again."""
NOT_SUBSCRIBED = 4408
"""Close code: no subscription came in time."""
TOO_MANY_FRAMES = 1008
"""Close code: too many frames before the subscription."""
TRY_AGAIN = 1011
"""Close code: the log could not be read. Reconnect with the last position."""
SUBSCRIBE_TIMEOUT_SECONDS = 30
"""Within this time after connecting, a client must have subscribed."""
MAX_FRAMES_BEFORE_SUBSCRIPTION = 20


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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hub: Hub | None = None
        self.follower: Follower | None = None
        self._frames = 0
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None
        self._forwarding: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels calls disconnect() for a client that closes the socket, but not if the client
        # turns out to be gone when something is sent to it.
        log_context.subject.set(log_context.OfUser(scope["reader"].login_id))
        connected = counters.sockets.labels("viewer")
        connected.inc()
        try:
            await super().__call__(scope, receive, send)
        finally:
            connected.dec()
            self._stop_following()
            if self._forwarding is not None:
                self._forwarding.cancel()

    async def connect(self) -> None:
        await self.accept()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(SUBSCRIBE_TIMEOUT_SECONDS, self._end_soon, NOT_SUBSCRIBED)
        try:
            self.hub = await Hub.running()
        except Exception as error:
            await self._try_again(error)
            return
        self.follower = self.hub.attend(self.scope["reader"])
        self.follower.at_cut(self._end_without_access)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._ended or self.hub is None:
            return
        self._frames += 1
        try:
            after = parse_subscribe(text_data)
            if self._forwarding is not None:
                raise BadFrameError("This socket already has its subscription")
        except BadFrameError as error:
            if self._forwarding is None and self._frames > MAX_FRAMES_BEFORE_SUBSCRIPTION:
                await self._end(TOO_MANY_FRAMES)
            else:
                await self._send({"type": "error", "message": str(error)})
            return
        await self._subscribe(self.hub, after)

    async def _subscribe(self, hub: Hub, after: Place | None) -> None:
        try:
            resume, place, follower = await hub.subscribe(self.scope["reader"], after)
        except Exception as error:
            await self._try_again(error)
            return
        self._stop_following()
        self.follower = follower
        if self._ended:
            self._stop_following()
            return
        await self._send(frames.subscribed(resume, place))
        self._forwarding = asyncio.create_task(self._forward(follower))

    async def _forward(self, follower: Follower) -> None:
        try:
            async for notification in follower:
                message = frames.message(notification)
                try:
                    # Channels' own send() would add as much time as the server's takes.
                    await self.base_send(message)
                except OSError:
                    return  # ASGI's sign that the client has gone.
        except Exception as error:
            await self._try_again(error)
        else:
            await self._end(ACCESS_ENDED)

    # --- the end --------------------------------------------------------------------------------

    async def _try_again(self, error: Exception) -> None:
        logger.error("A socket could not be served; its client will reconnect", exc_info=error)
        await self._end(TRY_AGAIN)

    def _end_without_access(self) -> None:
        if self.follower is not None and self.follower.ended:
            self._end_soon(ACCESS_ENDED)

    def _end_soon(self, code: int) -> None:
        self._ending = asyncio.ensure_future(self._end(code))

    async def _end(self, code: int) -> None:
        if self._ended:
            return
        self._ended = True
        self._stop_following()
        if self._forwarding is not None and self._forwarding is not asyncio.current_task():
            self._forwarding.cancel()
        with contextlib.suppress(OSError):
            await self.close(code)

    def _stop_following(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self.hub is not None and self.follower is not None:
            self.hub.leave(self.follower)

    async def _send(self, frame: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(frame))
