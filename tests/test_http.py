"""Django behind the embedded server: threads that all wait, hand-overs that hang."""

import asyncio
import socket
import threading
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse

from finesse.notifications.models import LogHead
from finesse.notifications.transports import channels
from finesse.service import http
from finesse.service.management.commands import run


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> http.ThreadedASGIHandler:
    monkeypatch.setattr(http, "THREADS", 2)
    monkeypatch.setattr(http, "PATIENCE", 0.05)
    monkeypatch.setattr(http, "close_old_connections", lambda: None)
    return http.ThreadedASGIHandler()


async def test_when_every_thread_waits_the_next_request_is_answered_503(
    handler: http.ThreadedASGIHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def hang(request: HttpRequest) -> HttpResponse:
        assert goes_on.wait(10)
        return HttpResponse("done")

    monkeypatch.setattr(handler, "get_response", hang)
    waiting = [asyncio.create_task(handler.get_response_async(HttpRequest())) for _ in range(2)]
    while not handler._free.locked():
        await asyncio.sleep(0)
    refused: Any = await handler.get_response_async(HttpRequest())
    assert refused.status_code == 503
    assert b"<ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage>" in refused.content
    goes_on.set()
    assert [(await task).status_code for task in waiting] == [200, 200]
    assert (await handler.get_response_async(HttpRequest())).status_code == 200


async def test_a_hand_over_that_hangs_is_given_up_and_lets_go_of_its_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_go = asyncio.Event()

    async def hang(message: dict[str, Any]) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            let_go.set()

    monkeypatch.setattr(channels, "PATIENCE", 0.05)
    monkeypatch.setattr(channels, "_send", hang)
    channels.bind_loop(asyncio.get_running_loop())
    try:
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(channels.deliver, [], LogHead(position=1, access=1))
        async with asyncio.timeout(5):
            await let_go.wait()
    finally:
        channels.bind_loop(None)


def test_connections_of_the_embedded_server_do_not_wait_for_more_to_send() -> None:
    with (
        run.listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
