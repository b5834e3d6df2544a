"""`manage.py run`: the whole service in one process, with nothing to install beside it."""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from argparse import ArgumentParser
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse.celery import app
from finesse.notifications.transports.channels import bind_loop
from finesse.service import heartbeat
from finesse.service.worker import embedded_worker

START_UP = 30
"""Seconds within which worker and notifications have to be seen to work."""

WELCOME = """
Finesse Media is in service. Ctrl-C ends it.

  Viewer          {url}/
  Administration  {url}/admin/
  API             {url}/finesse/api/, described at {url}/finesse/docs/
  Health          {url}/healthz
"""
DEMO = """
Demo logins, all with the password {password}:
  agents 1234, 1235, 1300   supervisor 2001   administrator admin

Open the viewer as 2001, then send Ana Lima to lunch:

  curl -i -u 1234:{password} -X PUT -H 'Content-Type: application/xml' -H 'requestId: r-1' \\
    -d '<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>' \\
    {url}/finesse/api/User/1234/Media/5001
"""


class Command(BaseCommand):
    help = "Serve API, admin, viewer and sockets, with a Celery worker and beat in threads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if settings.FINESSE_DEMO and not is_loopback(host):
            raise CommandError(
                f"The demo's passwords are public, so it does not listen on {host}. "
                "Leave HOST out, or run without the demo: "
                "`make run DEMO=0 HOST=… ` with SECRET_KEY and ALLOWED_HOSTS set."
            )
        # Whoever listens on a name or an address is asked for by it.
        settings.ALLOWED_HOSTS.append(f"[{host}]" if ":" in host else host)
        listener = listen(host, port)
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        # The server hands a signal on when it has shut down; as an interrupt it lets the worker
        # finish, too, where it would end the process on the spot.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve(listener))
        self.stdout.write("Stopped. Everything accepted is kept and continues at the next start.")

    async def _serve(self, listener: socket.socket) -> None:
        bind_loop(asyncio.get_running_loop())
        server = uvicorn.Server(
            uvicorn.Config(
                "finesse.asgi:application",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                ws_max_size=64 * 1024,
                timeout_graceful_shutdown=2,
            )
        )
        with embedded_worker(app):
            greeting = asyncio.create_task(self._greet())
            try:
                await server.serve(sockets=[listener])
            finally:
                greeting.cancel()

    async def _greet(self) -> None:
        """Print where everything is, once it is true that it works."""
        for _ in range(START_UP * 20):
            if heartbeat.in_service():
                break
            await asyncio.sleep(0.05)
        else:
            self.stderr.write(f"Not in service after {START_UP} s; see {self.url}/healthz")
            return
        text = WELCOME + DEMO if settings.FINESSE_DEMO else WELCOME
        self.stdout.write(text.format(url=self.url, password=settings.FINESSE_DEMO_PASSWORD))
        self.stdout.flush()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken before anything starts. Raises CommandError if it cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
        # asyncio does so by itself only for sockets that name their protocol, and this one does
        # not: on a kept connection, an answer with a body would wait 40 ms for the client's word.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            "Is another server running there? Choose another port: make run PORT=8001"
        ) from None
