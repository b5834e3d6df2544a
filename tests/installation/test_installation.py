"""A real installation, as a user has it: served over a real port, with a real worker."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from finesse.notifications.nodes import SYSTEM_INFO
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation
from tests.kit.socket_client import watch

LUNCH = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation"), measured=True)
    made.start()
    yield made
    made.end()


def put(
    installation: Installation, user: str, mrd: int, body: str, **headers: str
) -> httpx.Response:
    return httpx.put(
        f"{installation.url}/finesse/api/User/{user}/Media/{mrd}",
        content=body,
        headers={"Content-Type": "application/xml", **headers},
        auth=(user, "finesse"),
        timeout=TIMEOUT_SECONDS,
    )


def test_the_seeds_request_reaches_a_program_and_the_get(installation: Installation) -> None:
    with watch(installation.url, "2001") as dana:
        dana.subscribe()
        answer = put(installation, "1234", 5001, LUNCH, requestId="r-1")
        assert (answer.status_code, answer.content) == (202, b"")
        assert answer.headers["requestId"] == "r-1"
        frame = dana.receive()
    assert frame["source"] == "/finesse/api/User/1234/Media/5001"
    update = fromstring(frame["update"])
    assert update.findtext("data/Media/state") == "NOT_READY"
    assert update.findtext("data/Media/ReasonCode/label") == "Lunch"
    got = fromstring(
        httpx.get(
            f"{installation.url}/finesse/api/User/1234/Media/5001",
            auth=("1234", "finesse"),
            timeout=TIMEOUT_SECONDS,
        ).content
    )
    shown = update.find("data/Media")
    assert shown is not None
    assert [(one.tag, (one.text or "").strip()) for one in shown.iter()] == [
        (one.tag, (one.text or "").strip()) for one in got.iter()
    ]


def test_an_asynchronous_error_reaches_a_program_with_its_request_id(
    installation: Installation,
) -> None:
    with watch(installation.url, "1300") as chi:
        chi.subscribe()
        ready = "<Media><state>READY</state></Media>"
        assert put(installation, "1300", 5002, ready, requestId="r-2").status_code == 202
        frame = chi.receive()
    assert frame["requestId"] == "r-2"
    assert "E_ARM_STAT_AGENT_NOT_LOGGED_IN" in frame["update"]


def test_the_demo_is_what_the_documents_say(installation: Installation) -> None:
    code = """
import json
from finesse.users.models import Team, User
from media.models import Media, MediaRoutingDomain
from reasoncodes.models import ReasonCode
print(json.dumps({
    "users": [[u.pk, u.get_full_name(), u.role, u.team_id] for u in User.objects.all()],
    "teams": [[t.pk, t.name, [s.pk for s in t.supervisors.all()]]
              for t in Team.objects.order_by("pk")],
    "mrds": [[m.pk, m.name, m.interruptible] for m in MediaRoutingDomain.objects.all()],
    "media": [[m.user_id, m.mrd_id] for m in Media.objects.all()],
    "codes": [[c.pk, c.category, c.code, c.label, c.for_all, [t.pk for t in c.teams.all()]]
              for c in ReasonCode.objects.filter(system_code=False).order_by("pk")],
}))
"""
    installation.load_demo()
    assert installation.query(code) == {
        "users": [
            ["1234", "Ana Lima", "agent", 1],
            ["1235", "Ben Okoro", "agent", 1],
            ["1236", "Eva Novak", "agent", 1],
            ["1237", "Farid Haddad", "agent", 1],
            ["1238", "Gina Rossi", "agent", 1],
            ["1300", "Chi Wong", "agent", 2],
            ["1301", "Hugo Blom", "agent", 2],
            ["1302", "Ines Costa", "agent", 2],
            ["2001", "Dana Ruiz", "supervisor", None],
            ["2002", "Sam Weber", "supervisor", None],
            ["admin", "Administrator", "administrator", None],
        ],
        "teams": [[1, "Chat", ["2001", "2002"]], [2, "Back office", ["2002"]]],
        "mrds": [
            [1, "Voice", False],
            [5000, "Chat", True],
            [5001, "Email", True],
            [5002, "Tasks", False],
        ],
        "media": [
            *(["1234", 5000], ["1234", 5001], ["1235", 5000], ["1235", 5001]),
            *(["1236", 5000], ["1236", 5001], ["1237", 5000], ["1238", 5001]),
            *(["1300", 5002], ["1301", 5002], ["1302", 5002]),
        ],
        "codes": [
            [1001, "NOT_READY", 1, "Lunch", True, []],
            [1002, "NOT_READY", 2, "Team meeting", True, []],
            [1003, "NOT_READY", 3, "Coaching", False, [1]],
            [1004, "NOT_READY", 4, "Filing", False, [2]],
            [1005, "NOT_READY", 5, "Break", True, []],
            [1006, "NOT_READY", 6, "Course", True, []],
            [2001, "LOGOUT", 1, "End of shift", True, []],
            [2002, "LOGOUT", 2, "Sick", True, []],
        ],
    }


def test_new_teams_and_codes_get_ids_of_their_own(installation: Installation) -> None:
    code = """
