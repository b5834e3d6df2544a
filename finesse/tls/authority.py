"""A certificate authority for one machine: what it is, and what it signs. No files, no clock.

It may sign certificates of servers only, for the hosts that it was made for and for private
addresses. A thief of its key cannot pretend to be any other site to clients that trust it.
"""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Host = str | IPv4Address | IPv6Address
"""A name, `*.name` for all names below it, or an address."""
Key = ec.EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 390
"""Browsers refuse certificates that are valid for more than 398 days."""

CLOCK_TOLERANCE = timedelta(days=1)
"""How far the clock of a client may be behind."""

LONGEST_COMMON_NAME = 64
"""Characters [RFC 5280, appendix A.1]."""

PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
)
"""The authority may always sign for these: addresses change, trust should not."""

SERVERS_ONLY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


class Authority(NamedTuple):
    certificate: x509.Certificate
    key: Key

    def may_sign(self, hosts: Iterable[Host], now: datetime) -> bool:
        """Whether a certificate for `hosts`, signed now, would be good until its end."""
        try:
            extensions = self.certificate.extensions
            constraints = extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return False
        trees = constraints.permitted_subtrees or []
        return (
            self.certificate.public_key() == self.key.public_key()
            and self.certificate.not_valid_before_utc <= now
            and self.certificate.not_valid_after_utc > now + timedelta(days=CERTIFICATE_DAYS)
            and all(_is_permitted(host, trees) for host in hosts)
        )

    def has_signed(self, certificate: x509.Certificate) -> bool:
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, TypeError, ValueError):
            return False
        return True


def make_authority(key: Key, common_name: str, hosts: Iterable[Host], now: datetime) -> Authority:
    """`common_name` is what people read in their browser's list of authorities."""
    name = _name(common_name[:LONGEST_COMMON_NAME])
    certificate = (
        _builder(key, name, now, AUTHORITY_DAYS)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(SERVERS_ONLY, critical=False)
        .add_extension(x509.NameConstraints(_permitted_subtrees(hosts), None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def sign(authority: Authority, key: Key, hosts: Iterable[Host], now: datetime) -> x509.Certificate:
    """The certificate of a server that holds `key` and that clients reach as any of `hosts`."""
    return (
        _builder(key, _name("Finesse Media"), now, CERTIFICATE_DAYS)
        .issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(SERVERS_ONLY, critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host)
                    for host in sorted(hosts, key=str)
                ]
            ),
            critical=False,
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )


def hosts_of(certificate: x509.Certificate) -> set[Host]:
    """The names and addresses for which a certificate is valid."""
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found: set[Host] = set(names.get_values_for_type(x509.DNSName))
    for address in names.get_values_for_type(x509.IPAddress):
        found.add(ipaddress.ip_address(str(address)))
    return found


def _permitted_subtrees(hosts: Iterable[Host]) -> list[x509.GeneralName]:
    trees: list[x509.GeneralName] = [x509.IPAddress(network) for network in PRIVATE_NETWORKS]
    for host in sorted(hosts, key=str):
        if _is_permitted(host, trees):
            continue
        if isinstance(host, str):
            trees.append(x509.DNSName(host.removeprefix("*.")))
        else:
            trees.append(x509.IPAddress(ipaddress.ip_network(host)))
    return trees


def _is_permitted(host: Host, trees: Iterable[x509.GeneralName]) -> bool:
    """As clients decide it: a domain permits all names below it [RFC 5280, 4.2.1.10]."""
    for tree in trees:
        if isinstance(tree, x509.DNSName):
            if isinstance(host, str) and f".{host}".endswith(f".{tree.value}"):
                return True
        elif not isinstance(host, str) and host in ipaddress.ip_network(str(tree.value)):
            return True
    return False


def _builder(key: Key, name: x509.Name, now: datetime, days: int) -> x509.CertificateBuilder:
    begin = now - CLOCK_TOLERANCE
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
