"""The server of `manage.py run`, with the embedded worker and what else runs beside it."""

import asyncio
import socket
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any

import uvicorn
from django.conf import settings

from finesse.celery import app
from finesse.commands.encryption import Encryption
from finesse.commands.xmpp_server import XMPPServer, keep_prosody_running, run_pubsub
from finesse.notifications.transports.channels import bind_loop
from finesse.server.embedded_worker import embedded_worker
from finesse.server.protocols import HTTPProtocol, WebSocketProtocol
from finesse.tls.certificate import reload_regularly

WEBSOCKET_MESSAGE_MAX_BYTES = 64 * 1024


class Server(uvicorn.Server):
    """A uvicorn server that ends its companions as soon as it is asked to stop.

    Otherwise it would first wait for requests that wait for an XMPP server's answer.
    """

    companions: "Sequence[asyncio.Task[None]]" = ()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.end_companions()
        await super().shutdown(sockets)

    async def end_companions(self) -> None:
        for task in self.companions:
            task.cancel()
        await asyncio.gather(*self.companions, return_exceptions=True)


async def serve(
    host: str,
    listeners: list[socket.socket],
    *,
    greeting: Coroutine[Any, Any, None],
    encryption: Encryption | None,
    xmpp: XMPPServer | None,
) -> None:
    """Serve until the process is asked to stop."""
    bind_loop(asyncio.get_running_loop())
    server = Server(_configuration(encryption.context if encryption else None))
    companions = [greeting]
    if encryption:
        companions.append(reload_regularly(encryption.context, host))
    if xmpp:
        companions += [keep_prosody_running(xmpp, host), run_pubsub()]
    with embedded_worker(app):
        server.companions = [asyncio.create_task(one) for one in companions]
        try:
            await server.serve(sockets=listeners)
        finally:
            await server.end_companions()


def _configuration(context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        "finesse.asgi:application",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        http=HTTPProtocol,
        ws=WebSocketProtocol,
        ws_max_size=WEBSOCKET_MESSAGE_MAX_BYTES,
        # Compressed, 80 bytes could become 60 KB, and a burst of such messages 200 MB.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=settings.FINESSE_SHUTDOWN_SECONDS,
        ssl_context_factory=(lambda *_: context) if context else None,
    )
