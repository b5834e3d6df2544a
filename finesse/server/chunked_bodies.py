"""Chunked bodies under WSGI servers: Django reads a body only as far as its Content-Length says."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

import h11
from django.conf import settings

from finesse.server.body_limit import API_PREFIX, limit_of_page
from finesse.server.request_rules import RequestError, StartResponse, bad_request

PIECE_BYTES = 64 * 1024
"""Of a chunked body that a WSGI server hands over, so much is read at once."""
_HEAD_OF_CHUNKS = b"PUT / HTTP/1.1\r\nHost: -\r\nTransfer-Encoding: chunked\r\n\r\n"


class ChunkedBodiesWSGI:
    """WSGI middleware in front of the limits: a chunked body gets a Content-Length.

    It is read up to its limit, so that it is parsed or refused like any other. Servers that take
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


def _limit(environ: dict[str, Any]) -> int:
    """How many bytes the body may have."""
    if environ["PATH_INFO"].startswith(API_PREFIX):
        limit: int = settings.FINESSE_MAX_BODY_BYTES
        return limit
    return limit_of_page(None, environ.get("HTTP_COOKIE", ""))


def _read_chunked(environ: dict[str, Any]) -> bytes:
    """The body, cut one byte behind the limit. Raises RequestError."""
    if environ["HTTP_TRANSFER_ENCODING"].strip().lower() != "chunked":
        raise RequestError(501, "Not Implemented", "The one Transfer-Encoding is chunked")
    limit = _limit(environ)
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
