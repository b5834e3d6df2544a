"""Bytes that are no HTTP, or hardly: a real server answers them or hangs up, and goes on."""

import asyncio
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from django.core.handlers.asgi import ASGIRequest
from rest_framework.request import Request

from finesse.api.errors import FinesseError
from finesse.api.parsers import FinesseXMLParser
from finesse.server import body_limit
from tests.kit.framing import (
    BASIC,
    BODY,
    CHUNK,
    CHUNKED,
    HOST,
    LENGTH,
    LINGER,
    PUT,
    TIMEOUT_SECONDS,
    WRONG,
    XML,
    accepted,
    connect,
    exchange,
    put,
    wire,
)
from tests.kit.installation import Installation
from tests.kit.xml_schema import faults

ACCEPTED = {
    "as it should be": put(LENGTH),
    "without a content type": wire(PUT, HOST, BASIC, LENGTH, body=BODY),
    "the same length twice": put(LENGTH, LENGTH),
    "an upgrade to something else": put(LENGTH, "Connection: Upgrade", "Upgrade: h2c"),
    "without a name, as HTTP/1.0": wire(PUT.replace("1.1", "1.0"), BASIC, XML, LENGTH, body=BODY),
    "names in another case": wire(
        PUT, HOST.upper(), BASIC.replace("Auth", "AUTH"), XML.lower(), LENGTH.upper(), body=BODY
    ),
}
REFUSED = {
    "no request line": b"HELLO\r\n\r\n",
    "blank lines": b"\r\n" * 50,
    "a request without an address": b"GET\r\n\r\n",
    "HTTP/2 from the start": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("160301020001 0001fc0303") + bytes(200),
    "zeros": bytes(5_000),
    "a zero in the address": put(LENGTH, line=PUT.replace("5001", "50\x0001")),
    "a space in the address": put(LENGTH, line=PUT.replace("5001", "50 01")),
    "bytes in the address": put(LENGTH, line=PUT.replace("5001", "\xff\xfe")),
    "a long address": put(LENGTH, line=PUT.replace("5001", "5" * 100_000)),
    "a tunnel": wire("CONNECT 127.0.0.1:1 HTTP/1.1", HOST),
    "no name": wire(PUT, BASIC, XML, LENGTH, body=BODY),
    "two names": put(HOST, LENGTH),
    "a header without a colon": put("Nonsense", LENGTH),
    "a header with a space in its name": put("requestId : r-1", LENGTH),
    "a header with a zero": put("requestId: \0", LENGTH),
    "two lengths": put(LENGTH, "Content-Length: 3"),
    "a length below zero": put("Content-Length: -1"),
    "a length with a sign": put("Content-Length: +5"),
    "a length in hexadecimal": put("Content-Length: 0x10"),
    "a length of 5,000 digits": put("Content-Length: " + "9" * 5_000),
    "no length": put(),
    "a length of nothing": put("Content-Length: 0", body=""),
    "an encoding that is unknown": put("Transfer-Encoding: gzip, chunked", body=CHUNK),
    "chunks of chunks": put("Transfer-Encoding: chunked, chunked", body=CHUNK),
    "a chunk without a size": put(CHUNKED, body="zz\r\n" + BODY + "\r\n0\r\n\r\n"),
    "a chunk of an immense size": put(CHUNKED, body="f" * 40 + "\r\n" + BODY),
    "a chunk longer than it says": put(CHUNKED, body=f"5\r\n{BODY}\r\n0\r\n\r\n"),
    "the credentials twice": put(WRONG, LENGTH),
    "a version that does not exist": put(LENGTH, line=PUT.replace("1.1", "9.9")),
    "a body that is cut": put("Content-Length: 10", body=BODY[:10]),
}
# Servers differ; any answer must be true.
EITHER = {
    "20,000 headers": put(*["X: y"] * 20_000, LENGTH),
    "a header of 100 KB": put("requestId: " + "x" * 100_000, LENGTH),
    "everything's options": wire("OPTIONS * HTTP/1.1", HOST),
    "a body with a question": wire("GET /finesse/api/SystemInfo HTTP/1.1", HOST, LENGTH, body=BODY),
    "the same request id twice": wire(
        "GET /finesse/api/SystemInfo HTTP/1.1", HOST, "requestId: a", "requestId: b"
    ),
    "lines that end in LF": b"GET /finesse/api/SystemInfo HTTP/1.1\nHost: 127.0.0.1\n\n",
    "an upgrade to a socket that is none": wire(
        "GET /finesse/api/SystemInfo HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("framing"))
    made.start()
    yield made
    made.end()


def test_http_is_accepted_and_all_else_leaves_no_trace(installation: Installation) -> None:
    before = accepted(installation)
    for name, sent in ACCEPTED.items():
        assert exchange(installation, sent) == (202, b""), name
    expected = len(ACCEPTED)
    for name, sent in {**REFUSED, **EITHER}.items():
        status, body = exchange(installation, sent, LINGER)
        assert status == 0 or 400 <= status < 500 or (status < 300 and name in EITHER), name
        if body.startswith((b"<ApiErrors>", b"<SystemInfo>")):
            assert faults(body) == [], name
        expected += status == 202
        assert system_info(installation) == "IN_SERVICE", name
    assert accepted(installation) == before + expected


def system_info(installation: Installation) -> str | None:
    answer = httpx.get(f"{installation.url}/finesse/api/SystemInfo", timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200
    return fromstring(answer.content).findtext("status")


def test_chunks_do_not_let_more_in(installation: Installation) -> None:
    endless = put(CHUNKED, body="8000\r\n" + "x" * 0x8000 + "\r\n")
    more = endless + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 2
    status, body = exchange(installation, more)
    assert status == 400
    assert b"must not exceed" in body


def test_requests_that_follow_each_other_on_a_wire_are_answered_in_order(
    installation: Installation,
) -> None:
    first, second = (
        put(LENGTH, "requestId: r-1"),
        put(LENGTH, "requestId: r-2", "Connection: close"),
    )
    received = b""
    with connect(installation) as connection:
        connection.sendall(first + second)
        while part := connection.recv(65_536):
            received += part
    assert received.count(b"HTTP/1.1 202") == 2
    assert received.index(b"requestId: r-1") < received.index(b"requestId: r-2")


def test_a_hundred_stalled_clients_delay_no_other(installation: Installation) -> None:
    waiting: list[socket.socket] = []
    with ExitStack() as slow:
        for beginning in (b"", b"PUT /fin", put(LENGTH, body=""), put(CHUNKED, body="5\r\n<M")):
            for _ in range(25):
                waiting.append(slow.enter_context(connect(installation)))
                waiting[-1].sendall(beginning)
        assert system_info(installation) == "IN_SERVICE"
        assert exchange(installation, put(LENGTH))[0] == 202
        # Nobody had to wait until the server gave them up.
        given_up, _, _ = select.select(waiting, [], [], 0)
        assert len(given_up) < len(waiting)
    assert system_info(installation) == "IN_SERVICE"


@pytest.mark.parametrize(
    "headers", [[(b"content-length", b"100")], [(b"transfer-encoding", b"chunked")]]
)
async def test_a_body_that_does_not_come_in_time_is_refused_without_its_end(
    headers: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The received part is a whole document, but not the one that was announced."""
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_SECONDS", 0.05)
    messages = [{"type": "http.request", "body": BODY.encode(), "more_body": True}]
    parsed = []

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop()

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        message = await receive()
        request = Request(ASGIRequest(scope, BytesIO(message["body"])), [FinesseXMLParser()])
        with pytest.raises(FinesseError) as refused:
            parsed.append(request.data)
        parsed.append(refused.value.message)

    scope = {"type": "http", "method": "PUT", "path": "/finesse/api/User/1", "headers": headers}
    scope["headers"] = [*headers, (b"content-type", b"application/xml")]
    await body_limit.BodyLimit(application)(scope, receive, receive)
    assert parsed == ["The body is shorter than its Content-Length"]
