"""No log at any level, no process list and no error page holds a password, cookie or token.

A real service runs at DEBUG, clients come by every way in, and all that it has printed is searched:
in plain, percent-encoded, and within whatever base64 stands there.
"""

import base64
import contextlib
import logging
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from django.conf import settings as live
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from finesse.redaction import RedactingFormatter, redact
from tests.conftest import basic
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation

RIGHT = "Zitronen+Falter/Wiese 47"
WRONG = "Kupfer-Drachen~Gipfel?12"
SECRET_KEY = "Schluessel-des-Hauses-0815-und-laenger"
XMPP_SECRET = "Geheimnis-der-Komponente-4711"
SET_PASSWORD = (
    "from finesse.users.models import User\n"
    "for user in User.objects.all(): user.set_password({!r}); user.save()"
)
BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")


def found(text: str, secrets: dict[str, str]) -> set[str]:
    """The names of the secrets that a text holds."""
    decoded = []
    for run in BASE64.findall(text):
        for start in range(4):
            part = run[start:].replace("-", "+").replace("_", "/")
            if len(part) % 4 == 1:
                part = part[:-1]
            with contextlib.suppress(ValueError):
                whole_part = part + "=" * (-len(part) % 4)
                decoded.append(base64.b64decode(whole_part).decode("latin-1"))
    whole = "\n".join([text, *decoded])
    return {
        name
        for name, secret in secrets.items()
        if secret in whole or quote(secret) in text or quote_plus(secret) in text
    }


def test_the_search_finds_what_it_is_for() -> None:
    hidden = {"it": RIGHT}
    for text in (
        f"password={RIGHT}",
        basic("1234", RIGHT),
        "xx" + base64.b64encode(f"\0001234\0{RIGHT}".encode()).decode(),
        quote(RIGHT),
        quote_plus(RIGHT),
    ):
        assert found(f"DEBUG: {text} and so on", hidden) == {"it"}, text
    assert found("nothing", hidden) == set()


