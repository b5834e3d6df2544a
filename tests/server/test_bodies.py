"""Bodies: each has a size and a time, and those whose end has yet to come share a memory."""

import asyncio
import re
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as live
from django.test import Client

from finesse.asgi import application as asgi_application
from finesse.server import awaited_bodies, body_limit, protocols, unread
from finesse.server.awaited_bodies import awaited_bytes
from finesse.server.body_limit import ANONYMOUS_BODY_MAX_BYTES, BodyLimit, BodyLimitWSGI
from finesse.xmpp import bosh
from tests.conftest import Cast
from tests.kit.served_here import Served, served_here

PAGES = ("/login/", "/admin/login/", "/admin/users/user/add/", "/finesse/docs/", "/no/such/page")
API = "/finesse/api/User/1234/Media/5001"
BOSH = "/http-bind/"
Headers = list[tuple[bytes, bytes]]


class Call:
    """One request to the middleware, whose body comes in these parts."""

    def __init__(
        self, path: str, *parts: bytes, length: int | None = None, origin: str = "192.0.2.1"
    ) -> None:
        self.parts = [*parts]
        self.ends = True
        self.sent: list[dict[str, Any]] = []
        self.passed: list[bytes] = []
        length = sum(map(len, parts)) if length is None else length
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "scheme": "http",
            "client": (origin, 40_000),
            "headers": [(b"content-length", str(length).encode())],
        }

    def chunked(self) -> "Call":
        self.scope["headers"] = [(b"transfer-encoding", b"chunked")]
        return self

    async def receive(self) -> dict[str, Any]:
        if not self.parts:
            await asyncio.Event().wait()
        part = self.parts.pop(0)
        return {
            "type": "http.request",
            "body": part,
            "more_body": bool(self.parts) or not self.ends,
        }

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        self.passed.append((await receive())["body"])
        self.scope = scope

    async def run(self) -> "Call":
        middleware = BodyLimit(self.application)
        if self.scope["path"] == BOSH:
            middleware = bosh.BOSHForwarder(middleware)  # type: ignore[assignment]
        await middleware(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


@pytest.fixture(autouse=True)
def all_is_given_back(settings: Any) -> Any:
    settings.FINESSE_XMPP_BOSH_URL = "http://127.0.0.1:9/http-bind"
    yield
    assert (awaited_bytes.total, dict(awaited_bytes.of_origins)) == (0, {})


# --- size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_takes_no_large_body_from_a_stranger(path: str) -> None:
    large = await Call(path, b"x", length=ANONYMOUS_BODY_MAX_BYTES + 1).run()
    assert (large.status, large.passed, large.parts) == (400, [], [b"x"])
    chunked = await Call(path, *[b"x" * 40_000] * 9).chunked().run()
    # No more is read than shows that it is too large.
    assert (chunked.status, chunked.passed, len(chunked.parts)) == (400, [], 7)
    odd = Call(path, b"x")
    odd.scope["headers"] = [(b"content-length", b"9" * 5_000)]
    assert (await odd.run()).status == 400


async def test_a_pages_refusal_has_the_policy_of_every_page() -> None:
    refused = await Call("/login/", b"x", length=ANONYMOUS_BODY_MAX_BYTES + 1).run()
    headers = dict(refused.sent[0]["headers"])
    assert headers[b"content-security-policy"].startswith(b"default-src 'self'")
    assert headers[b"x-content-type-options"] == b"nosniff"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_takes_what_a_form_has(path: str) -> None:
    body = b"x" * ANONYMOUS_BODY_MAX_BYTES
    for call in (Call(path, body), Call(path, body[:7], body[7:]), Call(path, body).chunked()):
        assert (await call.run()).passed == [body]
        assert (b"content-length", b"65536") in call.scope["headers"]


@pytest.mark.django_db(transaction=True)
async def test_a_browser_that_is_signed_in_may_send_more(cast: Cast, server_loop: None) -> None:
    browser = Client()
    await database_sync_to_async(browser.force_login)(cast.carol)
    key = browser.cookies["sessionid"].value
    large = b"x" * 500_000
    for cookie, is_taken in ((key, True), ("a" * 32, False), ("\0", False)):
        for call in (Call("/admin/users/team/add/", large), Call("/admin/", large).chunked()):
            call.scope["headers"].append((b"cookie", f"sessionid={cookie}; x=y".encode()))
            await call.run()
            assert (call.status, bool(call.passed)) == (None if is_taken else 400, is_taken)
            environ = {
                "PATH_INFO": "/admin/",
                "CONTENT_LENGTH": "500000",
                "HTTP_COOKIE": f"sessionid={cookie}",
            }
            wsgi = database_sync_to_async(status_under_wsgi)
            assert await wsgi(environ) == ("passed on" if is_taken else "400")
    most = live.DATA_UPLOAD_MAX_MEMORY_SIZE
    call = Call("/admin/", b"x", length=most + 1)
    call.scope["headers"].append((b"cookie", f"sessionid={key}".encode()))
    assert (await call.run()).status == 400


def status_under_wsgi(environ: dict[str, Any]) -> str:
    started = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        started.append(status[:3])
        # A WSGI server refuses headers that concern the connection.
        assert "Connection" not in dict(headers)

    body = BodyLimitWSGI(lambda environ, start: [b"passed on"])(environ, start_response)
    return started[0] if started else b"".join(body).decode()


@pytest.mark.parametrize("path", PAGES)
def test_a_wsgi_server_need_not_read_a_strangers_large_body(path: str) -> None:
    unreadable: Any = {"PATH_INFO": path, "wsgi.input": None}
    assert status_under_wsgi({**unreadable, "CONTENT_LENGTH": "65537"}) == "400"
    assert status_under_wsgi({**unreadable, "CONTENT_LENGTH": "9" * 40}) == "400"
    for length in ("65536", "", "0"):
        assert status_under_wsgi({**unreadable, "CONTENT_LENGTH": length}) == "passed on"
    # The API's parser answers for itself.
    assert status_under_wsgi({"PATH_INFO": API, "CONTENT_LENGTH": "70000"}) == "passed on"


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*PAGES, BOSH])
@pytest.mark.parametrize("is_chunked", [True, False])
async def test_a_body_that_does_not_come_in_time_is_answered_408(
    path: str, is_chunked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(bosh, "BODY_TIMEOUT_SECONDS", 0.05)
    late = Call(path, b"x", length=2)
    late.ends = False
    if is_chunked:
        late.chunked()
    async with asyncio.timeout(30):
        await late.run()
    assert (late.status, late.passed) == (408, [])


@pytest.fixture
async def served(server_loop: None) -> AsyncIterator[Served]:
    async with served_here() as made:
        yield made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "request_",
    [
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\nx",
        # Answered at once, without its body.
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\nx",
        b"PUT /finesse/api/User/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nx",
        b"POST /http-bind/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx",
    ],
    ids=["page", "page, refused", "API, refused", "BOSH"],
)
async def test_no_connection_outlives_its_body_for_long(
    cast: Cast, served: Served, request_: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the application answers, and though a byte comes now and then."""
    monkeypatch.setattr(protocols, "BODY_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(protocols, "BODY_GRACE_SECONDS", 0)
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_SECONDS", 60)
    monkeypatch.setattr(bosh, "BODY_TIMEOUT_SECONDS", 60)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request_)
    reading = asyncio.create_task(reader.read())
    async with asyncio.timeout(30):
        while not reading.done():
            writer.write(b"x")
            await asyncio.wait([reading], timeout=0.05)
        while served.connections:
            await asyncio.sleep(0.01)
    reading.exception()
    writer.close()


@pytest.mark.django_db(transaction=True)
async def test_a_websocket_and_the_next_request_have_no_such_deadline(
    cast: Cast, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "BODY_TIMEOUT_SECONDS", 0)
    monkeypatch.setattr(protocols, "BODY_GRACE_SECONDS", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for _ in range(2):
        # In one piece, so that its end has come when it begins.
        writer.write(
            b"PUT /finesse/api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length))
    writer.write(
        b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: xmpp\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x89\x80\x00\x00\x00\x00")
    assert await reader.readexactly(2) == b"\x8a\x00"
    writer.close()


@pytest.mark.django_db(transaction=True)
async def test_a_client_that_does_not_read_its_answer_is_cut_off(
    cast: Cast, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "UNREAD_TIMEOUT_SECONDS", 0.2)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    writer.transport.pause_reading()
    # More than the system's buffers take, in answers that follow each other.
    asked = b"GET /finesse/docs/finesse.xsd HTTP/1.1\r\nHost: localhost\r\n\r\n"
    writer.write(asked * 1000)
    async with asyncio.timeout(60):
        while not served.connections:
            await asyncio.sleep(0.01)
        while served.connections:
            await asyncio.sleep(0.01)
    writer.close()


# --- memory -------------------------------------------------------------------------------------


async def test_a_page_of_another_origin_reads_that_there_are_too_many_bodies(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://gadgets.example"]
    settings.FINESSE_API_MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
    monkeypatch.setattr(awaited_bodies, "AWAITED_BYTES", 10)
    call = Call(API, b"x" * 20, b"x" * 20)
    call.scope["headers"] += [(b"origin", b"https://gadgets.example"), (b"requestid", b"r-1")]
    await call.run()
    headers = dict(call.sent[0]["headers"])
    assert (call.status, headers[b"requestid"], headers[b"retry-after"]) == (503, b"r-1", b"1")
    assert headers[b"access-control-allow-origin"] == b"https://gadgets.example"


async def unfinished(path: str, size: int, origin: str) -> "asyncio.Task[Call]":
    call = Call(path, b"x" * size, length=size + 1, origin=origin)
    call.ends = False
    task = asyncio.create_task(call.run())
    while call.parts and not task.done():
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("path", ["/login/", API, BOSH])
async def test_what_one_origin_has_not_ended_is_bounded_and_keeps_nobody_out(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaited_bodies, "AWAITED_BYTES_PER_ORIGIN", 100_000)
    monkeypatch.setattr(awaited_bodies, "AWAITED_BYTES", 150_000)
    begun = [await unfinished(path, 40_000, "192.0.2.1") for _ in range(4)]
    assert [task.done() for task in begun] == [False, False, True, True]
    assert begun[2].result().status == 503
    assert awaited_bytes.total == 80_000
    # Another origin may begin one, until all have as much as they may.
    others = [await unfinished(path, 40_000, f"192.0.2.{number}") for number in (2, 3)]
    assert [task.done() for task in others] == [False, True]
    # Those that come in one piece are not kept out.
    for origin in ("192.0.2.1", "192.0.2.9"):
        whole = await Call("/login/", b"x" * 60_000, origin=origin).run()
        assert whole.passed == [b"x" * 60_000]
    for task in (*begun, *others):
        task.cancel()
    await asyncio.gather(*begun, *others, return_exceptions=True)


async def test_a_body_counts_until_its_request_has_been_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = Call("/login/", b"x" * 100, b"y" * 100)
    held = []

    async def application(*_: Any) -> None:
        held.append(awaited_bytes.total)

    monkeypatch.setattr(call, "application", application)
    await call.run()
    assert held == [200]


async def test_the_application_has_these_bounds_in_front(cast: Cast) -> None:
    """Both entry points."""
    call = Call("/login/", b"x", length=10_000_000, origin="127.0.0.1")
    call.scope |= {"query_string": b"", "server": ("127.0.0.1", 80)}
    call.scope["headers"].append((b"host", b"localhost"))
    await asgi_application(call.scope, call.receive, call.send)
    assert call.status == 400
    from finesse.wsgi import application

    environ = {"PATH_INFO": "/login/", "CONTENT_LENGTH": "70000", "wsgi.input": BytesIO()}
    environ |= {"REQUEST_METHOD": "POST", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost"}
    environ |= {"wsgi.url_scheme": "http", "RAW_URI": "/login/"}
    answers: list[str] = []
    application(
        {**environ, "REMOTE_ADDR": "127.0.0.1"}, lambda status, headers: answers.append(status)
    )
    assert answers[0].startswith("400")
