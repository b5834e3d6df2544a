"""Prosody's configuration, made from the settings."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.template.loader import render_to_string

from finesse.xmpp.addresses import domain, pubsub_domain

MODULES = settings.FINESSE_FILES_DIR / "deploy" / "prosody"
BOSH_URL = "http://127.0.0.1:5280/http-bind"
"""Prosody's address for BOSH, unless FINESSE_XMPP_BOSH_URL names another one."""

_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The parts of Prosody's configuration that are not in this service's settings."""

    certificate: Path
    key: Path
    password_url: str
    """Where Prosody has passwords checked."""
    interfaces: Sequence[str] = ("*", "::")
    """Addresses of this machine that clients connect to; the default is all of them."""
    modules: Path = MODULES
    users_may_talk: bool = False
    folder: Path | None = None
    """Data folder of a child process; None if the operator runs Prosody."""

    def render(self) -> str:
        """The text of the file. Raises ValueError for a setting that cannot be used."""
        component_host, component_port = component_address()
        bosh_host, bosh_port = bosh_address()
        values: dict[str, object] = {
            "domain": domain(),
            "pubsub_domain": pubsub_domain(),
            "secret": settings.FINESSE_XMPP_SECRET,
            "certificate": self.certificate.absolute(),
            "key": self.key.absolute(),
            # Prosody searches this folder by itself, and logs an error if it finds no certificate.
            "certificate_folder": self.certificate.absolute().parent,
            "password_url": self.password_url,
            # A child asks its parent process, on this machine.
            "trust_password_url": self.folder is not None,
            "interfaces": list(self.interfaces),
            "port": settings.FINESSE_XMPP_PORT,
            "secure_port": settings.FINESSE_XMPP_SECURE_PORT,
            "component_host": component_host,
            "component_port": component_port,
            "bosh_host": bosh_host,
            "bosh_port": bosh_port,
            "modules": [self.modules.absolute()],
            "users_may_talk": self.users_may_talk,
            "allow_cleartext": settings.FINESSE_XMPP_ALLOW_CLEARTEXT,
            "connections_per_user": settings.FINESSE_XMPP_CONNECTIONS_PER_USER,
            "strangers_per_address": settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS,
            "patience": settings.FINESSE_HEARTBEAT_SECONDS,
        }
        if self.folder is not None:
            values["folder"] = self.folder.absolute()
        literals = {name: lua(value) for name, value in values.items()}
        return render_to_string("xmpp/prosody.cfg.lua", literals)

    def listens_at(self) -> list[tuple[str, int]]:
        """The addresses and ports that it listens on. Raises ValueError as `render` does."""
        ports = (settings.FINESSE_XMPP_PORT, settings.FINESSE_XMPP_SECURE_PORT)
        public = [(interface, port) for interface in self.interfaces for port in ports]
        return [*public, component_address(), bosh_address()]


def component_address() -> tuple[str, int]:
    """Host and port for components. Raises ValueError."""
    return _address("FINESSE_XMPP_COMPONENT", f"//{settings.FINESSE_XMPP_COMPONENT}")


def bosh_address() -> tuple[str, int]:
    """Host and port for BOSH. Raises ValueError."""
    return _address("FINESSE_XMPP_BOSH_URL", settings.FINESSE_XMPP_BOSH_URL or BOSH_URL)


def _address(name: str, url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        raise ValueError(f"{name} must name a host and a port")
    return parts.hostname, parts.port


def lua(value: object) -> str:
    """The value as a Lua literal."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case list():
            return "{ " + ", ".join(map(lua, value)) + " }"
    return '"' + _SPECIAL.sub(lambda match: f"\\{ord(match[0]):03}", str(value)) + '"'
