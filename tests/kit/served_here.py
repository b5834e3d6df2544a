"""A real server on this process's event loop, to be seen from inside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from finesse.server import protocols


class Served:
    """A server, seen from inside."""

    def __init__(self, server: uvicorn.Server) -> None:
        self.port: int = server.servers[0].sockets[0].getsockname()[1]
        self.connections: Any = server.server_state.connections


@asynccontextmanager
async def served_here() -> AsyncIterator[Served]:
    """The same protocols as in service."""
    server = uvicorn.Server(
        uvicorn.Config(
            "finesse.asgi:application",
            port=0,
            lifespan="off",
            log_config=None,
            http=protocols.HTTPProtocol,
            ws=protocols.WebSocketProtocol,
            ws_max_size=64 * 1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield Served(server)
    server.should_exit = True
    await serving
