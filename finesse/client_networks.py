"""Where a client comes from, for bounds on what one place may take and for the lock-out."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ORIGINS_REMEMBERED = 10_000
"""In one process. Clients come from the same places again and again, and reading an address took a
twelfth of a GET."""
LONGEST_REMEMBERED = 200
"""Characters of X-Forwarded-For: anybody can write more."""


def origin_of(address: str) -> str:
    """What one party is likely to have whole: an IPv4 address, or a network of IPv6."""
    found = _parsed(address)
    if found is None:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def origin_of_request(meta: Mapping[str, Any]) -> str:
    """The origin of an HTTP request, by its `META`; empty where it has no address."""
    return _origin(meta.get("REMOTE_ADDR") or "", meta.get("HTTP_X_FORWARDED_FOR") or "")


def origin_of_scope(scope: Mapping[str, Any]) -> str:
    """The origin of a socket, by its ASGI scope."""
    return _origin(*_hops_of(scope))


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The address of a client itself, by its ASGI scope; empty where it has none."""
    return _find_address(*_hops_of(scope), tuple(settings.FINESSE_TRUSTED_PROXIES))


def _hops_of(scope: Mapping[str, Any]) -> tuple[str, str]:
    """The peer's address, and what proxies have written of those before it."""
    forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    peer: str = (scope.get("client") or ("", 0))[0]
    return peer, b",".join(forwarded).decode("latin-1")


def _origin(peer: str, forwarded_for: str) -> str:
    """The nearest address that is no trusted proxy's: what stands before it, anybody can write."""
    trusted = tuple(settings.FINESSE_TRUSTED_PROXIES)
    if len(forwarded_for) > LONGEST_REMEMBERED:
        return _find_origin(peer, forwarded_for, trusted)
    return _remembered_origin(peer, forwarded_for, trusted)


def _find_origin(peer: str, forwarded_for: str, proxies: tuple[str, ...]) -> str:
    address = _find_address(peer, forwarded_for, proxies)
    return origin_of(address) if address else ""


def _find_address(peer: str, forwarded_for: str, proxies: tuple[str, ...]) -> str:
    trusted = _networks(proxies)
    address = peer
    for hop in reversed(forwarded_for.split(",")):
        if not _is_among(trusted, address) or not (hop := hop.strip()):
            break
        address = hop
    found = _parsed(address)
    return str(found) if found else ""


_remembered_origin = lru_cache(maxsize=ORIGINS_REMEMBERED)(_find_origin)


def _is_among(trusted: tuple[_Network, ...], address: str) -> bool:
    if not address:
        # A proxy on this machine may come by a UNIX socket, which has no address.
        return bool(trusted)
    found = _parsed(address)
    return found is not None and any(found in network for network in trusted)


def _parsed(address: str) -> "_Address | None":
    try:
        return ipaddress.ip_address(_without_port(address))
    except ValueError:
        return None


def _without_port(address: str) -> str:
    """Some proxies write a port beside the address: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return address if ":" in port else host


@lru_cache(maxsize=1)
def _networks(texts: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
