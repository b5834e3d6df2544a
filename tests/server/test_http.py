"""Django behind the servers: its work around a request, threads that all wait, deliveries that
hang."""

import asyncio
import socket
import threading
from typing import Any

import pytest
from django.db import connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from finesse.commands.listening import listen
from finesse.notifications.models import LogHead
from finesse.notifications.places import BEGINNING
from finesse.notifications.transports import channels
from finesse.server import handlers
from tests.conftest import basic

GADGET = "https://gadgets.example"


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> handlers.ThreadedASGIHandler:
    monkeypatch.setattr(handlers, "THREADS", 2)
    monkeypatch.setattr(handlers, "THREAD_TIMEOUT_SECONDS", 0.05)
    return handlers.ThreadedASGIHandler()


@pytest.mark.django_db(transaction=True)
async def test_a_thread_of_the_pool_closes_a_connection_that_has_failed(
    handler: handlers.ThreadedASGIHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Any] = []

    def fail(request: HttpRequest) -> HttpResponse:
        connection.ensure_connection()
        left.append(connections["default"])
        left[0].errors_occurred, left[0].close_at = True, None
        left[0].is_usable = lambda: False
        return HttpResponse("failed")

    monkeypatch.setattr(handler, "get_response", fail)
    await handler.get_response_async(HttpRequest())
    assert left[0].connection is None


async def test_when_every_thread_waits_the_next_request_is_answered_503(
    handler: handlers.ThreadedASGIHandler, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    goes_on = threading.Event()

    def hang(request: HttpRequest) -> HttpResponse:
        assert goes_on.wait(60)
        return HttpResponse("done")

    monkeypatch.setattr(handler, "get_response", hang)
    waiting = [asyncio.create_task(handler.get_response_async(HttpRequest())) for _ in range(2)]
    while not handler._free_threads.locked():
        await asyncio.sleep(0.001)
    asked = HttpRequest()
    asked.method, asked.META["HTTP_REQUESTID"] = "PUT", "r-1"
    refused: Any = await handler.get_response_async(asked)
    assert (refused.status_code, refused["requestId"]) == (503, "r-1")
    assert b"<ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage>" in refused.content
    asked.method = "GET"
    assert "requestId" not in await handler.get_response_async(asked)
    asked.method, asked.META["HTTP_REQUESTID"] = "PUT", "r\r\n1"
    assert "requestId" not in await handler.get_response_async(asked)
    settings.CORS_ALLOWED_ORIGINS = [GADGET]
    settings.FINESSE_API_MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]
    asked = RequestFactory().put("/finesse/api/User/1", headers={"Origin": GADGET})
    refused = await handler.get_response_async(asked)
    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (503, GADGET)
    goes_on.set()
    assert [(await task).status_code for task in waiting] == [200, 200]
    assert (await handler.get_response_async(HttpRequest())).status_code == 200


