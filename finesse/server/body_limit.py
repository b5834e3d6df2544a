"""Bounds the bodies of requests: their size, and the time in which they must arrive.

By itself Django's ASGI handler reads a body whole, however long that takes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse, parse_cookie

from finesse.api.responses import COMMON_HEADERS
from finesse.client_networks import origin_of_scope
from finesse.db.off_loop import off_loop
from finesse.files.limits import FILE_SIZE
from finesse.server.awaited_bodies import AwaitedBody, Message, Receive, Send, TooMuchError
from finesse.server.content_policy import POLICY
from finesse.server.refused_early import out_of_service_unread
from finesse.users import sign_in_threads
from finesse.users.sessions import is_signed_in

logger = logging.getLogger(__name__)

API_PREFIX = "/finesse/api/"
BODY_TIMEOUT_SECONDS = 30
"""Within this time the whole body of a request must arrive."""
ANONYMOUS_BODY_MAX_BYTES = 64 * 1024
"""Of a body to a page, from a browser that is not signed in."""
LARGER_THAN_ANY = 10_000_000_000
LONGEST_NUMBER = 10
"""Digits of a Content-Length."""
RETRY_SOON, CLOSE = {"Retry-After": "1"}, {"Connection": "close"}
TEXTS = {
    HTTPStatus.REQUEST_TIMEOUT: "The body did not arrive in time.",
    HTTPStatus.BAD_REQUEST: f"That is too large. A file to import may have up to {FILE_SIZE}.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service is busy. Try again.",
}


class BodyLimit:
    """ASGI middleware in front of Django.

    The limit is FINESSE_MAX_BODY_BYTES for the API; for pages it is ANONYMOUS_BODY_MAX_BYTES, or
    Django's own setting if the browser is signed in. A page's body that is refused is answered
    here. One for the API is not, since a 503 or a 401 comes before a 400:

    - A body whose Content-Length is above the limit stays unread; the parser refuses it.
    - A chunked body is read up to the limit and gets a Content-Length, so that it is parsed or
      refused like any other.
    - A body that does not arrive in time keeps a Content-Length above what has arrived, which the
      parser refuses, too.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        # The chunks count, whatever a Content-Length beside them says [RFC 9112].
        is_chunked = b"transfer-encoding" in headers
        length = None if is_chunked else _parsed(headers.get(b"content-length", b"0"))
        if length == 0:
            await self.application(scope, receive, send)
            return
        body = AwaitedBody(receive, origin_of_scope(scope))
        pass_on = self._pass_to_api if scope["path"].startswith(API_PREFIX) else self._pass_to_page
        try:
            await pass_on(scope, body, length, receive, send)
        finally:
            body.forget()

    async def _pass_to_api(
        self, scope: Message, body: AwaitedBody, length: int | None, receive: Receive, send: Send
    ) -> None:
        limit = settings.FINESSE_MAX_BODY_BYTES
        if length is not None and length > limit:
            await self.application(scope, *_unread(receive, send))
            return
        is_whole = True
        try:
            if not await body.read(_to_read(length, limit), BODY_TIMEOUT_SECONDS):
                return
        except TimeoutError:
            is_whole = False
        except TooMuchError:
            await _send(send, out_of_service_unread(scope, CLOSE | RETRY_SOON))
            return
        if length is None:
            scope = _with_length(scope, len(body.content) + (not is_whole))
        await self.application(scope, _replay(bytes(body.content), receive), send)

    async def _pass_to_page(
        self, scope: Message, body: AwaitedBody, length: int | None, receive: Receive, send: Send
    ) -> None:
        cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
        try:
            limit = ANONYMOUS_BODY_MAX_BYTES
            if length is None or length > limit:
                look = off_loop(
                    limit_of_page, thread_sensitive=False, executor=sign_in_threads.POOL
                )
                limit = await look(length, cookies.decode("latin-1"))
            if length is not None and length > limit:
                raise _TooLargeError
            if not await body.read(_to_read(length, limit), BODY_TIMEOUT_SECONDS):
                return
            if len(body.content) > limit:
                raise _TooLargeError
        except tuple(REFUSALS) as error:
            await _send(send, refusal(REFUSALS[type(error)]))
            return
        if length is None:
            scope = _with_length(scope, len(body.content))
        await self.application(scope, _replay(bytes(body.content), receive), send)


class BodyLimitWSGI:
    """WSGI middleware in front of Django, with the same limits of size for pages. The server bounds
    the time of a body itself; the parser bounds the size of those of the API."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = _parsed(str(environ.get("CONTENT_LENGTH") or "0").encode("latin-1", "replace"))
        is_page = not environ.get("PATH_INFO", "").startswith(API_PREFIX)
        if is_page and length > limit_of_page(length, environ.get("HTTP_COOKIE", "")):
            status = HTTPStatus.BAD_REQUEST
            response = refusal(status)
            # The connection is the server's business.
            del response["Connection"]
            start_response(f"{status.value} {status.phrase}", [*response.items()])
            return [response.content]
        return self.application(environ, start_response)


class _TooLargeError(Exception):
    """The body is larger than the page takes."""


REFUSALS = {
    TimeoutError: HTTPStatus.REQUEST_TIMEOUT,
    _TooLargeError: HTTPStatus.BAD_REQUEST,
    TooMuchError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""How a page's body is refused."""


def limit_of_page(length: int | None, cookies: str) -> int:
    """What a page takes, in bytes. The session is looked up only for a body that a browser which is
    not signed in may not send."""
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    may_be_longer = length is None or ANONYMOUS_BODY_MAX_BYTES < length <= most
    key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if key is None or not may_be_longer:
        return ANONYMOUS_BODY_MAX_BYTES
    try:
        return most if is_signed_in(key) else ANONYMOUS_BODY_MAX_BYTES
    except Exception as error:
        logger.warning("A session could not be looked up for the size of a body: %s", error)
        return ANONYMOUS_BODY_MAX_BYTES


def refusal(status: HTTPStatus) -> HttpResponse:
    """The answer of a page to a body that is too large, too late or too much."""
    # Django's middlewares do not see it.
    headers = {**CLOSE, **COMMON_HEADERS, "Content-Security-Policy": POLICY}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers |= RETRY_SOON
    text = f"{TEXTS[status]}\n"
    response = HttpResponse(text, "text/plain; charset=utf-8", status, headers=headers)
    response["Content-Length"] = str(len(text))
    return response


async def _send(send: Send, response: HttpResponse) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


def _parsed(content_length: bytes) -> int:
    """The length; what is no number, or a long one, is larger than any limit."""
    if content_length.isdigit() and len(content_length) <= LONGEST_NUMBER:
        return int(content_length)
    return LARGER_THAN_ANY


def _to_read(length: int | None, limit: int) -> int:
    """As many bytes as are announced; of chunks, one more than are allowed."""
    return limit + 1 if length is None else length


def _with_length(scope: Message, length: int) -> Message:
    headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns `body`, and after that waits for the client to disconnect."""
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


def _unread(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """A `receive` and a `send` for a request whose body is not read before it is answered.

    To call `receive` would tell a client that waits for it (`Expect: 100-continue`) to send the
    body.
    """
    answered = asyncio.Event()
    replayed = _replay(b"", receive)
    first = True

    async def receive_nothing() -> Message:
        nonlocal first
        if not first:
            await answered.wait()
        first = False
        return await replayed()

    async def send_and_note(message: Message) -> None:
        await send(message)
        answered.set()

    return receive_nothing, send_and_note