class Service:
    """A service at DEBUG, the secrets that its clients have sent, and the pages that they got."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.secrets = {"right": RIGHT, "wrong": WRONG, "SECRET_KEY": SECRET_KEY}
        self.pages: list[str] = []

    @property
    def url(self) -> str:
        return self.installation.url

    def call_by_basic(self) -> None:
        for password, status in ((RIGHT, 200), (WRONG, 401)):
            answer = httpx.get(
                f"{self.url}/finesse/api/User/1234/Media/5001",
                headers={"Authorization": basic("1234", password)},
                timeout=TIMEOUT_SECONDS,
            )
            assert answer.status_code == status
            self.pages.append(answer.text)

    def sign_in(self) -> dict[str, str]:
        """By the form, wrongly and rightly, and look at the admin. Returns the cookies."""
        with httpx.Client(
            base_url=self.url, follow_redirects=True, timeout=TIMEOUT_SECONDS
        ) as browser:
            for password in (WRONG, RIGHT):
                page = browser.get("/login/")
                (token,) = re.findall(r'csrfmiddlewaretoken" value="([^"]+)', page.text)
                self.secrets[f"token {len(self.secrets)}"] = token
                form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token}
                answer = browser.post("/login/", data=form, headers={"Referer": f"{self.url}/"})
                self.pages.append(answer.text.replace(token, ""))
            cookies = dict(browser.cookies)
            assert "sessionid" in cookies
            for page in ("/admin/", "/admin/users/user/", "/admin/users/user/1234/change/"):
                assert browser.get(page).status_code == 200
            # A form whose token is wrong.
            browser.post("/login/", data={"csrfmiddlewaretoken": WRONG, "password": RIGHT})
        self.secrets |= cookies
        return cookies

    def open_sockets(self, cookies: dict[str, str]) -> None:
        address = self.url.replace("http", "ws", 1) + "/ws/notifications/"
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        for headers in (
            {"Authorization": basic("1234", RIGHT)},
            {"Authorization": basic("1234", WRONG)},
            {"Cookie": cookie, "Origin": self.url},
        ):
            with (
                contextlib.suppress(InvalidStatus, ConnectionClosed),
                connect(
                    address, additional_headers=headers, open_timeout=TIMEOUT_SECONDS
                ) as viewer,
            ):
                viewer.send('{"type": "subscribe", "after": null}')
                viewer.recv(TIMEOUT_SECONDS)

    def speak_xmpp(self) -> None:
        framing, sasl = "urn:ietf:params:xml:ns:xmpp-framing", "urn:ietf:params:xml:ns:xmpp-sasl"
        for password in (RIGHT, WRONG):
            plain = base64.b64encode(f"\0001234\0{password}".encode()).decode()
            with connect(
                self.url.replace("http", "ws", 1) + "/ws/",
                subprotocols=["xmpp"],  # type: ignore[list-item]
                open_timeout=TIMEOUT_SECONDS,
            ) as stream:
                stream.send(f"<open xmlns='{framing}' to='localhost' version='1.0'/>")
                stream.recv(TIMEOUT_SECONDS)
                stream.recv(TIMEOUT_SECONDS)
                stream.send(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{plain}</auth>")
                answer = str(stream.recv(TIMEOUT_SECONDS))
                assert ("success" if password == RIGHT else "not-authorized") in answer
                # Not XML: whatever is said of it must not repeat it.
                with contextlib.suppress(ConnectionClosed, TimeoutError):
                    stream.send(f"<auth>{plain}")
                    stream.recv(5)

    def send_what_is_no_http(self) -> None:
        for request in (
            f"GET / HTTP/9.9\r\nAuthorization: {basic('1234', RIGHT)}\r\n\r\n",
            f"GET /finesse/api/SystemInfo HTTP/1.1\r\nHost: x\r\nAuthorization {RIGHT}\r\n\r\n",
            f"{RIGHT}\r\n\r\n",
        ):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.installation.port), 2) as raw,
            ):
                raw.sendall(request.encode())
                raw.recv(1000)

    def break_a_page(self, cookies: dict[str, str]) -> None:
        """An unforeseen error under a request that holds every kind of secret."""
        self.installation.manage(
            "shell", "--no-imports", "-c",
            "from django.db import connection\n"
            "connection.cursor().execute('DROP TABLE reasoncodes_reasoncode_teams')\n"
            "connection.cursor().execute('ALTER TABLE reasoncodes_reasoncode RENAME TO gone')",
        )  # fmt: skip
        answer = httpx.get(
            f"{self.url}/admin/reasoncodes/reasoncode/", cookies=cookies, timeout=TIMEOUT_SECONDS
        )
        assert answer.status_code >= 500
        self.pages.append(answer.text)
        answer = httpx.get(
            f"{self.url}/finesse/api/ReasonCode/1001",
            headers={"Authorization": basic("1234", RIGHT)},
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code >= 500
        self.pages.append(answer.text)

    def processes(self) -> str:
        """What `ps` shows of the service's processes to every user of the machine."""
        groups = [str(one.pid) for one in self.installation.processes.values()]
        listed = ["ps", "-ww", "-o", "args=", "--ppid", ",".join(groups), "-p", ",".join(groups)]
        return subprocess.run(listed, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    installation = Installation(tmp_path, xmpp=shutil.which("prosody") is not None)
    installation.environment |= {"LOG_LEVEL": "DEBUG", "SECRET_KEY": SECRET_KEY}
    installation.prepare()
    installation.manage("shell", "--no-imports", "-c", SET_PASSWORD.format(RIGHT))
    installation.start()
    yield Service(installation)
    installation.end()


def test_a_run_at_debug_keeps_every_secret(service: Service) -> None:
    service.call_by_basic()
    cookies = service.sign_in()
    service.open_sockets(cookies)
    service.speak_xmpp()
    service.send_what_is_no_http()
    service.break_a_page(cookies)
    if (secret := service.installation.folder / "demo-xmpp" / "secret").exists():
        service.secrets["XMPP secret"] = secret.read_text()
    if given := service.installation.environment.get("FINESSE_XMPP_SECRET"):
        service.secrets["XMPP secret"] = given
    shown = service.processes()
    assert "manage.py" in shown or "uvicorn" in shown
    service.installation.end()
    log = service.installation.logs()
    assert log
    assert found(log, service.secrets) == set()
    assert found(shown, service.secrets) == set()
    assert found("\n".join(service.pages), service.secrets) == set()


@pytest.mark.skipif(ON_SERVICES, reason="its own set-up")
@pytest.mark.parametrize("level", ["debug", "trace"])
def test_uvicorns_own_options_do_not_open_it(tmp_path: Path, level: str) -> None:
    """With the protocols of uvicorn, and its log as loud as it gets."""
    installation = Installation(tmp_path)
    installation.environment["LOG_LEVEL"] = "DEBUG"
    installation.prepare()
    installation.manage("shell", "--no-imports", "-c", SET_PASSWORD.format(RIGHT))
    command = [sys.executable, "-m", "uvicorn", "finesse.asgi:application", "--log-level", level]
    installation._start("server", [*command, "--port", str(installation.port)])
    try:
        installation.await_status(503)
        service = Service(installation)
        cookies = service.sign_in()
        service.open_sockets(cookies)
        service.speak_xmpp()
    finally:
        installation.end()
    assert found(installation.logs(), service.secrets) == set()


# --- the second net -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f"< Authorization: {basic('1234', RIGHT)}",
        f"headers: [(b'authorization', b'{basic('1234', RIGHT)}')]",
        f"{{'Authorization': 'Bearer {XMPP_SECRET}'}}",
        f"Proxy-Authorization: {basic('1234', RIGHT)}",
        f"Cookie: csrftoken=abc; sessionid={XMPP_SECRET}; x={WRONG}",
        f"Set-Cookie: sessionid={XMPP_SECRET}; HttpOnly",
        f"'sessionid': '{XMPP_SECRET}'",
        f"csrfmiddlewaretoken={XMPP_SECRET}&username=admin",
        f"username=admin&password={quote_plus(RIGHT)}&next=/",
        f"{{'username': 'admin', 'password': '{RIGHT}'}}",
        "cannot connect to postgres://finesse:" + quote(WRONG, safe="") + "@db/finesse",
        f"redis://:{XMPP_SECRET}@cache:6379/0",
        f"amqps://finesse:{XMPP_SECRET}@broker//",
        f"redis://cache:6379/0?username=x&password={XMPP_SECRET}",
        f"host=db user=finesse password='{RIGHT}' dbname=finesse",
        "SEND: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
        + base64.b64encode(f"\0001234\0{RIGHT}".encode()).decode()
        + "</auth>",
        "<ns0:response>" + base64.b64encode(RIGHT.encode()).decode() + "</ns0:response>",
    ],
)
def test_what_looks_like_a_secret_is_not_written(line: str) -> None:
    hidden = {"right": RIGHT, "wrong": WRONG, "secret": XMPP_SECRET}
    assert found(line, hidden)
    assert found(redact(f"before {line} after"), hidden) == set()
    assert redact(f"before {line}").startswith("before ")


