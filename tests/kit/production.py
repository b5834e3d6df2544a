"""The service as `production start` runs it, with nginx or HAProxy before it."""

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from finesse.production.files import Ports, Site, haproxy, nginx
from finesse.production.supervision import RUNNING, NotRunningError, State, Supervisor
from finesse.tls.own_certificate import make_or_renew
from tests.kit.installation import TIMEOUT_SECONDS, Installation, free_port

START_SECONDS = 300
"""Eight processes load the service at once, on a machine that has other work."""
END_SECONDS = 90
PROSODY = shutil.which("prosody")
SBIN = f"{os.environ['PATH']}:/usr/sbin"
NGINX = shutil.which("nginx", path=SBIN)
HAPROXY = shutil.which("haproxy", path=SBIN)


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy before the service is reached, by TLS."""

    ports: tuple[int, int]
    trust: ssl.SSLContext
    """What its clients need to trust its certificate."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.ports[0]}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, timeout=TIMEOUT_SECONDS)


class Production(Installation):
    """Two processes of each kind, one for sockets and one for Prosody, on real services."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, xmpp=True)
        self.sockets_port = free_port()
        self.environment |= {
            "SECRET_KEY": "of-this-production-only-with-more-than-40-characters",
            "FINESSE_WEB_PORT": str(self.port),
            "FINESSE_SOCKETS_PORT": str(self.sockets_port),
            "FINESSE_WEB_PROCESSES": "2",
            "FINESSE_SOCKETS_PROCESSES": "1",
            "ALLOWED_HOSTS": "localhost",
            "BEHIND_TLS_PROXY": "1",
        }
        self.supervisor = Supervisor(folder.resolve() / "production")

    def start(self) -> None:
        """All processes; return when each of them works."""
        if not self.prepared:
            self.prepare()
        self.start_xmpp_server()
        self._start("production", [sys.executable, "manage.py", "production", "start"])
        self.until_all_work()
        self.await_status(200)

    def until_all_work(self) -> list[State]:
        """Ask until each process has said that it works."""
        deadline = time.monotonic() + START_SECONDS
        states: list[State] = []
        while time.monotonic() < deadline:
            with contextlib.suppress(NotRunningError):
                states = self.states()
                if all(one.works and one.state == RUNNING for one in states):
                    return states
            time.sleep(0.2)
        raise AssertionError(f"{states}\n{self.logs()}")

    def states(self) -> list[State]:
        return self.supervisor.states()

    def end(self) -> None:
        """supervisord first, which ends its processes: if it were killed, they would go on."""
        if (process := self.processes.get("production")) and process.poll() is None:
            process.terminate()
            process.wait(END_SECONDS)
        super().end()

    def start_nginx(self) -> Proxy:
        """With TLS on two ports, by the file that the definition makes."""
        assert NGINX
        site, proxy = self._site(plain=0)
        (self.folder / "finesse.conf").write_text(nginx(site))
        temporary = "".join(
            f"{name}_temp_path {self.folder}/{name};\n"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(
            f"{user}daemon off;\npid {self.folder}/nginx.pid;\nworker_processes 1;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}"
            f"include {self.folder}/finesse.conf;\n}}\n"
        )
        self._start("nginx", [NGINX, "-e", "stderr", "-c", str(self.folder / "nginx.conf")])
        return proxy

    def start_haproxy(self) -> Proxy:
        """The same, by HAProxy."""
        assert HAPROXY
        site, proxy = self._site(plain=free_port())
        Path(site.both).write_text(Path(site.certificate).read_text() + Path(site.key).read_text())
        (self.folder / "haproxy.cfg").write_text(haproxy(site))
        self._start("haproxy", [HAPROXY, "-db", "-f", str(self.folder / "haproxy.cfg")])
        return proxy

    def _site(self, *, plain: int) -> tuple[Site, Proxy]:
        pair = make_or_renew(self.folder / "tls", ["localhost"])
        ports = (free_port(), free_port())
        site = Site(
            host="localhost",
            certificate=str(pair.certificate),
            key=str(pair.key),
            both=str(self.folder / "tls" / "both.pem"),
            ports=Ports(plain=plain, secure=ports),
            web_port=self.port,
            sockets_port=self.sockets_port,
        )
        authority = str(self.folder / "tls" / "authority.pem")
        return site, Proxy(ports, ssl.create_default_context(cafile=authority))

    def command(self, action: str) -> "subprocess.CompletedProcess[str]":
        """What `production` says, and its status."""
        return subprocess.run(
            [sys.executable, "manage.py", "production", action],
            cwd=self.code,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )

    def logs(self) -> str:
        own = sorted((self.folder / "production").rglob("*.log"))
        return super().logs() + "\n".join(path.read_text() for path in own)
