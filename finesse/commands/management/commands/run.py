"""`manage.py run`: the whole service in one process, with nothing to install beside it."""

import asyncio
import contextlib
import functools
import ipaddress
import shlex
import signal
import socket
import ssl
from argparse import ArgumentParser
from asyncio import sslproto
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse import heartbeat
from finesse.celery import app
from finesse.notifications.transports.channels import bind_loop
from finesse.server.embedded_worker import embedded_worker
from finesse.server.protocols import HTTPProtocol, TLSProtocol, WebSocketProtocol
from finesse.tls import certificate
from finesse.tls.private_files import secret
from finesse.xmpp.addresses import domain, pubsub_domain
from finesse.xmpp.component import run_component
from finesse.xmpp.prosody import child_process
from finesse.xmpp.prosody.configuration import BOSH_URL, Configuration

PORT = 8000
SECURE_PORT = 8445
"""Finesse's own port of HTTPS [Change Agent State]."""
NOTIFICATION_PORT = 7443
"""Where Finesse's clients look for wss://<host>:7443/ws and …/http-bind."""

START_UP = 30
"""Seconds within which worker and notifications have to be seen to work."""

WELCOME = """
Finesse Media is in service. Ctrl-C ends it.

  Viewer          {url}/
  Administration  {url}/admin/
  API             {url}/finesse/api/, described at {url}/finesse/docs/
  Health          {url}/healthz
"""
ALSO = """\
  The same again  {also}/, where Finesse's clients look for notifications
"""
TRUST = """
The certificate is signed by an authority of your own. Let your clients trust it; how, for browsers,
Python, Node and Java, stands in the README under "Over TLS".

  curl --cacert {authority} {url}/healthz
"""
XMPP = """
XMPP, users being <login id>@{domain} and notifications coming from {pubsub_domain}:

  STARTTLS        {host}:{xmpp_port}
  TLS             {host}:{xmpp_secure_port}
  BOSH            {url}/http-bind
"""
XMPP_TRUST = """
Over TLS it shows a certificate signed by {xmpp_authority}
"""
DEMO = """
Demo logins, all with the password {password}:
  agents 1234, 1235, 1300   supervisor 2001   administrator admin

Open the viewer as 2001, then send Ana Lima to lunch:

  curl -i{trust} -u 1234:{password} -X PUT -H 'Content-Type: application/xml' -H 'requestId: r-1' \\
    -d '<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>' \\
    {url}/finesse/api/User/1234/Media/5001
"""


class Server(uvicorn.Server):
    """Ends what runs beside it as soon as it is told to end itself.

    Otherwise it would first wait for those who wait for an XMPP server's answer.
    """

    beside: "list[asyncio.Task[None]]"

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.end_what_is_beside()
        await super().shutdown(sockets)

    async def end_what_is_beside(self) -> None:
        for task in self.beside:
            task.cancel()
        await asyncio.gather(*self.beside, return_exceptions=True)


