"""The certificate that this installation makes for itself, in one folder.

The folder holds an authority, which is made once so that clients need to trust it only once, and
the server's certificate, which is renewed under that authority.
"""

import fcntl
import ipaddress
import logging
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from finesse.private_files import PUBLIC_FILE, make_empty_file, make_folder, replace_file
from finesse.tls.authority import Authority, Host, Key, hosts_of, make_authority, sign

logger = logging.getLogger(__name__)

OWN_NAMES = ("localhost", "127.0.0.1", "::1")
RENEW_DAYS = 90
"""How long before its end a certificate is replaced."""


class CertificateFiles(NamedTuple):
    """Files in PEM."""

    certificate: Path
    """The server's, followed by those between it and its authority."""
    key: Path
    authority: Path | None
    """What clients have to trust. None: the operator's certificate, which they trust already."""


def make_or_renew(
    folder: Path, hosts: Sequence[str], *, now: datetime | None = None
) -> CertificateFiles:
    """The certificate for `hosts` and this machine's own names, made or renewed if need be.

    `hosts` are names, `*.names` and addresses; unspecified addresses (`0.0.0.0`) are left out. A
    host that the authority may not sign for makes a new authority, which clients have to trust
    anew. Several processes may call this at once. Raises OSError if the folder cannot be written,
    ValueError for a host that no certificate can name.
    """
    now = now or datetime.now(UTC)
    wanted = parse_hosts([*OWN_NAMES, socket.gethostname(), *hosts])
    files = CertificateFiles(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    make_folder(folder)
    with _locked(folder):
        authority = _load_or_make_authority(folder, wanted, now)
        # The key stays, so that certificate and key belong together at every moment.
        key = load_key(files.key) or _make_key(files.key)
        if not _is_still_good(_load_certificate(files.certificate), authority, key, wanted, now):
            replace_file(files.certificate, to_pem(sign(authority, key, wanted, now)), PUBLIC_FILE)
    return files


def parse_hosts(texts: Iterable[str]) -> set[Host]:
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


def load_key(path: Path) -> Key | None:
    """None if there is no file, or none with a key of the kind that is made here."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return key if isinstance(key, Key) else None


def to_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _load_or_make_authority(folder: Path, hosts: set[Host], now: datetime) -> Authority:
    path, key_file = folder / "authority.pem", folder / "authority.key"
    certificate, key = _load_certificate(path), load_key(key_file)
    if certificate and key:
        kept = Authority(certificate, key)
        if kept.may_sign(hosts, now):
            return kept
        logger.warning("%s becomes a new authority: let your clients trust it anew", path)
    # A key and a name of its own: clients must not take it for the one that they trust already.
    common_name = f"Finesse Media {now:%Y-%m-%d %H:%M:%S} on {socket.gethostname()}"
    made = make_authority(_make_key(key_file), common_name, hosts, now)
    replace_file(path, to_pem(made.certificate), PUBLIC_FILE)
    return made


def _is_still_good(
    certificate: x509.Certificate | None,
    authority: Authority,
    key: Key,
    wanted: set[Host],
    now: datetime,
) -> bool:
    return (
        certificate is not None
        and authority.has_signed(certificate)
        and certificate.public_key() == key.public_key()
        # One that was made while the clock was ahead would be refused until then.
        and certificate.not_valid_before_utc <= now
        and certificate.not_valid_after_utc > now + timedelta(days=RENEW_DAYS)
        and wanted <= hosts_of(certificate)
    )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two processes that start together must not each make an authority."""
    path = folder / "lock"
    make_empty_file(path)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load_certificate(path: Path) -> x509.Certificate | None:
    """None if there is no file, or none with a certificate."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _make_key(path: Path) -> Key:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    replace_file(path, pem)
    return key
