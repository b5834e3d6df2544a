"""A uvicorn that ends, and shares its port with others, as under `production`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from finesse.server import protocols

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-length", b"4")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"done"})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """A server, and its port. The socket is as `--fd` has it: one of TCP that is taken for UNIX."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        given = socket.fromfd(listener.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                lifespan="off",
                log_config=None,
                http=protocols.HTTPProtocol,
                timeout_graceful_shutdown=20,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[given]))
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def accepted(server: uvicorn.Server) -> protocols.HTTPProtocol:
    """The only connection."""
    while not server.server_state.connections:
        await asyncio.sleep(0.001)
    (connection,) = server.server_state.connections
    assert isinstance(connection, protocols.HTTPProtocol)
    return connection


async def test_the_request_of_a_connection_that_was_just_accepted_is_answered() -> None:
    async with served() as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection = await accepted(server)
        server.should_exit = True
        while not connection._is_last:
            await asyncio.sleep(0.001)
        writer.write(REQUEST)
        # Up to its end: the connection is closed behind the answer.
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"done")


async def test_a_connection_that_sends_nothing_does_not_keep_the_server_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocols, "FIRST_REQUEST_SECONDS", 0.05)
    async with served() as (server, port), asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await accepted(server)
        server.should_exit = True
        assert await reader.read() == b""
        writer.close()


async def test_what_is_sent_on_a_shared_socket_does_not_wait_for_more_to_send() -> None:
    async with served() as (server, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        own = (await accepted(server)).transport.get_extra_info("socket")
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        writer.close()
        await writer.wait_closed()
