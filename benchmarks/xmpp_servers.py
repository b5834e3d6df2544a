"""The servers that are compared: our service on each of its XMPP paths, and a bare Prosody.

Each starts on free loopback ports with a folder of its own, and ends the processes that it started.
"""

import asyncio
import base64
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol
from xml.sax.saxutils import escape

from benchmarks.xmpp_load import ANSWER_TIMEOUT_SECONDS, Address, Crowd, Stream, sign_in

ROOT = Path(__file__).resolve().parent.parent
DOMAIN = "localhost"
PASSWORD = "finesse"
AGENT = "1234"
"""The demo's agent, READY in MRD 5001 at the start of the demo."""
TEAM = 1
"""The agent's team. All users of the crowd are its supervisors."""
PUBSUB = "http://jabber.org/protocol/pubsub"

NOT_READY = "<{0}><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></{0}>"
READY = "<{0}><state>READY</state></{0}>"
LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"

POPULATE = """
from django.contrib.auth.hashers import make_password
from finesse.users.models import Team, User
names, password = {names!r}, make_password({password!r})
User.objects.bulk_create(
    User(pk=name, first_name=name, password=password, is_supervisor=True) for name in names
)
Team.objects.get(pk={team}).supervisors.add(*names)
"""

PROSODY = """
data_path = "{folder}"
pidfile = "{folder}/prosody.pid"
run_as_root = true
modules_enabled = {{ "disco", "ping", "roster", "saslauth" }}
modules_disabled = {{ "s2s", "offline" }}
authentication = "insecure"
insecure_open_authentication = "Yes please, I know what I'm doing!"
allow_unencrypted_plain_auth = true
c2s_require_encryption = false
c2s_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{ }}
gc = {{ mode = "generational" }}
network_settings = {{ nagle = false, tcp_backlog = 1024 }}
certificates = "{folder}"
log = {{ warn = "*console" }}
VirtualHost "{domain}"
Component "pubsub.{domain}" "pubsub"
  admins = {{ "publisher@{domain}" }}
"""


class Contender(Protocol):
    """A server that can be made to send a notification to one client, or to many."""

    name: str
    address: Address

    async def start(self) -> None:
        """Start it, and wait until it accepts clients. Raises RuntimeError, TimeoutError."""
        ...

    async def subscribe(self, crowd: Crowd) -> None:
        """Subscribe the crowd to the notifications of `notify_all`."""
        ...

    async def notify_one(self, mark: str) -> None:
        """Cause one notification, which contains the mark, for the agent."""
        ...

    async def notify_all(self, mark: str) -> None:
        """Cause one notification, which contains the mark, for the whole crowd."""
        ...

    def pid(self) -> int:
        """The process whose memory is measured, with that of its children."""
        ...

    def log(self) -> str:
        """The end of its log."""
        ...

    def end(self) -> None: ...


