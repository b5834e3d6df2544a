"""The files of deploy/, made of the table of processes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine

from finesse.production import commands, containers
from finesse.production.processes import PROCESSES, SOCKETS, WEB, Process

MADE = "Made by `manage.py deploy_files` from finesse/production/. Do not edit it: make it anew."
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where a proxy listens."""

    plain: int = 80
    """Leads to TLS; 0: not at all."""
    secure: tuple[int, ...] = (443, 8445, 7443)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What an operator has to say."""

    host: str = "finesse.example.com"
    certificate: str = "/etc/finesse-media/fullchain.pem"
    key: str = "/etc/finesse-media/privkey.pem"
    both: str = "/etc/finesse-media/both.pem"
    """Certificate and key in one file, for HAProxy."""
    machines: tuple[str, ...] = (LOOPBACK,)
    """Addresses of the machines with web and sockets."""
    ports: Ports = field(default_factory=Ports)
    web_port: int = WEB.port
    sockets_port: int = SOCKETS.port


def made(site: Site) -> dict[str, str]:
    """All files, by their path below deploy/."""
    files = {
        "supervisord.conf": _supervisor(),
        "nginx/finesse.conf": nginx(site),
        "haproxy/haproxy.cfg": haproxy(site),
        "Containerfile": _render("Containerfile", processes=_rows(_as_they_are)),
        "compose.yaml": containers.compose(MADE),
        "kubernetes.yaml": containers.kubernetes(MADE, site.host),
        "systemd/finesse-media.target": _render("target", units=" ".join(_units())),
    }
    for process in PROCESSES:
        files[f"systemd/finesse-{process.name}@.service"] = _service(process)
        if process.port:
            files[f"systemd/finesse-{process.name}.socket"] = _render("socket", process=process)
    return files


def nginx(site: Site) -> str:
    """What nginx has to know, without its main file."""
    return _render("nginx.conf", **_proxied(site), certificate=site.certificate, key=site.key)


def haproxy(site: Site) -> str:
    """The whole configuration of HAProxy."""
    return _render("haproxy.cfg", **_proxied(site), certificate=site.both)


def _proxied(site: Site) -> dict[str, Any]:
    return {
        "host": site.host,
        "ports": site.ports,
        "web": [f"{machine}:{site.web_port}" for machine in site.machines],
        "sockets": [f"{machine}:{site.sockets_port}" for machine in site.machines],
        # Of one machine nothing else could be asked. nginx counts PUT among what may be sent twice.
        "next": "off",
    }


def _supervisor() -> str:
    """Its placeholders are those of supervisord, which writes a percent sign twice."""
    values = {
        "instance": "%(ENV_FINESSE_INSTANCE)s",
        "number": "%(process_num)d",
        "host": "%(ENV_FINESSE_MACHINE)s",
    }

    def command(process: Process) -> str:
        return " ".join(commands.filled(commands.with_socket(process, 0), values))

    return _render("supervisord.conf", processes=_rows(command))


def _service(process: Process) -> str:
    """systemd's placeholders: the instance's name, and the machine's."""
    values = {"instance": "finesse", "number": "%i", "host": "%H"}
    command = commands.line(commands.with_socket(process, 3), values)
    return _render("service", process=process, command=command)


def _units() -> list[str]:
    """What the target starts. The component is enabled by itself."""
    return [
        f"finesse-{process.name}@{number}.service"
        for process in PROCESSES
        if not process.is_optional
        for number in (1, 2)
    ]


def _as_they_are(process: Process) -> str:
    return " ".join(process.command)


def _rows(command: Callable[[Process], str]) -> list[dict[str, Any]]:
    return [{"process": process, "command": command(process)} for process in PROCESSES]


@cache
def _engine() -> Engine:
    return Engine(
        dirs=[str(settings.FINESSE_FILES_DIR / "templates" / "production")], autoescape=False
    )


def _render(template: str, **context: Any) -> str:
    found = _engine().get_template(template)
    return found.render(Context({"made": MADE, **context}, autoescape=False)).rstrip() + "\n"
