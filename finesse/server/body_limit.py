"""Limits the size of request bodies, and gives each a Content-Length.

Django's ASGI handler would read a body of any size, and its WSGI handler none that is chunked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from io import BytesIO
from typing import Any, TypeAlias

import h11
from django.conf import settings

from finesse.server.request_rules import RequestError, StartResponse, bad_request

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

BODY_TIMEOUT_SECONDS = 30
"""Within this time the whole body of a request to the API must arrive."""
PIECE_BYTES = 64 * 1024
"""Of a chunked body that a WSGI server hands over, so much is read at once."""
_HEAD_OF_CHUNKS = b"PUT / HTTP/1.1\r\nHost: -\r\nTransfer-Encoding: chunked\r\n\r\n"


class BodyLimit:
    """ASGI middleware in front of Django.

    It answers no request itself, since a 503 or a 401 comes before a 400. The limit is
    FINESSE_MAX_BODY_BYTES for the API, and Django's own setting for pages.

    - A body whose Content-Length is above the limit stays unread; the parser refuses it.
    - A chunked body is read up to the limit and gets a Content-Length, so that it is parsed or
      refused like any other.
    - A body that does not arrive in time keeps a Content-Length above what has arrived, which the
      parser refuses, too.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        in_api, limit = _limit(scope["path"])
        timeout = BODY_TIMEOUT_SECONDS if in_api else None
        headers = dict(scope["headers"])
        announced = headers.get(b"content-length")
        if b"transfer-encoding" in headers:
            body, is_whole = await _read(receive, limit + 1, timeout)
            if body is None:
                return
            length = len(body) + (not is_whole)
            scope = {**scope, "headers": [*_without_length(scope), _length(length)]}
            receive = _replay(body, receive)
        elif announced is not None:
            if not announced.isdigit() or len(announced) > 10 or int(announced) > limit:
                receive, send = _unread(receive, send)
            elif in_api:
                body, _ = await _read(receive, int(announced), timeout)
                if body is None:
                    return
                receive = _replay(body, receive)
        await self.application(scope, receive, send)


class BodyLimitWSGI:
    """WSGI middleware in front of Django: a chunked body gets a Content-Length.

    It is read up to the limit, so that it is parsed or refused like any other. Servers that take
    the chunks apart say so by `wsgi.input_terminated`, as gunicorn does; others, such as Python's
    own, leave them as they are.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if "HTTP_TRANSFER_ENCODING" in environ:
            try:
                body = _read_chunked(environ)
            except RequestError as error:
                return error.respond(start_response)
            environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        return self.application(environ, start_response)


def _read_chunked(environ: dict[str, Any]) -> bytes:
    """The body, cut one byte behind the limit. Raises RequestError."""
    if environ["HTTP_TRANSFER_ENCODING"].strip().lower() != "chunked":
        raise RequestError(501, "Not Implemented", "The one Transfer-Encoding is chunked")
    _, limit = _limit(environ["PATH_INFO"])
    stream = environ["wsgi.input"]
    is_terminated = environ.get("wsgi.input_terminated")
    body = bytearray()
    try:
        for piece in _to_its_end(stream) if is_terminated else _taken_apart(stream):
            body += piece
            if len(body) > limit:
                break
    except (OSError, h11.RemoteProtocolError):
        raise bad_request("The chunks of the body cannot be read") from None
    return bytes(body[: limit + 1])


def _to_its_end(stream: Any) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece


def _taken_apart(stream: Any) -> Iterator[bytes]:
    """The contents of the chunks in a stream that goes on behind them.

    Raises RequestError if the server has kept them, h11.RemoteProtocolError for what is no chunk.
    """
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(_HEAD_OF_CHUNKS)
    event = reader.next_event()
    is_first = True
    while not isinstance(event, h11.EndOfMessage):
        event = reader.next_event()
        if isinstance(event, h11.Data):
            yield event.data
        elif event is h11.NEED_DATA:
            # A line ends each chunk, so this waits for nothing behind the last.
            line = stream.readline(PIECE_BYTES)
            if is_first and not line:
                raise RequestError(411, "Length Required", "This server needs a Content-Length")
            is_first = False
            reader.receive_data(line)


def _limit(path: str) -> tuple[bool, int]:
    """Whether the path is of the API, and how many bytes a body there may have."""
    if path.startswith("/finesse/api/"):
        return True, settings.FINESSE_MAX_BODY_BYTES
    return False, settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def _without_length(scope: Message) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in scope["headers"] if name != b"content-length"]


def _length(length: int) -> tuple[bytes, bytes]:
    return b"content-length", str(length).encode()


async def _read(receive: Receive, limit: int, timeout: float | None) -> tuple[bytes | None, bool]:
    """The body, cut at `limit` bytes, and whether it arrived within `timeout` seconds.

    The body is None if the client disconnected before its end.
    """
    body = bytearray()
    more = True
    try:
        async with asyncio.timeout(timeout):
            while more and len(body) < limit:
                message = await receive()
                if message["type"] != "http.request":
                    return None, False
                body += message.get("body", b"")
                more = message.get("more_body", False)
    except TimeoutError:
        return bytes(body), False
    return bytes(body[:limit]), True


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
