"""Whether a request comes from this machine itself, and not through a proxy on it."""

from collections.abc import Iterable, Mapping
from typing import Any

from finesse.loopback import is_loopback_address, is_loopback_host

FORWARDING_HEADERS = frozenset({"forwarded", "via", "x-real-ip"})
FORWARDING_PREFIX = "x-forwarded-"


def is_local_request(peer: str, headers: Iterable[tuple[str, str]]) -> bool:
    """Whether the peer has a loopback address, names this machine as `Host`, and forwards nothing.

    `headers` are names in small letters, and values. A proxy on this machine has a loopback address
    and may serve everybody; one that adds no header shows by the host that its clients ask for.
    """
    return is_loopback_address(peer) and all(
        is_loopback_host(_without_port(value)) if name == "host" else not _is_forwarding(name)
        for name, value in headers
    )


def wsgi_headers(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of a request by its WSGI environment, or by Django's `META`."""
    return [
        (name.removeprefix("HTTP_").replace("_", "-").lower(), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]


def _without_port(host: str) -> str:
    host = host.strip()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _is_forwarding(name: str) -> bool:
    return name in FORWARDING_HEADERS or name.startswith(FORWARDING_PREFIX)
