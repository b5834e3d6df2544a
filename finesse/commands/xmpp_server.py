"""Prosody beside the server, for `manage.py run --xmpp`."""

import functools
import socket
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import CommandError

from finesse.commands.listening import name_in_urls, reachable_address
from finesse.private_files import read_or_make_secret
from finesse.tls.certificate import certificate_files
from finesse.xmpp.component import run_component
from finesse.xmpp.prosody import child_process
from finesse.xmpp.prosody.configuration import BOSH_URL, Configuration


class XMPPServer(NamedTuple):
    configuration: Configuration
    authority: Path | None
    """What clients have to trust; None where the operator's certificate is shown."""


def prepare(host: str, scheme: str, listener: socket.socket) -> XMPPServer:
    """See that Prosody can be run. Raises CommandError with what is in its way."""
    try:
        server = _configure(host, scheme, listener)
        taken = child_process.taken(server.configuration)
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
    return server


def _configure(host: str, scheme: str, listener: socket.socket) -> XMPPServer:
    # Two that run at once must not read each other's configuration when they read it anew.
    folder = settings.FINESSE_DATA_DIR / ("demo-xmpp" if settings.FINESSE_DEMO else "xmpp")
    files = certificate_files(host)
    settings.FINESSE_XMPP_SECRET = settings.FINESSE_XMPP_SECRET or read_or_make_secret(
        folder / "secret"
    )
    settings.FINESSE_XMPP_BOSH_URL = settings.FINESSE_XMPP_BOSH_URL or BOSH_URL
    address, port = reachable_address(listener)
    listens_on = listener.getsockname()[0]
    configuration = Configuration(
        certificate=files.certificate,
        key=files.key,
        password_url=f"{scheme}://{name_in_urls(address)}:{port}/finesse/xmpp/password",
        interfaces=["*" if listens_on == "0.0.0.0" else listens_on],
        folder=folder,
    )
    return XMPPServer(configuration, files.authority)


async def keep_prosody_running(server: XMPPServer, host: str) -> None:
    renew = functools.partial(certificate_files, host)
    await child_process.keep_running(server.configuration, renew)


async def run_pubsub() -> None:
    """Be the publish-subscribe component of the Prosody that runs beside this server."""
    await child_process.listening()
    await run_component()