class Process:
    """A server process with a folder for its data, ended by its id."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="xmpp-benchmark-"))
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], environment: dict[str, str]) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def pid(self) -> int:
        """Its process id. Raises RuntimeError, with the end of its log, if it is not running."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"The server is not running:\n{self.log()}")
        return self._process.pid

    def log(self) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / "log").read_text(errors="replace")[-3000:]
        return ""

    async def answers(self, address: Address) -> None:
        """Wait until it opens streams at the address. Raises RuntimeError, TimeoutError."""
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            while True:
                self.pid()
                with contextlib.suppress(OSError):
                    stream = await address.connect()
                    await stream.open(address.domain)
                    stream.close()
                    return
                await asyncio.sleep(0.05)

    def end(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Service(Process):
    """Our service as `manage.py run` starts it: with its own WebSocket, or with Prosody."""

    def __init__(self, *, with_prosody: bool, crowd: Sequence[str]) -> None:
        super().__init__()
        self.name = "service, Prosody" if with_prosody else "service, WebSocket"
        self._arguments = ["--xmpp"] if with_prosody else []
        self._crowd = list(crowd)
        client_port = free_port()
        self._api = Api(free_port())
        own = Address(self._api.port, DOMAIN, kind="websocket")
        self.address = Address(client_port, DOMAIN) if with_prosody else own
        self._changes = 0
        embedded = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith("FINESSE") and name not in embedded
            },
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "FINESSE_DEMO": "1",
            "FINESSE_DATA_DIR": str(self.folder),
            "FINESSE_XMPP_DOMAIN": DOMAIN,
            "FINESSE_XMPP_PORT": str(client_port),
            "FINESSE_XMPP_SECURE_PORT": str(free_port()),
            "FINESSE_XMPP_COMPONENT": f"127.0.0.1:{free_port()}",
            "FINESSE_XMPP_BOSH_URL": f"http://127.0.0.1:{free_port()}/http-bind",
            "SECRET_KEY": "for-this-benchmark-only",
        }

    async def start(self) -> None:
        await asyncio.to_thread(self._prepare)
        command = [sys.executable, "manage.py", "run", "--port", str(self._api.port)]
        self.run([*command, *self._arguments], self._environment)
        async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
            while not await self._api.is_in_service():
                self.pid()
                await asyncio.sleep(0.1)
        await self.answers(self.address)
        await self._api.put(f"User/{AGENT}", LOGIN, "sign-in")

    def _prepare(self) -> None:
        populate = POPULATE.format(names=self._crowd, password=PASSWORD, team=TEAM)
        commands = (["migrate", "--verbosity", "0"], ["demo"], ["shell", "-v", "0", "-c", populate])
        for command in commands:
            done = subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env=self._environment,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise RuntimeError(f"manage.py {command[0]} failed:\n{done.stderr[-3000:]}")

    async def subscribe(self, crowd: Crowd) -> None:
        await subscribe(crowd.members.items(), f"/finesse/api/Team/{TEAM}/Users")

    async def notify_one(self, mark: str) -> None:
        await self._api.put(f"User/{AGENT}/Media/5001", self._another("Media"), mark)

    async def notify_all(self, mark: str) -> None:
        await self._api.put(f"User/{AGENT}", self._another("User"), mark)

    def _another(self, element: str) -> str:
        """NOT_READY and READY in turns, so that each request is a change."""
        self._changes += 1
        return (NOT_READY if self._changes % 2 else READY).format(element)


class BareProsody(Process):
    """Prosody alone: its own pubsub publishes the notifications that our service would send."""

    name = "bare Prosody"
    _node_of_one = f"/finesse/api/User/{AGENT}/Media"
    _node_of_all = f"/finesse/api/Team/{TEAM}/Users"

    def __init__(self) -> None:
        super().__init__()
        self.address = Address(free_port(), DOMAIN)
        self._publisher: Stream | None = None

    async def start(self) -> None:
        configuration = self.folder / "prosody.cfg.lua"
        configuration.write_text(
            PROSODY.format(folder=self.folder, port=self.address.port, domain=DOMAIN)
        )
        self.run(["prosody", "-F", "--config", str(configuration)], dict(os.environ))
        await self.answers(self.address)
        publisher = await sign_in(self.address, "publisher", PASSWORD, available=False)
        for node in (self._node_of_one, self._node_of_all):
            await ask(publisher, f"<create node='{node}'/>")
        self._publisher = publisher
        # As in our service, the agent is subscribed without a request of its own.
        agent = await sign_in(self.address, AGENT, PASSWORD, available=False)
        await subscribe([(AGENT, agent)], self._node_of_one)
        agent.close()

    async def subscribe(self, crowd: Crowd) -> None:
        await subscribe(crowd.members.items(), self._node_of_all)

    async def notify_one(self, mark: str) -> None:
        await self._publish(self._node_of_one, MEDIA_UPDATE.format(mark=mark))

    async def notify_all(self, mark: str) -> None:
        await self._publish(self._node_of_all, TEAM_UPDATE.format(mark=mark))

    async def _publish(self, node: str, update: str) -> None:
        assert self._publisher is not None
        await ask(
            self._publisher,
            f"<publish node='{node}'><item><notification xmlns='{PUBSUB}'>{escape(update)}"
            "</notification></item></publish>",
        )


