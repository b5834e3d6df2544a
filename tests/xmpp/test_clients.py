"""Libraries of others, unmodified, as clients of a real installation."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest
from defusedxml.ElementTree import fromstring
from playwright.sync_api import Browser, expect, sync_playwright

from tests.kit.chromium import FLAGS
from tests.kit.followers import position_of
from tests.kit.installation import Installation
from tests.kit.programs import needed, needed_node

CLIENTS = Path(__file__).parents[1] / "clients"
STROPHE = CLIENTS / "node_modules/strophe.js/dist/strophe.umd.min.js"
WEBSOCKET = {
    "strophe over WebSocket": ("strophe.mjs", "ws://127.0.0.1:{at.port}/ws/"),
    "stanza over WebSocket": ("stanza.mjs", "ws://127.0.0.1:{at.port}/ws"),
    "xmpp-client over WebSocket": ("xmpp-client.mjs", "ws://127.0.0.1:{at.port}/ws/"),
}
"""Ways to connect: a program of clients/, and its first argument."""
BOSH = {
    "strophe over BOSH": ("strophe.mjs", "http://127.0.0.1:{at.port}/http-bind/"),
    "stanza over BOSH": ("stanza.mjs", "http://127.0.0.1:{at.port}/http-bind"),
}
TCP = {
    "xmpp-client over TCP": ("xmpp-client.mjs", "xmpp://127.0.0.1:{at.xmpp_port}"),
    "slixmpp over TCP": ("slixmpp_client.py", "127.0.0.1,{at.xmpp_port},{at.authority}"),
}
BY_A_SERVER = BOSH | TCP
"""The ways that need an XMPP server as part of the installation."""
ALL = WEBSOCKET | BY_A_SERVER
TIMEOUT_SECONDS = 120
"""For any expected message; libraries wait for some seconds before they connect again."""
PAGE_TIMEOUT_MS = 60_000
"""For anything that a page has to show."""

LOGIN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>"
)
READY = "<Media><state>READY</state></Media>"
LUNCH = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"
MEETING = "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>"
LOGOUT = "<Media><state>LOGOUT</state><reasonCodeId>2001</reasonCodeId></Media>"


@pytest.fixture(scope="module")
def node() -> str:
    """Node, and the libraries as the lock file names them."""
    program, npm = needed_node(), needed("npm")
    done, wanted = CLIENTS / "node_modules/.package-lock.json", CLIENTS / "package-lock.json"
    if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([npm, "ci", "--silent"], cwd=CLIENTS, check=True, timeout=300)
    return program


@pytest.fixture(scope="module")
def installation(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """As `make run` has it."""
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def with_a_server(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """As `make run XMPP=1` has it."""
    needed("prosody")
    made = Installation(tmp_path_factory.mktemp("with_a_server"), xmpp=True)
    made.start()
    yield made
    made.end()


class Program:
    """A client, running. What it reads and writes stands in clients/README.md."""

    def __init__(self, way: str, at: Installation, login: str, password: str) -> None:
        program, service = ALL[way]
        self.way = way
        self.resource = way.replace(" ", "-")
        self.seen: list[dict[str, Any]] = []
        self._reports: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        runner = sys.executable if program.endswith(".py") else "node"
        arguments = [service.format(at=at), login, password, "localhost", self.resource]
        trusted = {"NODE_EXTRA_CA_CERTS": str(at.authority)} if at.xmpp else {}
        self._process = subprocess.Popen(
            [runner, program, *arguments],
            cwd=CLIENTS,
            env=os.environ | trusted,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._reports.put(json.loads(line))

    def until(self, event: str) -> dict[str, Any]:
        """Wait for the next event of this kind."""
        while True:
            try:
                report = self._reports.get(timeout=TIMEOUT_SECONDS)
            except queue.Empty:
                raise AssertionError(f"{self.way} awaits {event!r} after {self.seen}") from None
            self.seen.append(report)
            if report["event"] == event:
                return report

    def notification(self) -> Element:
        """The next one, parsed: its content is text, as in Finesse."""
        return fromstring(self.until("notification")["update"])

    def notifications(self) -> list[dict[str, Any]]:
        """All that were awaited, or came before something that was."""
        return [report for report in self.seen if report["event"] == "notification"]

    def command(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def sleep(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        self.command(do="stop")
        return self._process.wait(TIMEOUT_SECONDS)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()


Connect = Callable[..., Program]


@pytest.fixture
def connect() -> Iterator[Connect]:
    running: list[Program] = []

    def start(
        way: str, at: Installation, login: str = "1235", password: str = "finesse"
    ) -> Program:
        running.append(Program(way, at, login, password))
        return running[-1]

    yield start
    for program in running:
        program.end()


@pytest.fixture
def place(way: str, request: pytest.FixtureRequest) -> Installation:
    """An installation that can be reached this way."""
    made: Installation = request.getfixturevalue(
        "with_a_server" if way in BY_A_SERVER else "installation"
    )
    return made


def put(at: Installation, body: str, request_id: str, login: str = "1235") -> None:
    response = httpx.put(
        f"{at.url}/finesse/api/User/{login}/Media/5000",
        auth=(login, "finesse"),
        content=body,
        headers={"Content-Type": "application/xml", "requestId": request_id},
        timeout=TIMEOUT_SECONDS,
    )
    assert response.status_code == 202, response.text


def found(update: Element, *paths: str) -> list[str | None]:
    return [update.findtext(path) for path in paths]


@pytest.mark.parametrize("way", ALL)
def test_a_client_that_subscribes_to_nothing_gets_states_reasons_and_errors(
    way: str, place: Installation, connect: Connect
) -> None:
    ben = connect(way, place)
    assert ben.until("online")["address"] == f"1235@localhost/{ben.resource}"
    for number, body in enumerate((READY, LOGIN, LUNCH, LOGOUT)):
        put(place, body, f"r-{number}")
    refused, signed_in, at_lunch, signed_out = [ben.notification() for _ in range(4)]

    source = "/finesse/api/User/1235/Media/5000"
    assert found(refused, "event", "source", "data/apiErrors/apiError/errorMessage") == [
        "PUT",
        source,
        "E_ARM_STAT_AGENT_NOT_LOGGED_IN",
    ]
    assert found(refused, "requestId") == ["r-0"]
    assert found(signed_in, "source", "data/Media/state") == [source, "NOT_READY"]
    assert found(
        at_lunch,
        "data/Media/state",
        "data/Media/reasonCodeId",
        "data/Media/ReasonCode/code",
        "data/Media/ReasonCode/label",
    ) == ["NOT_READY", "1001", "1", "Lunch"]
    assert found(signed_out, "data/Media/state", "source") == ["LOGOUT", source]
    assert {one["how"] for one in ben.notifications()} == {"live"}
    assert [one for one in ben.seen if one["event"] not in ("online", "notification")] == []
    assert ben.stop() == 0


@pytest.mark.parametrize("way", ALL)
def test_a_client_reads_the_items_of_its_own_nodes_only(
    way: str, place: Installation, connect: Connect
) -> None:
    chi = connect(way, place, "1300")
    chi.until("online")
    chi.command(do="fetch", node="/finesse/api/User/1300/Media", after=0)
    (made,) = chi.until("items")["items"]
    assert found(fromstring(made["update"]), "event", "data/Media/id") == ["POST", "5002"]
    chi.command(do="fetch", node="/finesse/api/User/1300/Media", after=int(made["id"]))
    assert chi.until("items")["items"] == []
    chi.command(do="fetch", node="/finesse/api/User/1234/Media", after=0)
    assert "forbidden" in chi.until("error")["error"]


@pytest.mark.parametrize("way", ALL)
def test_a_wrong_password_is_reported_by_the_library(
    way: str, place: Installation, connect: Connect
) -> None:
    assert "auth" in connect(way, place, "2001", "wrong").until("error")["error"].lower()


@pytest.mark.parametrize("ways", [WEBSOCKET, BY_A_SERVER], ids=["WebSocket", "BOSH and TCP"])
def test_a_client_begins_anew_when_the_database_was_restored(
    ways: dict[str, Any], connect: Connect, request: pytest.FixtureRequest
) -> None:
    at: Installation = request.getfixturevalue(
        "installation" if ways is WEBSOCKET else "with_a_server"
    )
    # This one does not always come back by itself when a server terminates its session.
    clients = [connect(way, at, "1300") for way in ways if way != "stanza over BOSH"]
    for client in clients:
        client.until("online")
    backup = at.dump()
    # To an MRD of others: each request ends in an error, which is a notification.
    lost = ["lost-0", "lost-1"]
    for one in lost:
        put(at, LOGIN, one, "1300")
    for client in clients:
        assert [client.notification().findtext("requestId") for _ in lost] == lost
    at.restore(backup)
    for number in range(4):
        put(at, LOGIN, f"between-{number}", "1300")
    # By itself, with what its library makes of the end of its stream.
    for client in clients:
        client.until("reset")
    put(at, LOGIN, "since", "1300")
    for client in clients:
        while client.notification().findtext("requestId") != "since":
            pass


@pytest.mark.parametrize("ways", [WEBSOCKET, BY_A_SERVER], ids=["WebSocket", "BOSH and TCP"])
def test_a_client_gets_once_and_in_order_what_came_while_the_server_or_it_was_away(
    ways: dict[str, Any], connect: Connect, request: pytest.FixtureRequest
) -> None:
    at: Installation = request.getfixturevalue(
        "installation" if ways is WEBSOCKET else "with_a_server"
    )
    clients = [connect(way, at, "1234") for way in ways]
    for client in clients:
        client.until("online")
    put(at, LOGIN, "before", "1234")
    for client in clients:
        client.until("notification")

    # Asleep, since otherwise they would reconnect before anything has happened. Over BOSH they
    # have no connection whose loss they could notice.
    for client in clients:
        if client.way in BOSH:
            client.sleep()
    for role in [role for role in ("xmpp", "server") if role in at.processes]:
        at.kill(role)
    for client in clients:
        if client.way not in BOSH:
            client.until("offline")
            client.sleep()
    at.start()
    for number, body in enumerate((LUNCH, MEETING, LUNCH, READY)):
        put(at, body, f"missed-{number}", "1234")
    for client in clients:
        client.wake()
    # While they connect and fetch, it goes on.
    for number, body in enumerate((LUNCH, READY) * 10):
        put(at, body, f"meanwhile-{number}", "1234")
    for client in clients:
        client.until("current")
    put(at, LOGOUT, "afterwards", "1234")
    for client in clients:
        while client.notification().findtext("requestId") != "afterwards":
            pass

    first = int(clients[0].notifications()[0]["id"])
    written = at.query(
        "import json\n"
        "from finesse.notifications.log import read\n"
        "from finesse.notifications.nodes import SYSTEM_INFO, nodes_of\n"
        "nodes = [*nodes_of('1234'), SYSTEM_INFO]\n"
        f"rows = read(after={position_of(first) - 1}, nodes=nodes, limit=100)\n"
        "print(json.dumps([row.place.number for row in rows]))"
    )
    got = {client.way: [int(one["id"]) for one in client.notifications()] for client in clients}
    assert got == dict.fromkeys(ways, written)
    for client in clients:
        how = [one["how"] for one in client.notifications()]
        assert how.count("retrieved") >= 4, client.seen


# --- in a browser ---------------------------------------------------------------------------------

SCRIPT = """
const list = document.body.appendChild(document.createElement("ol"));

