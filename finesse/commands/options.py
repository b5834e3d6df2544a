"""What `manage.py run` is asked to do."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PORT = 8000
SECURE_PORT = 8445
"""Finesse's own port of HTTPS [Change Agent State]."""
NOTIFICATION_PORT = 7443
"""Where Finesse's clients look for wss://<host>:7443/ws and …/http-bind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    host: str
    """The address or name to listen on."""
    port: int
    tls: bool
    notification_port: int
    """With TLS, a second port that serves the same; 0: none."""
    xmpp: bool
    """Run Prosody beside the server."""

    @property
    def wants_notification_port(self) -> bool:
        return self.tls and self.notification_port not in (0, self.port)


def add_arguments(parser: ArgumentParser) -> None:
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


def options_of(arguments: Mapping[str, Any]) -> RunOptions:
    port = arguments["port"]
    if port is None:
        port = SECURE_PORT if arguments["tls"] else PORT
    return RunOptions(
        host=arguments["host"],
        port=port,
        tls=arguments["tls"],
        notification_port=arguments["notification_port"],
        xmpp=arguments["xmpp"],
    )
