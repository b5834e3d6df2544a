"""`manage.py run`: the whole service in one process, with nothing to install beside it."""

import asyncio
import contextlib
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from finesse import heartbeat
from finesse.commands import options, xmpp_server
from finesse.commands.banner import Served, banner
from finesse.commands.encryption import speak_tls
from finesse.commands.listening import listen, name_in_urls
from finesse.commands.options import RunOptions
from finesse.commands.serving import serve
from finesse.loopback import is_loopback_host

START_TIMEOUT_SECONDS = 30
"""Time within which worker and notifications have to be seen to work."""
START_POLL_SECONDS = 0.05


class Command(BaseCommand):
    help = "Serve API, admin, viewer and sockets, with a Celery worker and beat in threads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        options.add_arguments(parser)

    def handle(self, *args: Any, **arguments: Any) -> None:
        self._run(options.options_of(arguments))
        self.stdout.write("Stopped. Everything accepted is kept and continues at the next start.")

    def _run(self, run: RunOptions) -> None:
        _refuse_demo_for_others(run.host)
        name = name_in_urls(run.host)
        settings.ALLOWED_HOSTS.append(name)
        listeners = [listen(run.host, run.port)]
        encryption = speak_tls(run.host) if run.tls else None
        if run.wants_notification_port:
            listeners += self._listen_for_notifications(run)
        scheme = "https" if run.tls else "http"
        xmpp = xmpp_server.prepare(run.host, scheme, listeners[0]) if run.xmpp else None
        served = Served(
            name=name,
            urls=[f"{scheme}://{name}:{one.getsockname()[1]}" for one in listeners],
            authority=encryption and encryption.authority,
            xmpp=run.xmpp,
            xmpp_authority=xmpp and xmpp.authority,
        )
        # The server raises a signal again when it has shut down. As an interrupt it lets the
        # worker finish, too, where the signal itself would end the process on the spot.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            greeting = self._greet(served)
            asyncio.run(
                serve(run.host, listeners, greeting=greeting, encryption=encryption, xmpp=xmpp)
            )

    def _listen_for_notifications(self, run: RunOptions) -> list[socket.socket]:
        port = run.notification_port
        try:
            return [listen(run.host, port)]
        except CommandError:
            self.stderr.write(
                f"Port {port} is taken: clients that look for wss://…:{port}/ws do not find it "
                "here. Everything else is served."
            )
            return []

    async def _greet(self, served: Served) -> None:
        """Print where everything is, once it is true that it works."""
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                while not heartbeat.in_service():
                    await asyncio.sleep(START_POLL_SECONDS)
        except TimeoutError:
            self.stderr.write(
                f"Not in service after {START_TIMEOUT_SECONDS} s; see {served.url}/healthz"
            )
        else:
            self.stdout.write(banner(served))
            self.stdout.flush()


def _refuse_demo_for_others(host: str) -> None:
    if settings.FINESSE_DEMO and not is_loopback_host(host):
        raise CommandError(
            f"The demo's passwords are public, so it does not listen on {host}. "
            "Leave HOST out, or run without the demo: "
            "`make run DEMO=0 HOST=… ` with SECRET_KEY and ALLOWED_HOSTS set."
        )