function show(...words) {
  list.appendChild(document.createElement("li")).textContent = words.filter(Boolean).join(" ");
}

function take(message) {
  const text = message.querySelector("items > item > notification").textContent;
  const update = new DOMParser().parseFromString(text, "text/xml");
  const found = (path) => update.querySelector(path)?.textContent;
  show(found("Media > state"), found("ReasonCode > label"), found("errorMessage"),
    found("requestId"));
  return true;
}

function connect(service, options) {
  const connection = new Strophe.Connection(service, options);
  connection.connect("1300@localhost", "finesse", (status) => {
    if (status !== Strophe.Status.CONNECTED) return;
    connection.addHandler(take, null, "message");
    connection.send($pres());
    show("connected");
  });
}

async function put(requestId, body) {
  const { status } = await fetch("/finesse/api/User/1300/Media/5002", {
    method: "PUT",
    headers: {
      "Authorization": `Basic ${btoa("1300:finesse")}`,
      "Content-Type": "application/xml",
      requestId,
    },
    body,
  });
  show(requestId, status);
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize(
    ("way", "service", "options"),
    [
        ("strophe over WebSocket", "/ws/", {"protocol": "ws"}),
        ("strophe over BOSH", "/http-bind/", {}),
    ],
    ids=["WebSocket", "BOSH"],
)
def test_a_page_of_the_services_own_origin_asks_by_rest_and_hears_by_xmpp(
    way: str, place: Installation, service: str, options: dict[str, str], browser: Browser
) -> None:
    page = browser.new_page(bypass_csp=True)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # Any page of the service: a page that the browser does not have from loopback may not go there.
    page.goto(f"{place.url}/healthz")
    page.add_script_tag(path=STROPHE)
    page.add_script_tag(content=SCRIPT)
    page.evaluate("([service, options]) => connect(service, options)", [service, options])
    report = page.get_by_role("listitem")
    expect(report).to_have_text(["connected"], timeout=PAGE_TIMEOUT_MS)
    requests = {"r-error": READY, "r-login": LOGIN, "r-lunch": LUNCH, "r-logout": LOGOUT}
    for request_id, body in requests.items():
        page.evaluate("([id, body]) => put(id, body)", [request_id, body])
        expect(report.filter(has_text=f"{request_id} 202")).to_have_count(
            1, timeout=PAGE_TIMEOUT_MS
        )
    notifications = report.filter(has_not_text=re.compile(r"^(connected|r-\w+ 202)$"))
    expect(notifications).to_have_text(
        [
            "E_ARM_STAT_AGENT_NOT_LOGGED_IN r-error",
            "NOT_READY r-login",
            "NOT_READY Lunch r-lunch",
            "LOGOUT r-logout",
        ],
        timeout=PAGE_TIMEOUT_MS,
    )
    assert problems == []
    page.close()