async def test_a_thread_is_not_free_when_its_client_has_gone_but_when_it_has_ended(
    handler: handlers.ThreadedASGIHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, begun = threading.Event(), threading.Semaphore(0)

    def hang(request: HttpRequest) -> HttpResponse:
        begun.release()
        assert goes_on.wait(60)
        return HttpResponse("done")

    monkeypatch.setattr(handler, "get_response", hang)
    left = [asyncio.create_task(handler.get_response_async(HttpRequest())) for _ in range(2)]
    for _ in left:
        await asyncio.to_thread(begun.acquire)
    # As Django does when a client disconnects.
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    refused: Any = await asyncio.wait_for(handler.get_response_async(HttpRequest()), 60)
    assert refused.status_code == 503
    goes_on.set()
    while handler._free_threads.locked():
        await asyncio.sleep(0)
    assert (await handler.get_response_async(HttpRequest())).status_code == 200


@pytest.mark.parametrize("of_a_server", [True, False], ids=["server", "worker"])
async def test_a_hand_over_that_hangs_is_given_up_and_lets_go_of_its_connection(
    monkeypatch: pytest.MonkeyPatch, of_a_server: bool
) -> None:
    let_go = threading.Event()

    async def hang(message: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()

    monkeypatch.setattr(channels, "HAND_OVER_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(channels, "_send", hang)
    channels.bind_loop(asyncio.get_running_loop() if of_a_server else None)
    try:
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(channels.deliver, [], LogHead(position=1, access=1), BEGINNING)
        assert await asyncio.to_thread(let_go.wait, 60)
    finally:
        channels.bind_loop(None)


async def test_a_worker_that_has_given_up_hands_the_next_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heads = []

    async def send(message: dict[str, Any]) -> None:
        if message["head"][0] == 1:
            await asyncio.Event().wait()
        heads.append((message["head"][0], asyncio.get_running_loop()))

    monkeypatch.setattr(channels, "HAND_OVER_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(channels, "_send", send)
    monkeypatch.setattr(channels, "_server_loop", None)
    # From several threads at once, as when the status is published.
    answers = await asyncio.gather(
        *(
            asyncio.to_thread(channels.deliver, [], LogHead(position=position, access=1), BEGINNING)
            for position in (2, 1, 3, 4)
        ),
        return_exceptions=True,
    )
    assert [type(one) for one in answers if one] == [TimeoutError]
    assert sorted(head for head, _ in heads) == [2, 3, 4]
    assert len({loop for _, loop in heads}) == 1


def test_connections_of_the_embedded_server_do_not_wait_for_more_to_send() -> None:
    with (
        listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# --- around a request -----------------------------------------------------------------------------


class Server:
    """Calls the application as a WSGI server does."""

    def __init__(self) -> None:
        self.handler = handlers.ThreadWSGIHandler()

    def get(self, path: str, **headers: str) -> HttpResponse:
        environ = RequestFactory().get(path, headers=headers).environ
        started: list[Any] = []
        body = self.handler(environ, lambda *answer: started.append(answer))
        content = b"".join(body)
        body.close()
        ((status, answered),) = started
        response = HttpResponse(content, status=int(status[:3]))
        for name, value in answered:
            if name == "Set-Cookie":
                response.cookies.load(value)
            else:
                response[name] = value
        return response


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("cast", "in_service")
class TestAround:
    def test_each_address_is_answered_for_itself_however_often_it_is_asked(
        self, server: Server
    ) -> None:
        for _ in range(2):
            for login_id, mrd in (("alice", 5000), ("alice", 5001), ("bob", 5002)):
                path = f"/finesse/api/User/{login_id}/Media/{mrd}"
                answer = server.get(path, Authorization=basic(login_id))
                assert f"<uri>{path}</uri>".encode() in answer.content
            nothing = server.get("/finesse/api/Nothing", Authorization=basic("alice"))
            assert nothing.status_code == 404

    def test_long_addresses_are_answered_and_not_remembered(self, server: Server) -> None:
        known = handlers._resolved.cache_info().currsize
        path = f"/finesse/api/User/{'x' * handlers.LONGEST_RESOLVED_PATH}/Media/5000"
        assert server.get(path, Authorization=basic("alice")).status_code == 401
        assert handlers._resolved.cache_info().currsize == known

    def test_the_api_neither_reads_nor_gives_cookies_and_pages_do(self, server: Server) -> None:
        path = "/finesse/api/User/alice/Media/5000"
        headers = {"Authorization": basic("alice"), "Cookie": "sessionid=made-up"}
        with CaptureQueriesContext(connection) as asked:
            answer = server.get(path, **headers)
        assert (answer.status_code, [*answer.cookies]) == (200, [])
        assert not [one for one in asked if "session" in one["sql"]]
        page = server.get("/login/", Cookie="sessionid=made-up")
        assert page.status_code == 200
        assert "csrftoken" in page.cookies
        assert page["X-Frame-Options"] == "DENY"

    def test_both_say_that_types_are_not_to_be_guessed(self, server: Server) -> None:
        for path in ("/finesse/api/SystemInfo", "/login/"):
            assert server.get(path)["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_has_failed_is_none_that_the_next_request_gets(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.ensure_connection()
    monkeypatch.setattr(connections["default"], "close_at", None)
    server.get("/healthz")
    assert connection.connection is not None
    monkeypatch.setattr(connections["default"], "errors_occurred", True)
    monkeypatch.setattr(connections["default"], "is_usable", lambda: False)
    server.get("/healthz")
    assert connection.connection is None
