"""Over TLS: the certificate that is made, and a server that shows it."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.checks import run_checks
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from finesse.server import protocols
from finesse.tls.authority import CERTIFICATE_DAYS, Authority, hosts_of, sign
from finesse.tls.certificate import certificate_files, reload_regularly, server_context
from finesse.tls.own_certificate import (
    RENEW_DAYS,
    CertificateFiles,
    load_key,
    make_or_renew,
    parse_hosts,
    to_pem,
)
from tests.conftest import basic
from tests.kit.hostile_peer import frame
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation, free_port
from tests.kit.socket_client import Watcher

NOW = datetime.now(UTC)


def day(number: float) -> datetime:
    return NOW + timedelta(days=number)


def read(path: Path | None) -> x509.Certificate:
    assert path
    return x509.load_pem_x509_certificate(path.read_bytes())


def trusting(authority: Path | None) -> ssl.SSLContext:
    """A client that trusts this authority and no other."""
    return ssl.create_default_context(cafile=authority)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> x509.Certificate:
    """What the client is shown and believes. Raises ssl.SSLError as a client does."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=host)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (asking, answering, asking, answering):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = asking.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


class TestFiles:
    @pytest.mark.parametrize(
        "host", ["localhost", "127.0.0.1", "::1", socket.gethostname(), "finesse.example.com"]
    )
    def test_it_is_believed_under_every_name_that_was_asked_for(
        self, tmp_path: Path, host: str
    ) -> None:
        pair = make_or_renew(tmp_path, ["finesse.example.com"])
        assert shake_hands(server_context(pair), trusting(pair.authority), host)

    def test_it_is_believed_by_the_strictest_readers(self, tmp_path: Path) -> None:
        pair = make_or_renew(
            tmp_path, ["büro.example", "*.example.com", "[fd00::7]", "203.0.113.7"]
        )
        client = trusting(pair.authority)
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        for host in ("xn--bro-hoa.example", "a.example.com", "fd00::7", "203.0.113.7"):
            assert shake_hands(server_context(pair), client, host)

    def test_it_is_believed_under_no_other_name(self, tmp_path: Path) -> None:
        pair = make_or_renew(tmp_path, ["0.0.0.0", "::", ""])
        for host in ("www.example.com", "0.0.0.0", "127.0.0.2"):
            with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
                shake_hands(server_context(pair), trusting(pair.authority), host)

    def test_a_stolen_authority_can_sign_no_other_site(self, tmp_path: Path) -> None:
        pair = make_or_renew(tmp_path, ["finesse.example.com"])
        key = serialization.load_pem_private_key((tmp_path / "authority.key").read_bytes(), None)
        stolen = Authority(read(pair.authority), key)  # type: ignore[arg-type]
        for name in ("www.example.org", "example.com", "notfinesse.example.com", "8.8.8.8"):
            forged = parse_hosts([name])
            server_key = load_key(pair.key)
            assert server_key
            pair.certificate.write_bytes(to_pem(sign(stolen, server_key, forged, NOW)))
            with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
                shake_hands(server_context(pair), trusting(pair.authority), name)

    def test_nothing_older_than_tls_1_2_is_spoken(self, tmp_path: Path) -> None:
        made = server_context(make_or_renew(tmp_path, []))
        assert made.minimum_version is ssl.TLSVersion.TLSv1_2

    def test_only_the_owner_can_read_the_keys(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            pair = make_or_renew(tmp_path / "tls", [])
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in pair.key.parent.iterdir()}
        assert (modes.pop("authority.key"), modes.pop("server.key")) == (0o600, 0o600)
        assert {"authority.pem": 0o644, "server.pem": 0o644}.items() <= modes.items()

    def test_browsers_accept_for_how_long_it_is_valid(self, tmp_path: Path) -> None:
        shown = read(make_or_renew(tmp_path, []).certificate)
        length = shown.not_valid_after_utc - shown.not_valid_before_utc
        assert length <= timedelta(days=397)

    def test_it_stays_until_it_is_near_its_end_and_is_renewed_under_the_same_authority(
        self, tmp_path: Path
    ) -> None:
        def made(number: float) -> tuple[bytes, bytes]:
            pair = make_or_renew(tmp_path, [], now=day(number))
            assert pair.authority
            return pair.certificate.read_bytes(), pair.authority.read_bytes()

        first, authority = made(0)
        kept_until = CERTIFICATE_DAYS - 1 - RENEW_DAYS
        assert made(kept_until - 0.1) == (first, authority)
        second, still = made(kept_until + 0.1)
        assert (second != first, still) == (True, authority)
        assert made(kept_until + 0.2) == (second, authority)

    def test_one_that_was_made_while_the_clock_was_ahead_is_made_anew(self, tmp_path: Path) -> None:
        """Clients would refuse it, and its authority, until then."""
        make_or_renew(tmp_path, [], now=day(30))
        pair = make_or_renew(tmp_path, [], now=NOW)
        for path in (pair.certificate, pair.authority):
            assert read(path).not_valid_before_utc <= NOW

    def test_it_never_outlives_its_authority(self, tmp_path: Path) -> None:
        ends = read(make_or_renew(tmp_path, [], now=NOW).authority).not_valid_after_utc
        for before_the_end in (CERTIFICATE_DAYS + 1, CERTIFICATE_DAYS - 1, 1):
            now = ends - timedelta(days=before_the_end)
            pair = make_or_renew(tmp_path, [], now=now)
            shown, authority = read(pair.certificate), read(pair.authority)
            assert now < shown.not_valid_after_utc <= authority.not_valid_after_utc

    def test_a_new_name_makes_a_new_certificate_and_an_old_one_does_not(
        self, tmp_path: Path
    ) -> None:
        first = read(make_or_renew(tmp_path, ["192.168.1.5"]).certificate)
        assert read(make_or_renew(tmp_path, []).certificate) == first
        pair = make_or_renew(tmp_path, ["192.168.1.6"])
        assert "192.168.1.6" in map(str, hosts_of(read(pair.certificate)))
        assert read(pair.certificate).issuer == first.issuer

    def test_a_name_beyond_its_limits_makes_a_new_authority_and_says_so(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        first = make_or_renew(tmp_path, [])
        known = trusting(first.authority)
        before = read(first.authority)
        assert not caplog.records
        pair = make_or_renew(tmp_path, ["finesse.example.com"], now=day(0.5))
        assert read(pair.authority).subject != before.subject
        assert "trust it anew" in caplog.text
        assert shake_hands(server_context(pair), trusting(pair.authority), "finesse.example.com")
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(server_context(pair), known, "localhost")

    @pytest.mark.parametrize("other", ["notfinesse.example.com", "example.com", "8.8.8.8"])
    def test_names_that_look_like_its_own_are_beyond_its_limits(
        self, tmp_path: Path, other: str
    ) -> None:
        first = read(make_or_renew(tmp_path, ["finesse.example.com"]).authority)
        assert read(make_or_renew(tmp_path, ["a.finesse.example.com"]).authority) == first
        pair = make_or_renew(tmp_path, [other])
        assert shake_hands(server_context(pair), trusting(pair.authority), other)

    @pytest.mark.parametrize(
        "damaged", ["authority.pem", "authority.key", "server.pem", "server.key"]
    )
    @pytest.mark.parametrize("content", [None, b"", b"-----BEGIN"])
    def test_a_lost_or_damaged_file_is_made_again(
        self, tmp_path: Path, damaged: str, content: bytes | None
    ) -> None:
        make_or_renew(tmp_path, [])
        if content is None:
            (tmp_path / damaged).unlink()
        else:
            (tmp_path / damaged).write_bytes(content)
        pair = make_or_renew(tmp_path, [])
        assert shake_hands(server_context(pair), trusting(pair.authority), "localhost")

    def test_a_foreign_authority_is_not_taken_for_ours(self, tmp_path: Path) -> None:
        pair = make_or_renew(tmp_path / "ours", [])
        theirs = make_or_renew(tmp_path / "theirs", [])
        shutil.copy(theirs.certificate, pair.certificate)
        shutil.copy(theirs.key, pair.key)
        pair = make_or_renew(tmp_path / "ours", [])
        assert shake_hands(server_context(pair), trusting(pair.authority), "localhost")
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(server_context(pair), trusting(theirs.authority), "localhost")

    def test_processes_that_start_together_make_one_authority(self, tmp_path: Path) -> None:
        def make(_: int) -> bytes:
            pair = make_or_renew(tmp_path / "tls", [])
            assert pair.authority
            return pair.authority.read_bytes()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(make, range(8)))) == 1

    def test_a_key_with_a_password_is_an_error_and_not_a_question(self, tmp_path: Path) -> None:
        pair = make_or_renew(tmp_path, [])
        key = load_key(pair.key)
        assert key
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            )
        )
        with pytest.raises(ssl.SSLError):
            server_context(pair)

    @pytest.mark.parametrize("host", ["a..b", "x" * 64])
    def test_a_name_that_is_none_is_refused(self, tmp_path: Path, host: str) -> None:
        with pytest.raises(ValueError, match="label"):
            make_or_renew(tmp_path, [host])


