"""The certificate that the server shows: the operator's, or one that the installation makes."""

import asyncio
import logging
import ssl
from pathlib import Path

from django.conf import settings

from finesse.tls.own_certificate import CertificateFiles, make_or_renew

logger = logging.getLogger(__name__)

DAY_SECONDS = 24 * 3600


def certificate_files(host: str = "") -> CertificateFiles:
    """The files that the settings name; without these the installation's own.

    The installation's own are valid for `host`, which is what the server listens on, and for all
    names in the settings. Raises OSError and ValueError as `make_or_renew` does.
    """
    if settings.FINESSE_TLS_CERTIFICATE and settings.FINESSE_TLS_KEY:
        certificate, key = settings.FINESSE_TLS_CERTIFICATE, settings.FINESSE_TLS_KEY
        return CertificateFiles(Path(certificate), Path(key), authority=None)
    hosts = [host, settings.FINESSE_HOST, settings.FINESSE_XMPP_DOMAIN, *_allowed_hosts()]
    return make_or_renew(settings.FINESSE_DATA_DIR / "tls", hosts)


def _allowed_hosts() -> list[str]:
    """ALLOWED_HOSTS as certificates have it: Django writes `.name` for `*.name`."""
    names = (name for name in settings.ALLOWED_HOSTS if name != "*")
    return [f"*{name}" if name.startswith(".") else name for name in names]


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """How the server speaks TLS. Raises OSError (ssl.SSLError is one) for files that do not fit."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_into(context, files)
    return context


async def reload_regularly(
    context: ssl.SSLContext, host: str, *, interval_seconds: float = DAY_SECONDS
) -> None:
    """Let the serving context show renewed files: a server may run longer than they are valid."""
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            files = await asyncio.to_thread(certificate_files, host)
            # Files that do not fit would spoil the context that serves, so try them first.
            server_context(files)
            _load_into(context, files)
        except (OSError, ValueError):
            logger.exception("The certificate cannot be read anew; the former one is shown")


def _load_into(context: ssl.SSLContext, files: CertificateFiles) -> None:
    # With an empty password, as otherwise OpenSSL would ask for one at the terminal.
    context.load_cert_chain(files.certificate, files.key, password="")
