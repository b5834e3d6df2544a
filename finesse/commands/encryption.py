"""TLS for `manage.py run --tls`."""

import ssl
from asyncio import sslproto
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import CommandError

from finesse.loopback import is_loopback_host
from finesse.server.protocols import TLSProtocol
from finesse.tls.certificate import certificate_files, server_context


class Encryption(NamedTuple):
    context: ssl.SSLContext
    authority: Path | None
    """What clients have to trust; None where the operator's certificate is shown."""


def speak_tls(host: str) -> Encryption:
    """Take the certificate and set this process to TLS alone. Raises CommandError."""
    try:
        files = certificate_files(host)
    except (OSError, ValueError) as error:
        raise CommandError(f"Cannot make a certificate: {error}") from None
    try:
        context = server_context(files)
    except OSError as error:
        raise CommandError(
            f"Cannot serve TLS with {files.certificate} and {files.key}: {error}. "
            "Both are PEM, the key without a password."
        ) from None
    sslproto.SSLProtocol = TLSProtocol  # type: ignore[misc]
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    # On one's own machine it would keep browsers from whatever else is served there.
    is_for_others = not (settings.FINESSE_DEMO or is_loopback_host(host))
    settings.SECURE_HSTS_SECONDS = settings.FINESSE_HSTS_SECONDS if is_for_others else 0
    return Encryption(context, files.authority)