class Command(BaseCommand):
    help = "Serve API, admin, viewer and sockets, with a Celery worker and beat in threads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, help=f"{PORT}, with --tls {SECURE_PORT}")
        parser.add_argument("--tls", action="store_true", help="HTTPS and WSS, nothing else")
        parser.add_argument(
            "--notification-port",
            type=int,
            default=NOTIFICATION_PORT,
            help="with --tls, a second port that serves the same; 0: none",
        )
        parser.add_argument(
            "--xmpp", action="store_true", help="XMPP over TCP, TLS and BOSH, too, by Prosody"
        )

    def handle(
        self,
        *args: Any,
        host: str,
        port: int | None,
        tls: bool,
        notification_port: int,
        xmpp: bool,
        **options: Any,
    ) -> None:
        if settings.FINESSE_DEMO and not is_loopback(host):
            raise CommandError(
                f"The demo's passwords are public, so it does not listen on {host}. "
                "Leave HOST out, or run without the demo: "
                "`make run DEMO=0 HOST=… ` with SECRET_KEY and ALLOWED_HOSTS set."
            )
        # Whoever listens on a name or an address is asked for by it.
        named = name_of(host)
        settings.ALLOWED_HOSTS.append(named)
        if port is None:
            port = SECURE_PORT if tls else PORT
        listeners = [listen(host, port)]
        self.name = named
        self.context: ssl.SSLContext | None = None
        self.authority: Path | None = None
        self.xmpp_authority: Path | None = None
        if tls:
            self._speak_tls(host)
            if notification_port not in (0, port):
                listeners += self._listen_too(host, notification_port)
        scheme = "https" if tls else "http"
        self.urls = [f"{scheme}://{named}:{one.getsockname()[1]}" for one in listeners]
        self.url = self.urls[0]
        self.xmpp = self._prepare_xmpp(host, listeners[0]) if xmpp else None
        # The server hands a signal on when it has shut down; as an interrupt it lets the worker
        # finish, too, where it would end the process on the spot.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve(host, listeners))
        self.stdout.write("Stopped. Everything accepted is kept and continues at the next start.")

    def _speak_tls(self, host: str) -> None:
        try:
            pair = certificate.chosen(host)
        except (OSError, ValueError) as error:
            raise CommandError(f"Cannot make a certificate: {error}") from None
        try:
            self.context = certificate.context(pair)
        except OSError as error:
            raise CommandError(
                f"Cannot serve TLS with {pair.certificate} and {pair.key}: {error}. "
                "Both are PEM, the key without a password."
            ) from None
        self.authority = pair.authority
        sslproto.SSLProtocol = TLSProtocol  # type: ignore[misc]
        # What is read from here on is sent over TLS alone.
        settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True

    def _listen_too(self, host: str, port: int) -> list[socket.socket]:
        try:
            return [listen(host, port)]
        except CommandError:
            self.stderr.write(
                f"Port {port} is taken: clients that look for wss://…:{port}/ws do not find it "
                "here. Everything else is served."
            )
            return []

    def _prepare_xmpp(self, host: str, listener: socket.socket) -> Configuration:
        folder = settings.FINESSE_DATA_DIR / "xmpp"
        address, port, *_ = listener.getsockname()
        # Where it listens everywhere, it is asked for at home.
        home = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
        scheme = "https" if self.context else "http"
        try:
            pair = certificate.chosen(host)
            settings.FINESSE_XMPP_SECRET = settings.FINESSE_XMPP_SECRET or secret(folder / "secret")
            settings.FINESSE_XMPP_BOSH_URL = settings.FINESSE_XMPP_BOSH_URL or BOSH_URL
            configuration = Configuration(
                certificate=pair.certificate,
                key=pair.key,
                password_url=f"{scheme}://{name_of(home)}:{port}/finesse/xmpp/password",
                interfaces=["*" if address == "0.0.0.0" else address],
                folder=folder,
            )
            taken = child_process.taken(configuration)
        except (OSError, ValueError) as error:
            raise CommandError(f"Cannot run an XMPP server: {error}") from None
        if child_process.find() is None:
            raise CommandError(
                "Prosody is not installed. On Debian and Ubuntu: apt-get install prosody. "
                "XMPP over WebSocket is served without it: leave XMPP=1 out."
            )
        if taken:
            raise CommandError(
                f"Prosody cannot listen on {taken[0]}:{taken[1]}. Is another XMPP server running "
                "there, as the one of Prosody's package (systemctl disable --now prosody)? Other "
                "ports: FINESSE_XMPP_PORT, FINESSE_XMPP_SECURE_PORT, FINESSE_XMPP_COMPONENT and "
                "FINESSE_XMPP_BOSH_URL (docs/xmpp.md)."
            )
        self.xmpp_authority = pair.authority
        return configuration

    async def _serve(self, host: str, listeners: list[socket.socket]) -> None:
        bind_loop(asyncio.get_running_loop())
        context = self.context
        server = Server(
            uvicorn.Config(
                "finesse.asgi:application",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                http=HTTPProtocol,
                ws=WebSocketProtocol,
                timeout_graceful_shutdown=2,
                ssl_context_factory=(lambda *_: context) if context else None,
            )
        )
        with embedded_worker(app):
            server.beside = [asyncio.create_task(self._greet())]
            if context:
                server.beside.append(asyncio.create_task(certificate.keep_fresh(context, host)))
            if self.xmpp:
                renew = functools.partial(certificate.chosen, host)
                server.beside.append(
                    asyncio.create_task(child_process.keep_running(self.xmpp, renew))
                )
                server.beside.append(asyncio.create_task(self._be_pubsub()))
            try:
                await server.serve(sockets=listeners)
            finally:
                await server.end_what_is_beside()

    async def _be_pubsub(self) -> None:
        await child_process.listening()
        await run_component()

    async def _greet(self) -> None:
        """Print where everything is, once it is true that it works."""
        for _ in range(START_UP * 20):
            if heartbeat.in_service():
                break
            await asyncio.sleep(0.05)
        else:
            self.stderr.write(f"Not in service after {START_UP} s; see {self.url}/healthz")
            return
        authority = shlex.quote(from_here(self.authority)) if self.authority else ""
        text = WELCOME + ALSO * len(self.urls[1:]) + TRUST * bool(authority)
        if self.xmpp:
            text += XMPP + XMPP_TRUST * bool(self.xmpp_authority)
        self.stdout.write(
            (text + DEMO * settings.FINESSE_DEMO).format(
                url=self.url,
                also=self.urls[-1],
                password=settings.FINESSE_DEMO_PASSWORD,
                authority=authority,
                trust=f" --cacert {authority}" if authority else "",
                host=self.name,
                domain=domain(),
                pubsub_domain=pubsub_domain(),
                xmpp_port=settings.FINESSE_XMPP_PORT,
                xmpp_secure_port=settings.FINESSE_XMPP_SECURE_PORT,
                xmpp_authority=self.xmpp_authority and from_here(self.xmpp_authority),
            )
        )
        self.stdout.flush()


def name_of(host: str) -> str:
    """What whoever listens on `host` is asked for by, as a URL has it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return settings.FINESSE_HOST or "localhost"
    return f"[{address}]" if address.version == 6 else str(address)


def from_here(path: Path) -> str:
    """Short where it can be, and as a shell started here understands it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


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
            f"Is another server running there? Choose another port: PORT={port + 1}"
        ) from None
