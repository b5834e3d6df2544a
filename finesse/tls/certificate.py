"""The certificate that this installation shows: the operator's, or one that it makes itself.

What it makes lies in one folder: an authority, made once, so that those who trust it do so for
good, and the server's certificate, which is renewed under it.
"""

import asyncio
import fcntl
import ipaddress
import logging
import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from finesse.private_files import PUBLIC, write
from finesse.tls.authority import Authority, Host, Key, hosts_of, make_authority, sign

logger = logging.getLogger(__name__)

OWN_NAMES = ("localhost", "127.0.0.1", "::1")
RENEW_DAYS = 90
"""How long before its end a certificate is replaced."""
DAY = 24 * 3600


class Pair(NamedTuple):
    """Files in PEM: what a server shows, its key, and what clients have to trust."""

    certificate: Path
    key: Path
    authority: Path | None
    """None: the operator's; clients know whom to trust."""


def chosen(host: str = "") -> Pair:
    """The certificate of this installation, which is asked for by `host` and what settings name.

    Raises OSError and ValueError as `files` does.
    """
    if settings.FINESSE_TLS_CERTIFICATE and settings.FINESSE_TLS_KEY:
        certificate, key = settings.FINESSE_TLS_CERTIFICATE, settings.FINESSE_TLS_KEY
        return Pair(Path(certificate), Path(key), None)
    # Django's notation for a name with all names below it is a leading dot.
    served = [f"*{name}" if name.startswith(".") else name for name in settings.ALLOWED_HOSTS]
    named = [host, settings.FINESSE_HOST, settings.FINESSE_XMPP_DOMAIN]
    return files(settings.FINESSE_DATA_DIR / "tls", [*named, *(n for n in served if n != "*")])


def files(folder: Path, hosts: Sequence[str], *, now: datetime | None = None) -> Pair:
    """The certificate for `hosts` and this machine's own names, made or renewed if need be.

    `hosts` are names, `*.names` and addresses; those that stand for every address are left out.
    A host that the authority may not speak for makes a new one, which has to be trusted anew.
    Several processes may ask at once. Raises OSError if the folder cannot be written, ValueError
    for a host that no certificate can name.
    """
    now = now or datetime.now(UTC)
    wanted = _read_hosts([*OWN_NAMES, socket.gethostname(), *hosts])
    certificate, key_file = folder / "server.pem", folder / "server.key"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        authority = _authority(folder, wanted, now)
        # The key stays, so that certificate and key belong together at every moment.
        key = _load_key(key_file) or _make_key(key_file)
        if not _serves(_load(certificate), authority, key, wanted, now):
            write(certificate, _pem(sign(authority, key, wanted, now)), PUBLIC)
    return Pair(certificate, key_file, folder / "authority.pem")


def context(pair: Pair) -> ssl.SSLContext:
    """How the server speaks TLS. Raises OSError (ssl.SSLError is one) for files that do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(made, pair)
    return made


async def keep_fresh(serving: ssl.SSLContext, host: str, *, every: float = DAY) -> None:
    """Show new connections what the files say by now: a server may outlive its certificate."""
    while True:
        await asyncio.sleep(every)
        try:
            pair = await asyncio.to_thread(chosen, host)
            # Files that do not fit would spoil the context that serves; so they are tried first.
            context(pair)
            _show(serving, pair)
        except (OSError, ValueError):
            logger.exception("The certificate cannot be read anew; the former one is shown")


def _show(context: ssl.SSLContext, pair: Pair) -> None:
    # With an empty password, as otherwise OpenSSL would ask for one at the terminal.
    context.load_cert_chain(pair.certificate, pair.key, password="")


# --- What stands in the folder ------------------------------------------------------------------


def _read_hosts(texts: Iterable[str]) -> set[Host]:
    hosts: set[Host] = set()
    for text in filter(None, texts):
        try:
            address = ipaddress.ip_address(text.strip("[]"))
        except ValueError:
            hosts.add(text.lower().encode("idna").decode())
        else:
            if not address.is_unspecified:
                hosts.add(address)
    return hosts


def _authority(folder: Path, hosts: set[Host], now: datetime) -> Authority:
    path, key_file = folder / "authority.pem", folder / "authority.key"
    certificate, key = _load(path), _load_key(key_file)
    if certificate and key:
        kept = Authority(certificate, key)
        if kept.may_sign(hosts, now):
            return kept
        logger.warning("%s becomes a new authority: let your clients trust it anew", path)
    # A key and a name of its own: it must not look like one that clients know already.
    called = f"Finesse Media {now:%Y-%m-%d %H:%M:%S} on {socket.gethostname()}"
    made = make_authority(_make_key(key_file), called, hosts, now)
    write(path, _pem(made.certificate), PUBLIC)
    return made


def _serves(
    certificate: x509.Certificate | None,
    authority: Authority,
    key: Key,
    hosts: set[Host],
    now: datetime,
) -> bool:
    return (
        certificate is not None
        and authority.has_signed(certificate)
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc > now + timedelta(days=RENEW_DAYS)
        and hosts <= hosts_of(certificate)
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two processes that start together must not each make an authority."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load(path: Path) -> x509.Certificate | None:
    """None if it is not there or is not a certificate."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _load_key(path: Path) -> Key | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return key if isinstance(key, Key) else None


def _make_key(path: Path) -> Key:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write(path, pem)
    return key


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
