"""The addresses on which `manage.py run` serves: the sockets, and their names in URLs."""

import ipaddress
import socket

from django.conf import settings
from django.core.management.base import CommandError

BACKLOG = 2048
"""Connections that may wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, taken before anything starts. Raises CommandError if it cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # asyncio does so by itself only for sockets that name their protocol, and this one does
        # not: on a kept connection, an answer with a body would wait 40 ms for the client's word.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            f"Is another server running there? Choose another port: PORT={port + 1}"
        ) from None


def name_in_urls(host: str) -> str:
    """The name or address by which clients reach a server that listens on `host`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return settings.FINESSE_HOST or "localhost"
    return f"[{address}]" if address.version == 6 else str(address)


def reachable_address(listener: socket.socket) -> tuple[str, int]:
    """Address and port at which this machine itself reaches the listener."""
    address, port, *_ = listener.getsockname()
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address), port