@pytest.mark.parametrize(
    "line",
    [
        "Signed out, as their clients are gone: 1234, 1235",
        "Cannot connect to amqp://guest:**@127.0.0.1:5672//: [Errno 111] Connection refused",
        "GET http://127.0.0.1:8000/finesse/api/User/1234/Media/5001 200",
        "The password of 1234 was wrong",
        "Basic authentication is what API clients use",
        "2026-11-28 21:15:09,123 INFO finesse.tls: authority: .data/tls/authority.pem",
    ],
)
def test_what_operators_read_stays(line: str) -> None:
    assert redact(line) == line


def test_the_settings_own_secrets_are_known_wherever_they_stand(settings: Any) -> None:
    settings.SECRET_KEY = SECRET_KEY
    settings.FINESSE_XMPP_SECRET = XMPP_SECRET
    settings.REDIS_URL = "redis://:Herbstlaub-77@cache/0"
    settings.CELERY_BROKER_URL = "amqp://finesse:Nebel%2FKerze-9@broker//"
    for secret in (SECRET_KEY, XMPP_SECRET, "Herbstlaub-77", "Nebel/Kerze-9", "Nebel%2FKerze-9"):
        assert secret not in redact(f"KeyError: <{secret}>")


def test_a_traceback_is_searched_too(settings: Any) -> None:
    settings.FINESSE_XMPP_SECRET = XMPP_SECRET
    try:
        raise ValueError(f"refused: {XMPP_SECRET}")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    text = RedactingFormatter("{message}", style="{").format(record)
    assert "ValueError: refused" in text
    assert XMPP_SECRET not in text


def test_libraries_that_print_what_they_send_are_never_at_debug() -> None:
    caps = live.LOGGING["loggers"]
    for name in ("uvicorn.error", "websockets", "slixmpp", "httpx", "httpcore", "amqp", "kombu"):
        assert logging.getLevelName(caps[name]["level"]) >= logging.INFO


def test_a_database_url_that_cannot_be_read_is_not_repeated(tmp_path: Path) -> None:
    """A password with # or / in it that is not percent-encoded."""
    for url in (f"postgres://finesse:{WRONG}#7@db/finesse", "postgres://finesse:a/Wiese47@db/x"):
        installation = Installation(tmp_path)
        installation.environment |= {"DATABASE_URL": url, "FINESSE_DEMO": "0"}
        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            cwd=ROOT,
            env=installation.environment,
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        assert WRONG not in said
        assert "Wiese47" not in said
