"""Keeps large bodies out of the process: Django's ASGI handler reads any body whole."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from django.conf import settings

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class BodyLimit:
    """ASGI middleware in front of the API.

    It never answers by itself, since a 503 or a 401 comes before a 400. A body that announces
    more than FINESSE_MAX_BODY_BYTES stays unread: the parser refuses it by its Content-Length.
    A chunked one is read up to the limit and gets the Content-Length that it lacked, so that it
    is parsed or refused like any other.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/finesse/api/"):
            announced = dict(scope["headers"]).get(b"content-length")
            if announced is None:
                body = await _read(receive, settings.FINESSE_MAX_BODY_BYTES + 1)
                if body is None:
                    return
                headers = [*scope["headers"], (b"content-length", str(len(body)).encode())]
                scope, receive = {**scope, "headers": headers}, _replay(body, receive)
            elif not announced.isdigit() or int(announced) > settings.FINESSE_MAX_BODY_BYTES:
                receive = _replay(b"", receive)
        await self.application(scope, receive, send)


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body, cut at `limit` bytes; None if the client went away before its end."""
    body = bytearray()
    more = True
    while more and len(body) < limit:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body[:limit])


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands over `body` and afterwards only tells that the client is gone."""
    handed_over = False

    async def replayed() -> Message:
        nonlocal handed_over
        if not handed_over:
            handed_over = True
            return {"type": "http.request", "body": body, "more_body": False}
        while (message := await receive())["type"] != "http.disconnect":
            pass
        return message

    return replayed