class TestChosen:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, settings: Any) -> Path:
        settings.FINESSE_DATA_DIR = tmp_path
        settings.FINESSE_TLS_CERTIFICATE = settings.FINESSE_TLS_KEY = ""
        return tmp_path

    def test_it_is_made_for_every_name_that_settings_know(self, settings: Any) -> None:
        settings.ALLOWED_HOSTS = ["*", ".example.com", "[::1]", "finesse.test"]
        settings.FINESSE_HOST = "finesse.example.org"
        settings.FINESSE_XMPP_DOMAIN = "xmpp.example.net"
        names = set(map(str, hosts_of(read(certificate_files("192.168.1.5").certificate))))
        assert names == {
            *("*.example.com", "::1", "finesse.test", "finesse.example.org", "xmpp.example.net"),
            *("192.168.1.5", "localhost", "127.0.0.1", socket.gethostname()),
        }

    def test_the_operators_files_come_first(self, tmp_path: Path, settings: Any) -> None:
        own = make_or_renew(tmp_path / "own", [])
        settings.FINESSE_TLS_CERTIFICATE = str(own.certificate)
        settings.FINESSE_TLS_KEY = str(own.key)
        assert certificate_files() == CertificateFiles(own.certificate, own.key, None)
        assert not (tmp_path / "tls").exists()

    @pytest.mark.parametrize("alone", ["FINESSE_TLS_CERTIFICATE", "FINESSE_TLS_KEY"])
    def test_one_file_of_two_is_reported_at_start(self, settings: Any, alone: str) -> None:
        assert run_checks() == []
        setattr(settings, alone, "/etc/finesse/file.pem")
        (message,) = run_checks()
        assert message.id == "finesse.E003"

    async def test_a_server_that_runs_on_shows_the_renewed_certificate(
        self, tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.ERROR)
        own, renewed = make_or_renew(tmp_path / "own", []), make_or_renew(tmp_path / "renewed", [])
        settings.FINESSE_TLS_CERTIFICATE = str(own.certificate)
        settings.FINESSE_TLS_KEY = str(own.key)
        serving = server_context(certificate_files())
        client = ssl.create_default_context(cafile=own.authority)
        client.load_verify_locations(renewed.authority)
        first, second = read(own.certificate), read(renewed.certificate)
        keeping = asyncio.create_task(reload_regularly(serving, "", interval_seconds=0.01))
        try:
            # A renewal is two files: for a moment they do not fit.
            shutil.copy(renewed.certificate, own.certificate)
            async with asyncio.timeout(30):
                while "cannot be read anew" not in caplog.text:
                    await asyncio.sleep(0.01)
            assert shake_hands(serving, client, "localhost") == first
            shutil.copy(renewed.key, own.key)
            async with asyncio.timeout(30):
                while shake_hands(serving, client, "localhost") != second:
                    await asyncio.sleep(0.01)
        finally:
            keeping.cancel()