import json
from finesse.users.models import Team
team = Team.objects.create(name="Night shift")
print(json.dumps(team.pk))
team.delete()
"""
    assert installation.query(code) > 2


class Wire:
    """One request, byte by byte."""

    def __init__(self, installation: Installation, *headers: str) -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", installation.port), timeout=TIMEOUT_SECONDS
        )
        lines = [
            "PUT /finesse/api/User/1234/Media/5001 HTTP/1.1",
            "Host: 127.0.0.1",
            "Authorization: Basic MTIzNDpmaW5lc3Nl",
            "Content-Type: application/xml",
            *headers,
            "",
            "",
        ]
        self.socket.sendall("\r\n".join(lines).encode())

    def answer(self) -> str:
        """The answer, as far as the end of its XML or its header."""
        text = b""
        while b"</ApiErrors>" not in text and not (
            text.startswith(b"HTTP/1.1 202") and b"\r\n\r\n" in text
        ):
            part = self.socket.recv(65536)
            assert part, text
            text += part
        self.socket.close()
        return text.decode()


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(
    installation: Installation,
) -> None:
    wire = Wire(installation, f"Content-Length: {10 * 2**30}")
    answer = wire.answer()
    assert answer.startswith("HTTP/1.1 400")
    assert "<ErrorType>Bad Request</ErrorType>" in answer


def test_a_body_that_announces_too_much_is_not_asked_for(installation: Installation) -> None:
    wire = Wire(installation, f"Content-Length: {2**30}", "Expect: 100-continue")
    assert wire.answer().startswith("HTTP/1.1 400")


def test_a_pages_body_that_announces_too_much_is_refused_unread(
    installation: Installation,
) -> None:
    with socket.create_connection(
        ("127.0.0.1", installation.port), timeout=TIMEOUT_SECONDS
    ) as connection:
        head = "POST /login/ HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {2**32}", "", ""
        connection.sendall("\r\n".join(head).encode())
        status = connection.recv(12)
        assert status in {b"HTTP/1.1 400", b"HTTP/1.1 403"}


def test_an_endless_chunked_body_is_refused_at_the_limit(installation: Installation) -> None:
    wire = Wire(installation, "Transfer-Encoding: chunked")
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    for _ in range(3):
        wire.socket.sendall(chunk)
    assert "<ErrorType>Bad Request</ErrorType>" in wire.answer()


def test_a_small_chunked_body_is_accepted_and_the_request_ids_header_keeps_its_case(
    installation: Installation,
) -> None:
    wire = Wire(installation, "Transfer-Encoding: chunked", "REQUESTID: r-3")
    wire.socket.sendall(f"{len(LUNCH):x}\r\n{LUNCH}\r\n0\r\n\r\n".encode())
    answer = wire.answer()
    assert answer.startswith("HTTP/1.1 202")
    assert "\r\nrequestId: r-3\r\n" in answer


def test_a_client_that_leaves_within_its_body_disturbs_no_other(
    installation: Installation,
) -> None:
    for header in ("Content-Length: 1000", "Transfer-Encoding: chunked"):
        Wire(installation, header).socket.close()
    assert put(installation, "1234", 5001, LUNCH).status_code == 202


@pytest.mark.parametrize(("login", "password"), [("1234", "wrong"), ("nobody", "finesse")])
def test_a_handshake_with_wrong_credentials_is_answered_401(
    installation: Installation, login: str, password: str
) -> None:
    with pytest.raises(InvalidStatus) as refused, watch(installation.url, login, password):
        pass
    assert refused.value.response.status_code == 401
    assert "Basic" in refused.value.response.headers["WWW-Authenticate"]


def test_large_frames_close_the_socket(installation: Installation) -> None:
    with watch(installation.url, "1234") as ana:
        ana.connection.send("x" * 70_000 if not ON_SERVICES else "x")
        if ON_SERVICES:  # uvicorn's own limit is set by its command line there.
            assert ana.receive()["type"] == "error"
        else:
            with pytest.raises(Exception, match="1009"):
                ana.receive()


def test_pages_and_their_files_are_served(installation: Installation) -> None:
    with httpx.Client(base_url=installation.url, timeout=TIMEOUT_SECONDS) as client:
        assert client.get("/").headers["Location"] == "/login/?next=/"
        assert client.get("/login/").status_code == 200
        assert (
            client.get("/static/board/viewer.js")
            .headers["Content-Type"]
            .startswith("text/javascript")
        )
        assert client.get("/static/board/viewer.css").status_code == 200
        assert client.get("/static/admin/css/base.css").status_code == 200
        assert client.get("/admin/login/").status_code == 200


def test_serving_files_leaves_no_complaint_in_the_log(installation: Installation) -> None:
    picture = httpx.get(f"{installation.url}/static/board/viewer.css", timeout=TIMEOUT_SECONDS)
    assert len(picture.content) == int(picture.headers["Content-Length"])
    assert "StreamingHttpResponse" not in installation.logs()


def test_restarting_keeps_everything_and_resumes(installation: Installation) -> None:
    with watch(installation.url, "1234") as ana:
        head = ana.subscribe()["position"]
    put(installation, "1234", 5001, "<Media><state>READY</state></Media>")
    with watch(installation.url, "1234") as ana:
        ana.subscribe(head)
        ana.until(head + 1)
    for role in list(installation.processes):
        installation.kill(role)
    installation.manage("migrate", "--verbosity", "0")
    installation.load_demo()
    installation.start()
    with watch(installation.url, "1234") as ana:
        assert ana.subscribe(head)["resume"] == "replayed"
        (frame,) = ana.until(head + 1)
    assert "<state>READY</state>" in frame["update"]


@pytest.mark.skipif(not ON_SERVICES, reason="one process: when the worker dies, the server does")
class TestOnServices:
    def test_without_a_worker_it_goes_out_of_service_and_comes_back(
        self, installation: Installation
    ) -> None:
        installation.kill("worker")
        installation.await_fault("worker")
        answer = put(installation, "1234", 5001, LUNCH)
        assert answer.status_code == 503
        assert "SERVER_OUT_OF_SERVICE" in answer.text
        info = httpx.get(f"{installation.url}/finesse/api/SystemInfo", timeout=TIMEOUT_SECONDS)
        assert "<status>OUT_OF_SERVICE</status>" in info.text
        installation.start()
        assert put(installation, "1234", 5001, LUNCH).status_code == 202

    def test_what_was_accepted_before_the_worker_died_is_applied_by_the_next(
        self, installation: Installation
    ) -> None:
        with watch(installation.url, "1235") as ben:
            ben.subscribe()
            installation.kill("worker")
            ready = "<Media><state>READY</state></Media>"
            assert put(installation, "1235", 5000, ready, requestId="r-9").status_code == 202
            installation.start()
            # On a slow machine the outage itself is published in between.
            while (frame := ben.receive(30))["node"] == SYSTEM_INFO:
                pass
            assert frame["requestId"] == "r-9"


@pytest.mark.skipif(ON_SERVICES, reason="`run` is the embedded default")
class TestRun:
    @pytest.fixture
    def demo(self, tmp_path: Path) -> Installation:
        return Installation(tmp_path, measured=True)

    def run(self, demo: Installation, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "manage.py", "run", *arguments],
            cwd=ROOT,
            env=demo.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
    def test_it_says_where_everything_is_and_ends_cleanly_with_sockets_open(
        self, demo: Installation, order: signal.Signals
    ) -> None:
        demo.prepare()
        process = self.run(demo, "--port", str(demo.port))
        demo.await_status(200)
        with watch(demo.url, "2001") as dana:
            dana.subscribe()
            process.send_signal(order)
            out, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 0
        for line in (f"{demo.url}/", f"{demo.url}/admin/", "2001", "password finesse", "curl"):
            assert line in out
        # Nothing had to be cut off, which uvicorn says.
        assert "exceeded" not in out + err
        assert "Traceback" not in out + err

    def test_another_loopback_address_is_served_by_its_name(self, demo: Installation) -> None:
        demo.prepare()
        process = self.run(demo, "--host", "127.0.0.2", "--port", str(demo.port))
        demo.url = f"http://127.0.0.2:{demo.port}"
        try:
            demo.await_status(200)
            assert httpx.get(f"{demo.url}/login/", timeout=TIMEOUT_SECONDS).status_code == 200
        finally:
            process.terminate()
            process.communicate(timeout=TIMEOUT_SECONDS)

    def test_its_curl_line_works(self, demo: Installation) -> None:
        demo.prepare()
        process = self.run(demo, "--port", str(demo.port))
        try:
            demo.await_status(200)
            assert process.stdout
            lines = []
            while "/User/1234/Media/5001" not in "".join(lines):
                lines.append(process.stdout.readline())
            text = "".join(lines)
            command = text[text.index("curl") :]
            done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
            assert done.stdout.startswith("HTTP/1.1 202")
            assert "requestId: r-1" in done.stdout
        finally:
            process.terminate()
            process.communicate(timeout=TIMEOUT_SECONDS)

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
    def test_the_demo_listens_on_loopback_only(self, demo: Installation, host: str) -> None:
        process = self.run(demo, "--host", host)
        _, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 1
        assert "passwords are public" in err
        assert "Traceback" not in err

    def test_a_port_that_is_taken_is_reported_with_the_way_out(self, demo: Installation) -> None:
        with socket.create_server(("127.0.0.1", demo.port)):
            process = self.run(demo, "--port", str(demo.port))
            _, err = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 1
        assert "PORT=" in err
        assert "Traceback" not in err

    def test_outside_the_demo_there_are_no_demo_users(self, demo: Installation) -> None:
        demo.environment["FINESSE_DEMO"] = "0"
        with pytest.raises(AssertionError, match="FINESSE_DEMO=1"):
            demo.manage("demo")

    def test_without_a_secret_it_does_not_start_and_says_how_to_get_one(
        self, demo: Installation
    ) -> None:
        demo.environment |= {"FINESSE_DEMO": "0", "SECRET_KEY": ""}
        with pytest.raises(AssertionError, match="SECRET_KEY is not set"):
            demo.manage("check")
