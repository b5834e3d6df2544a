"""Decides whether a peer may send its password unencrypted."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings


def is_private(scope: Mapping[str, Any]) -> bool:
    """Whether nobody can listen to the socket: it is encrypted, here or by a proxy that says so, or
    it does not leave this machine. FINESSE_XMPP_ALLOW_CLEARTEXT allows all others."""
    if scope.get("scheme") == "wss" or settings.FINESSE_XMPP_ALLOW_CLEARTEXT:
        return True
    if settings.SECURE_PROXY_SSL_HEADER:
        return _forwarded(scope) == settings.SECURE_PROXY_SSL_HEADER[1]
    address = (scope.get("client") or ("", 0))[0]
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        # A UNIX socket has no address.
        return not address


def _forwarded(scope: Mapping[str, Any]) -> str:
    for name, value in scope["headers"]:
        if name == b"x-forwarded-proto":
            text: str = value.decode("latin-1")
            return text.strip()
    return ""