class Api:
    """The agent's HTTP client: one kept connection, with little work for each request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection: Stream | None = None
        secret = base64.b64encode(f"{AGENT}:{PASSWORD}".encode()).decode()
        self._headers = (
            f"Host: 127.0.0.1:{port}\r\nAuthorization: Basic {secret}\r\n"
            "Content-Type: application/xml\r\n"
        )

    async def is_in_service(self) -> bool:
        try:
            return b" 200 " in await self._request("GET /healthz")
        except OSError:
            self._connection = None
            return False

    async def put(self, path: str, body: str, request_id: str) -> None:
        """Send a PUT. Raises RuntimeError if it is not accepted."""
        answer = await self._request(f"PUT /finesse/api/{path}", body, request_id)
        if b" 202 " not in answer:
            raise RuntimeError(f"PUT {path} was answered: {answer.decode()}")

    async def _request(self, line: str, body: str = "", request_id: str = "") -> bytes:
        """Send a request; returns the whole answer."""
        # Servers close connections that were idle for a few seconds.
        if self._connection is None or self._connection.is_closed:
            self._connection = await Address(self.port).connect()
        self._connection.send(
            f"{line} HTTP/1.1\r\n{self._headers}requestId: {request_id}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        head = await self._connection.until(rb"\r\n\r\n")
        if length := re.search(rb"(?i)\ncontent-length: *(\d+)", head):
            return head + await self._connection.until(rb"(?s).{%d}" % int(length[1]))
        return head + await self._connection.until(rb"\b0\r\n\r\n")


async def ask(stream: Stream, request: str) -> None:
    """Send the pubsub service a request. Raises RuntimeError if it refuses."""
    stream.send(
        f"<iq xmlns='jabber:client' type='set' id='ask' to='pubsub.{DOMAIN}'>"
        f"<pubsub xmlns='{PUBSUB}'>{request}</pubsub></iq>"
    )
    answer = await stream.until(rb"(?s)<iq [^>]*\bid=['\"]ask['\"][^>]*(?:/>|(?<!/)>.*?</iq>)")
    if b"<error" in answer:
        raise RuntimeError(f"{request} was answered: {answer.decode()}")


async def subscribe(members: Iterable[tuple[str, Stream]], node: str, at_once: int = 20) -> None:
    turns = asyncio.Semaphore(at_once)

    async def one(user: str, stream: Stream) -> None:
        async with turns:
            await ask(stream, f"<subscribe node='{node}' jid='{user}@{DOMAIN}/bench'/>")

    async with asyncio.TaskGroup() as group:
        for user, stream in members:
            group.create_task(one(user, stream))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


MEDIA_UPDATE = (
    "<Update><data><Media><uri>/finesse/api/User/1234/Media/5001</uri>"
    "<description>E-mails from customers</description><dialogLogoutAction>CLOSE"
    "</dialogLogoutAction><id>5001</id><interruptible>true</interruptible><maxDialogLimit>5"
    "</maxDialogLimit><name>Email</name><ReasonCode><category>NOT_READY</category><code>1</code>"
    "<forAll>true</forAll><id>1001</id><label>Lunch</label><uri>/finesse/api/ReasonCode/1001</uri>"
    "</ReasonCode><reasonCodeId>1001</reasonCodeId><routable>true</routable>"
    "<state>NOT_READY</state><stateChangeTime>2015-09-11T06:55:14.782Z</stateChangeTime>"
    "<interruptAction>ACCEPT</interruptAction></Media></data><event>PUT</event>"
    "<requestId>{mark}</requestId><source>/finesse/api/User/1234/Media/5001</source></Update>"
)
"""The service's notification for the agent, now NOT_READY; the bare server sends the same."""
TEAM_UPDATE = (
    "<Update><data><user><uri>/finesse/api/User/1234</uri></user></data><event>PUT</event>"
    "<requestId>{mark}</requestId><source>/finesse/api/User/1234</source></Update>"
)
"""The service's notification for the supervisors of the agent's team."""
