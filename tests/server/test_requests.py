"""Requests as RFC 9112 has them: the same cases at a real ASGI server and at a real WSGI server."""

import socket
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import h11
import pytest

from finesse.server.body_limit import ANONYMOUS_BODY_MAX_BYTES
from finesse.server.chunked_bodies import ChunkedBodiesWSGI
from finesse.server.request_reader import MAX_EMPTY_LINES, RequestReader
from finesse.server.request_rules import RequestRulesASGI, RequestRulesWSGI
from tests.kit.framing import (
    BASIC,
    BODY,
    CHUNK,
    CHUNKED,
    HOST,
    LENGTH,
    LINGER,
    PUT,
    XML,
    accepted,
    exchange,
    put,
    wire,
)
from tests.kit.installation import Installation

TIMEOUT_SECONDS = 60
END = "0\r\n\r\n"
ABSOLUTE = PUT.replace(" /", " http://127.0.0.1/", 1)
INFO = "GET /finesse/api/SystemInfo HTTP/1.1"

ACCEPTED = {
    "an empty line before it": b"\r\n" + put(LENGTH),
    "an absolute target": put(LENGTH, line=ABSOLUTE),
    "an absolute target with a port": put(LENGTH, line=ABSOLUTE.replace(".1/", ".1:80/")),
    "an absolute target of a scheme in capitals": put(
        LENGTH, line=ABSOLUTE.replace("http:", "HTTP:")
    ),
    "an absolute target, by which a wrong Host does not count": wire(
        ABSOLUTE, "Host: \"'", BASIC, XML, LENGTH, body=BODY
    ),
    "an absolute target with a query": put(LENGTH, line=ABSOLUTE.replace("5001", "5001?x=/y://z")),
    "chunks": put(CHUNKED, body=CHUNK + END),
    "chunks, by another spelling": put("transfer-encoding: CHUNKED", body=CHUNK + END),
    "chunks with extensions and trailers": put(
        CHUNKED, body=f'{len(BODY):X};x;y="z"\r\n{BODY}\r\n0;x\r\nrequestId: late\r\nX: y\r\n\r\n'
    ),
    "one byte a chunk": put(CHUNKED, body="".join(f"1\r\n{one}\r\n" for one in BODY) + END),
    "chunks of an absolute target after an empty line": b"\r\n"
    + put(CHUNKED, line=ABSOLUTE, body=CHUNK + END),
    "HTTP/1.0": put(LENGTH, line=PUT.replace("1.1", "1.0")),
    "the body announced and waited for": put(LENGTH, "Expect: 100-continue"),
    "chunks announced and waited for": put(CHUNKED, "Expect: 100-continue", body=CHUNK + END),
}
REFUSED = {
    "a length and chunks": put(LENGTH, CHUNKED, body=CHUNK + END),
    "chunks and a length": put(CHUNKED, "Content-Length: 3", body=CHUNK + END),
    "an encoding before the chunks": put("Transfer-Encoding: gzip, chunked", body=CHUNK + END),
    "an encoding that is none": put("Transfer-Encoding: identity", LENGTH),
    "chunks twice": put(CHUNKED, CHUNKED, body=CHUNK + END),
    "chunks in HTTP/1.0": put(CHUNKED, line=PUT.replace("1.1", "1.0"), body=CHUNK + END),
    "a chunk without a size": put(CHUNKED, body="zz\r\n" + BODY + "\r\n" + END),
    "a chunk of a hexadecimal prefix": put(CHUNKED, body="0x" + CHUNK + END),
    "a chunk after a whole document that has no size": put(CHUNKED, body=CHUNK + "zz\r\n"),
    "chunks that are nothing": put(CHUNKED, body=END),
    "chunks of too much": put(CHUNKED, body="20000\r\n" + "x" * 0x20000 + "\r\n" + END),
    "two lengths": put(LENGTH, "Content-Length: 3"),
    "a folded header": put(LENGTH, "X: a\r\n b"),
    "a header folded by a tab": put(LENGTH, "X: a\r\n\tb"),
    "a folded header that is empty": put(LENGTH, "X:\r\n b"),
    "a method in small letters": put(LENGTH, line=PUT.replace("PUT", "put")),
    "a method in mixed letters": put(LENGTH, line=PUT.replace("PUT", "Put")),
    "no host": wire(PUT, BASIC, XML, LENGTH, body=BODY),
    "no host beside an absolute target": wire(ABSOLUTE, BASIC, XML, LENGTH, body=BODY),
    "two hosts": put(HOST, LENGTH),
    "an absolute target by https, unencrypted": put(
        LENGTH, line=ABSOLUTE.replace("http:", "https:")
    ),
    "an absolute target of another kind": put(LENGTH, line=ABSOLUTE.replace("http:", "ftp:")),
    "an absolute target with a password": put(LENGTH, line=ABSOLUTE.replace("127", "a:b@127")),
    "an absolute target without a host": put(LENGTH, line=ABSOLUTE.replace("127.0.0.1", "")),
    "a target that is no path": put(LENGTH, line=PUT.replace(" /", " ", 1)),
    "a version that has other requests": put(LENGTH, line=PUT.replace("1.1", "2.0")),
    "a space before the colon": put(LENGTH, "X : y"),
    "a return alone in a header": put(LENGTH, "X: a\rb"),
}