class SecureInstallation(Installation):
    """`manage.py run --tls`, on two ports."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.second_port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.authority = folder / "tls" / "authority.pem"

    def start(self) -> None:
        if not self.prepared:
            self.prepare()
        ports = ["--port", str(self.port), "--notification-port", str(self.second_port)]
        said = self.logs().count("Ctrl-C ends it")
        self._start("server", [sys.executable, "manage.py", "run", "--tls", *ports])
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self.logs().count("Ctrl-C ends it") == said:
            assert time.monotonic() < deadline, self.logs()
            assert self.processes["server"].poll() is None, self.logs()
            time.sleep(0.05)

    def stop(self, order: signal.Signals) -> int:
        process = self.processes.pop("server")
        process.send_signal(order)
        return process.wait(60)

    def client(self, **options: Any) -> httpx.Client:
        options = {
            "base_url": self.url,
            "verify": trusting(self.authority),
            "timeout": TIMEOUT_SECONDS,
            **options,
        }
        return httpx.Client(**options)

    @contextlib.contextmanager
    def watch(self, port: int | None = None, **headers: str) -> Iterator[Watcher]:
        address = f"wss://127.0.0.1:{port or self.port}/ws/notifications/"
        with connect(
            address,
            ssl=trusting(self.authority),
            additional_headers=headers,
            open_timeout=TIMEOUT_SECONDS,
        ) as connection:
            yield Watcher(connection)


NOT_READY = (
    "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
    {"Content-Type": "application/xml", "requestId": "over-tls"},
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureInstallation]:
    made = SecureInstallation(tmp_path_factory.mktemp("secure"))
    made.start()
    yield made
    made.end()


@pytest.mark.skipif(ON_SERVICES, reason="`run` is the embedded default")
class TestServer:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_both_ports_serve_clients_that_trust_the_authority(
        self, served: SecureInstallation, host: str
    ) -> None:
        for port in (served.port, served.second_port):
            with served.client(base_url=f"https://{host}:{port}") as client:
                assert client.get("/healthz").status_code == 200
                answer = client.get("/finesse/api/SystemInfo")
                info = fromstring(answer.content)
                assert info.findtext("primaryNode/httpsPort") == str(port)
                assert info.findtext("primaryNode/host") == host

    def test_clients_that_trust_other_authorities_are_warned(
        self, served: SecureInstallation, tmp_path: Path
    ) -> None:
        other = make_or_renew(tmp_path, []).authority
        for client in (ssl.create_default_context(), trusting(other)):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(f"{served.url}/healthz", verify=client, timeout=TIMEOUT_SECONDS)

    def test_a_socket_over_tls_gets_the_outcome_of_a_request_over_tls(
        self, served: SecureInstallation
    ) -> None:
        with served.watch(served.second_port, Authorization=basic("1234", "finesse")) as ana:
            ana.subscribe()
            body, headers = NOT_READY
            with served.client(auth=("1234", "finesse"), headers=headers) as client:
                answer = client.put("/finesse/api/User/1234/Media/5001", content=body)
            assert answer.status_code == 202
            while (frame := ana.receive()).get("requestId") != "over-tls":
                pass
            assert frame["source"].endswith("/User/1234/Media/5001")

    def test_people_sign_in_with_cookies_that_only_tls_carries(
        self, served: SecureInstallation
    ) -> None:
        with served.client() as browser:
            page = browser.get("/login/")
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert token
            form = {"csrfmiddlewaretoken": token[1], "username": "2001", "password": "finesse"}

            def sign_in(**headers: str) -> httpx.Response:
                return browser.post("/login/", data=form, headers=headers)

            # A page that came over TLS accepts no form from a page that did not.
            assert sign_in(Origin=served.url.replace("https", "http")).status_code == 403
            assert sign_in().status_code == 403
            signed_in = sign_in(Origin=served.url)
            assert signed_in.status_code == 302
            assert browser.get("/").status_code == 200
            set_cookies = [
                *page.headers.get_list("set-cookie"),
                *signed_in.headers.get_list("set-cookie"),
            ]
            assert {one.partition("=")[0] for one in set_cookies} == {"csrftoken", "sessionid"}
            assert all("; Secure" in one for one in set_cookies)
            cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        with served.watch(Cookie=cookies, Origin=served.url) as dana:
            assert dana.subscribe()["type"] == "subscribed"
        plain = served.url.replace("https", "http").replace("127.0.0.1", "localhost")
        with pytest.raises(InvalidStatus), served.watch(Cookie=cookies, Origin=plain):
            pass

    @pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b""])
    def test_a_client_without_tls_is_disconnected_without_an_answer(
        self, served: SecureInstallation, said: bytes
    ) -> None:
        before = served.logs()
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", served.port), timeout=45) as plain:
                plain.sendall(said)
                if said.startswith(b"GET"):
                    with contextlib.suppress(ConnectionResetError):
                        assert plain.recv(100) == b""
        with served.client() as client:
            assert client.get("/healthz").status_code == 200
        assert served.logs() == before

    def test_clients_that_leave_are_no_errors_either(self, served: SecureInstallation) -> None:
        before = served.logs()
        trust = trusting(served.authority)
        upgrade = (
            "GET /ws/notifications/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            f"Authorization: {basic('admin', 'finesse')}\r\n\r\n"
        )
        body = "POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx"
        for said in (upgrade, body, ""):
            for _ in range(20):
                plain = socket.create_connection(("127.0.0.1", served.port))
                with trust.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                    secure.sendall(said.encode())
                    if said is upgrade:
                        assert b" 101 " in secure.recv(1000)
                        secure.sendall(frame('{"type": "subscribe", "after": 0}'))
                    # As a process that is killed.
                    linger = struct.pack("ii", 1, 0)
                    secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        # Who does not trust the authority ends the handshake.
        for _ in range(20):
            plain = socket.create_connection(("127.0.0.1", served.port))
            with plain, pytest.raises(ssl.SSLCertVerificationError):
                ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")
        with served.client() as client:
            assert client.get("/healthz").status_code == 200
        assert served.logs() == before

    def test_silent_connections_delay_no_other(self, served: SecureInstallation) -> None:
        with contextlib.ExitStack() as silent:
            for _ in range(100):
                silent.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            with served.client(timeout=45) as client:
                assert client.get("/healthz").status_code == 200

    @pytest.mark.parametrize("said", [b"", b"\x16\x03\x01"])
    def test_connections_that_shake_no_hands_are_closed_where_there_are_many(
        self, served: SecureInstallation, said: bytes
    ) -> None:
        with contextlib.ExitStack() as opened:
            silent = [
                opened.enter_context(socket.create_connection(("127.0.0.1", served.port), 45))
                for _ in range(protocols.MAX_SILENT_CONNECTIONS_PER_ADDRESS + 50)
            ]
            for one in silent:
                one.sendall(said)
            # asyncio alone would give each a minute.
            for one in silent[-50:]:
                with contextlib.suppress(ConnectionResetError):
                    assert one.recv(100) == b""
            with served.client(timeout=45) as client:
                assert client.get("/healthz").status_code == 200

    def test_a_connection_over_tls_costs_little_memory(self, served: SecureInstallation) -> None:
        def resident() -> int:
            status = Path(f"/proc/{served.processes['server'].pid}/status").read_text()
            return int(status.partition("VmRSS:")[2].split()[0])

        trust = trusting(served.authority)

        def connected() -> ssl.SSLSocket:
            plain = socket.create_connection(("127.0.0.1", served.port))
            secure = trust.wrap_socket(plain, server_hostname="127.0.0.1")
            secure.sendall(b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 404")
            return secure

        with contextlib.ExitStack() as open_connections:
            for _ in range(20):
                open_connections.enter_context(connected())
            before = resident()
            for _ in range(200):
                open_connections.enter_context(connected())
            assert resident() - before < 200 * 150, "KiB"

    def test_the_curl_lines_that_it_prints_work(self, served: SecureInstallation) -> None:
        text = served.logs()
        for pattern, expected in (
            (r"curl --cacert .*/healthz\n", '"IN_SERVICE"'),
            (r"curl -i --cacert (.*\n)*?.*/5001\n", "HTTP/1.1 202"),
        ):
            found = re.search(pattern, text)
            assert found
            command = found[0]
            done = subprocess.run(
                command, shell=True, cwd=ROOT, capture_output=True, text=True, check=True
            )
            assert expected in done.stdout
        assert f"https://127.0.0.1:{served.second_port}/" in text

    @pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
    def test_it_ends_cleanly_with_sockets_open_and_is_trusted_at_the_next_start(
        self, tmp_path: Path, order: signal.Signals
    ) -> None:
        served = SecureInstallation(tmp_path)
        try:
            served.start()
            trust = trusting(served.authority)
            with (
                served.watch(Authorization=basic("1234", "finesse")) as ana,
                socket.create_connection(("127.0.0.1", served.port)),
            ):
                ana.subscribe()
                assert served.stop(order) == 0
            # Another name, another certificate; clients that trust the authority notice nothing.
            served.environment["FINESSE_HOST"] = "192.168.1.5"
            served.start()
            assert (
                httpx.get(
                    f"{served.url}/healthz", verify=trust, timeout=TIMEOUT_SECONDS
                ).status_code
                == 200
            )
            shown = x509.load_pem_x509_certificate((tmp_path / "tls" / "server.pem").read_bytes())
            assert "192.168.1.5" in map(str, hosts_of(shown))
            assert served.stop(order) == 0
        finally:
            served.end()
        assert "Traceback" not in served.logs()
        assert served.logs().count("Stopped.") == 2

    def test_a_taken_notification_port_is_reported_and_the_rest_is_served(
        self, tmp_path: Path
    ) -> None:
        served = SecureInstallation(tmp_path)
        try:
            with socket.create_server(("127.0.0.1", served.second_port)):
                served.start()
                with served.client() as client:
                    assert client.get("/healthz").status_code == 200
        finally:
            served.end()
        assert f"Port {served.second_port} is taken" in served.logs()
        assert f":{served.second_port}/," not in served.logs()

    def test_the_operators_certificate_is_shown_without_the_advice_to_trust_ours(
        self, tmp_path: Path
    ) -> None:
        own = make_or_renew(tmp_path / "own", [])
        served = SecureInstallation(tmp_path)
        served.environment |= {
            "FINESSE_TLS_CERTIFICATE": str(own.certificate),
            "FINESSE_TLS_KEY": str(own.key),
        }
        try:
            served.start()
            answer = httpx.get(
                f"{served.url}/healthz", verify=trusting(own.authority), timeout=TIMEOUT_SECONDS
            )
            assert answer.status_code == 200
        finally:
            served.end()
        assert "--cacert" not in served.logs()
        assert not served.authority.exists()

    def test_a_certificate_that_cannot_be_read_is_reported_before_anything_starts(
        self, tmp_path: Path
    ) -> None:
        served = SecureInstallation(tmp_path)
        served.environment |= {
            "FINESSE_TLS_CERTIFICATE": str(tmp_path / "missing.pem"),
            "FINESSE_TLS_KEY": str(tmp_path / "missing.key"),
        }
        with pytest.raises(AssertionError, match=r"missing\.pem") as refused:
            served.manage("run", "--tls", "--port", str(served.port))
        assert "Traceback" not in str(refused.value)
