"""Forwards XMPP over HTTP (BOSH, XEP-0124) from the address of the REST API to the XMPP server.

Finesse's clients use `/http-bind` and `/http-bind/`, and do not follow redirects.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from weakref import WeakKeyDictionary

import httpx
from django.conf import settings

from finesse.client_networks import address_of_scope, origin_of_scope
from finesse.server.awaited_bodies import AwaitedBody, Message, Receive, Send, TooMuchError
from finesse.xmpp.peers import is_private

logger = logging.getLogger(__name__)

PATHS = ("/http-bind", "/http-bind/")
METHODS = ("GET", "OPTIONS", "POST")
MAX_BODY_BYTES = 64 * 1024
"""The limit of Prosody and of the WebSocket for one stanza."""
BODY_TIMEOUT_SECONDS = 30
"""Within this time the whole body of a request must arrive."""
XMPP_SERVER_TIMEOUT_SECONDS = {"connect": 2.0, "write": 5.0, "read": 150.0, "pool": None}
"""For requests to the XMPP server, which holds an answer back until it has something to send."""

_PASSED_ON = {b"content-type", b"origin"}
_PASSED_BACK = ("content-type", "access-control-")

_transports: "WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncHTTPTransport]"
_transports = WeakKeyDictionary()


class BOSHForwarder:
    """ASGI middleware; without FINESSE_XMPP_BOSH_URL it forwards nothing."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] not in PATHS or not settings.FINESSE_XMPP_BOSH_URL:
            await self.application(scope, receive, send)
        elif scope["method"] not in METHODS:
            await _refuse(send, HTTPStatus.METHOD_NOT_ALLOWED, "BOSH uses POST.")
        else:
            await _forward(scope, receive, send)


async def _forward(scope: Message, receive: Receive, send: Send) -> None:
    body = AwaitedBody(receive, origin_of_scope(scope))
    try:
        await _forward_body(scope, body, receive, send)
    finally:
        body.forget()


async def _forward_body(scope: Message, body: AwaitedBody, receive: Receive, send: Send) -> None:
    try:
        is_here = await _read(scope, body)
    except ValueError:
        await _refuse(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
        return
    except TimeoutError:
        await _refuse(send, HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.")
        return
    except TooMuchError:
        await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "The service is busy. Try again.")
        return
    if not is_here:
        return
    answering = asyncio.create_task(_ask(scope, bytes(body.content)))
    leaving = asyncio.create_task(_disconnect(receive))
    try:
        # A client that disconnects must not seem to wait for the next notification.
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            await _respond(send, answering.result())
    except (httpx.ConnectError, httpx.ConnectTimeout):
        await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "The XMPP server is not running.")
    except httpx.HTTPError as error:
        logger.debug("The XMPP server did not answer a BOSH request: %r", error)
        await _refuse(send, HTTPStatus.BAD_GATEWAY, "The XMPP server did not answer.")
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _read(scope: Message, body: AwaitedBody) -> bool:
    """Read the body. False if the client disconnected before its end. Raises ValueError if it is
    too large, TimeoutError if it does not arrive in time, and TooMuchError."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if not announced.isdigit() or len(announced) > 10 or int(announced) > MAX_BODY_BYTES:
        raise ValueError("too large")
    is_here = await body.read(MAX_BODY_BYTES + 1, BODY_TIMEOUT_SECONDS)
    if len(body.content) > MAX_BODY_BYTES:
        raise ValueError("too large")
    return is_here


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ask(scope: Message, body: bytes) -> httpx.Response:
    headers = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
    # The server refuses passwords over connections that others can listen to.
    is_safe = scope["scheme"] == "https" or is_private(scope)
    headers.append((b"x-forwarded-proto", b"https" if is_safe else b"http"))
    if client := address_of_scope(scope):
        headers.append((b"x-forwarded-for", client.encode()))
    request = httpx.Request(
        scope["method"],
        settings.FINESSE_XMPP_BOSH_URL,
        headers=headers,
        content=body,
        extensions={"timeout": XMPP_SERVER_TIMEOUT_SECONDS},
    )
    response = await _transport().handle_async_request(request)
    try:
        await response.aread()
    finally:
        await response.aclose()
    return response


def _transport() -> httpx.AsyncHTTPTransport:
    """The connections of this event loop. httpx's client is not used: it would log every request
    and look for a proxy."""
    loop = asyncio.get_running_loop()
    if loop not in _transports:
        _transports[loop] = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None))
    return _transports[loop]


async def _respond(send: Send, response: httpx.Response) -> None:
    headers = [
        (name.lower(), value)
        for name, value in response.headers.raw
        if name.decode().lower().startswith(_PASSED_BACK)
    ]
    await _send(send, response.status_code, headers, response.content)


async def _refuse(send: Send, status: HTTPStatus, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", ", ".join(METHODS).encode()))
    await _send(send, status, headers, f"{text}\n".encode())


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