@pytest.fixture(scope="module", params=["ASGI", "WSGI"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """uvicorn with this project's protocols, or gunicorn."""
    made = Installation(tmp_path_factory.mktemp(request.param), wsgi=request.param == "WSGI")
    try:
        made.start()
        yield made
    finally:
        made.end()


def test_what_the_standard_has_is_accepted_and_all_else_refused(served: Installation) -> None:
    before = accepted(served)
    answers = {name: exchange(served, sent) for name, sent in ACCEPTED.items()}
    assert {name: answer for name, answer in answers.items() if answer != (202, b"")} == {}
    answers = {name: exchange(served, sent, LINGER) for name, sent in REFUSED.items()}
    assert {name: it for name, it in answers.items() if it[0] not in {400, 421, 501}} == {}
    assert accepted(served) == before + len(ACCEPTED)


def test_the_host_of_an_absolute_target_counts_as_the_header_does(served: Installation) -> None:
    """Pages are for the hosts of ALLOWED_HOSTS, and the demo for this machine."""
    header, _ = exchange(served, wire("GET /login/ HTTP/1.1", "Host: other.example"))
    absolute, _ = exchange(served, wire("GET http://other.example/login/ HTTP/1.1", HOST))
    assert header == absolute in {400, 403}
    own, _ = exchange(served, wire("GET http://127.0.0.1/login/ HTTP/1.1", "Host: other.example"))
    assert own == 200


def responses(served: Installation, sent: bytes, count: int) -> list[int]:
    """The statuses of this many answers on one connection."""
    with socket.create_connection(("127.0.0.1", served.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as stream:
            return [_next(stream) for _ in range(count)]


def _next(stream: Any) -> int:
    """Reads one answer, with a body of a known length, and no further."""
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    stream.read(length)
    return status


@pytest.mark.parametrize("line", [b"", b"\r\n"], ids=["nothing", "an empty line"])
def test_requests_follow_each_other_with_an_empty_line_between_or_without(
    served: Installation, line: bytes
) -> None:
    """Some clients end each body by a line that its length does not count [RFC 9112, 2.2]."""
    chunked = put(CHUNKED, body=CHUNK + END)
    unread = put("Content-Length: 100000", body="x" * 100_000)
    assert responses(served, line.join([put(LENGTH), chunked, put(LENGTH)]), 3) == [202] * 3
    refused = responses(served, line.join([wire(INFO, HOST), put(LENGTH), unread]), 3)
    assert refused == [200, 202, 400]


# --- reading a connection -------------------------------------------------------------------------


def read(pieces: list[bytes]) -> list[Any]:
    """What is read of these pieces."""
    reader, events = RequestReader(), []
    for piece in pieces:
        reader.receive_data(piece)
        events.append(reader.next_event())
    return events


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
def test_some_empty_lines_are_skipped_however_they_arrive(line: bytes) -> None:
    request = wire(INFO, HOST)
    for count in (1, 2, MAX_EMPTY_LINES):
        sent = line * count + request
        assert isinstance(read([sent])[-1], h11.Request)
        assert isinstance(read([sent[at : at + 1] for at in range(len(sent))])[-1], h11.Request)
    with pytest.raises(h11.RemoteProtocolError):
        read([line * (MAX_EMPTY_LINES + 1) + request])
    with pytest.raises(h11.RemoteProtocolError):
        read([*[line] * (MAX_EMPTY_LINES + 1), request])


def test_a_return_alone_is_no_line() -> None:
    with pytest.raises(h11.RemoteProtocolError):
        read([b"\r" + wire(INFO, HOST)])


def test_a_connection_that_ends_after_an_empty_line_has_ended() -> None:
    assert isinstance(read([b"\r\n", b""])[-1], h11.ConnectionClosed)


# --- the rules, for what no test server does ------------------------------------------------------


async def through_asgi(**changes: Any) -> tuple[dict[str, Any] | None, list[Any]]:
    """The scope that the application gets, if it gets one, and what is sent instead."""
    scope = {
        "type": "http", "method": "PUT", "path": "/finesse/api/SystemInfo", "scheme": "http",
        "http_version": "1.1", "headers": [(b"host", b"127.0.0.1")], **changes,
    }  # fmt: skip
    got, sent = [], []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        got.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await RequestRulesASGI(application)(scope, receive, send)
    return (got or [None])[0], sent


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_an_absolute_target_says_the_host(kind: str) -> None:
    target = {"path": "http://other:81/ws/é", "raw_path": b"http://other:81/ws/%C3%A9"}
    method = {"method": "GET"} if kind == "http" else {}
    scope, _ = await through_asgi(type=kind, **method, **target)
    assert scope is not None
    assert (scope["path"], scope["raw_path"]) == ("/ws/é", b"/ws/%C3%A9")
    assert scope["headers"] == [(b"host", b"other:81")]
    scope, _ = await through_asgi(type=kind, path="http://other")
    assert scope is not None
    assert scope["path"] == "/"


@pytest.mark.parametrize(("encrypted", "trusted"), [(True, False), (False, True), (False, False)])
async def test_an_absolute_target_by_https_needs_encryption(
    encrypted: bool, trusted: bool, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if trusted else None
    scheme = "https" if encrypted else "http"
    scope, sent = await through_asgi(path="https://127.0.0.1/login/", scheme=scheme)
    assert [one.get("status") for one in sent] == ([] if scope else [421, None])
    assert bool(scope) == (encrypted or trusted)


async def test_a_handshake_that_is_against_the_rules_is_closed() -> None:
    for path in ("ftp://127.0.0.1/ws/", "http://a:b@127.0.0.1/ws/"):
        scope, sent = await through_asgi(type="websocket", path=path)
        assert (scope, sent) == (None, [{"type": "websocket.close"}])


def through_wsgi(application: Any, **changes: Any) -> tuple[str, dict[str, Any]]:
    """The status, and the environment that the application gets."""
    environ = {
        "REQUEST_METHOD": "PUT", "PATH_INFO": "/finesse/api/SystemInfo", "HTTP_HOST": "127.0.0.1",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", **changes,
    }  # fmt: skip
    got: dict[str, Any] = {}
    statuses: list[str] = []

    def inner(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        got.update(environ)
        start_response("200 OK", [])
        return []

    application(inner)(environ, lambda status, headers: statuses.append(status))
    (status,) = statuses
    return status, got


@pytest.mark.parametrize("given", ["RAW_URI", "REQUEST_URI", "PATH_INFO"])
def test_a_wsgi_server_may_give_the_target_in_either_way(given: str) -> None:
    target = {given: "http://other:81/finesse/api/User/1"}
    status, got = through_wsgi(RequestRulesWSGI, **{"PATH_INFO": "/finesse/api/User/1", **target})
    assert (status, got["HTTP_HOST"]) == ("200 OK", "other:81")
    assert got["PATH_INFO"] == "/finesse/api/User/1"
    for target in ("http://other:81", "http://other:81?x=y://z"):
        _, got = through_wsgi(RequestRulesWSGI, **{"PATH_INFO": "", given: target})
        assert (got["HTTP_HOST"], got["PATH_INFO"]) == ("other:81", "/")
    wrong = {given: "http://a:b@127.0.0.1/login/"}
    assert through_wsgi(RequestRulesWSGI, **wrong)[0].startswith("400")
    secret = {given: "https://127.0.0.1/login/"}
    assert through_wsgi(RequestRulesWSGI, **secret)[0].startswith("421")


def given_as_it_came(text: str) -> tuple[str, dict[str, Any], bytes]:
    """What comes of this body at a server that leaves chunks as they are, and what is left."""
    stream = BytesIO(text.encode())
    chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": stream}
    return *through_wsgi(ChunkedBodiesWSGI, **chunks), stream.read()


def test_a_wsgi_server_may_leave_the_chunks_as_they_are() -> None:
    lines = "a\n\r\nb"
    one_by_one = "".join(f"1\r\n{one}\r\n" for one in lines)
    whole = f"{len(lines):X};x=y\r\n{lines}\r\n"
    for sent in (one_by_one + END, whole + END, whole + "0\r\nX: trailer\r\n\r\n"):
        status, got, left = given_as_it_came(sent + "GET / HTTP/1.1\r\n")
        assert (status, left) == ("200 OK", b"GET / HTTP/1.1\r\n")
        assert (got["CONTENT_LENGTH"], got["wsgi.input"].read()) == ("5", lines.encode())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("", "411 Length Required"),
        ("zz\r\n" + BODY, "400 Bad Request"),
        (CHUNK, "400 Bad Request"),
        (CHUNK.replace("\r\n", "", 1), "400 Bad Request"),
        ("f" * 100_000, "400 Bad Request"),
    ],
    ids=["nothing", "no size", "no end", "no line", "no line for long"],
)
def test_chunks_that_are_none_are_refused_as_they_came(sent: str, status: str) -> None:
    assert given_as_it_came(sent)[:2] == (status, {})


def test_chunks_as_they_came_are_cut_behind_the_limit(settings: Any) -> None:
    settings.FINESSE_MAX_BODY_BYTES = 10
    _, got, _ = given_as_it_came(CHUNK + END)
    assert (got["CONTENT_LENGTH"], got["wsgi.input"].read()) == ("11", BODY[:11].encode())


def test_a_chunked_body_of_a_page_is_cut_behind_its_limit() -> None:
    body = {"wsgi.input": BytesIO(b"x" * 100_000), "wsgi.input_terminated": True}
    chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "PATH_INFO": "/login/", **body}
    status, got = through_wsgi(ChunkedBodiesWSGI, **chunks)
    kept = ANONYMOUS_BODY_MAX_BYTES + 1
    assert (status, got["CONTENT_LENGTH"]) == ("200 OK", str(kept))
    assert got["wsgi.input"].read() == b"x" * kept
