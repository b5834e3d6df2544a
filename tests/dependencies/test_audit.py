"""`make audit` against a server that speaks as OSV does: what it says, and how it ends."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.dependencies.audit import NONE_KNOWN, NOT_AUDITED, PIP_AUDIT, VULNERABLE, main
from tests.dependencies.pinned import ROOT

pytestmark = pytest.mark.skipif(not PIP_AUDIT.exists(), reason="make .venv/audit/installed")


class Vulnerabilities(BaseHTTPRequestHandler):
    known: dict[str, str] = {}
    """By the name of the package, the version that mends it."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        body = json.dumps(self._answer(name) if name in self.known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, name: str) -> dict[str, Any]:
        events = [{"introduced": "0"}, {"fixed": self.known[name]}]
        package = {"name": name, "ecosystem": "PyPI"}
        ranges = [{"type": "ECOSYSTEM", "events": events}]
        one = {"id": "GHSA-1", "summary": "x", "affected": [{"package": package, "ranges": ranges}]}
        return {"vulns": [one]}

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Vulnerabilities) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audit(url: str) -> int:
    return main(["--osv-url", url, str(ROOT / "benchmarks" / "requirements.txt")])


def test_without_a_known_vulnerability_it_ends_well(
    osv: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(osv) == NONE_KNOWN
    assert "audited, 0 with a known vulnerability" in capsys.readouterr().out


def test_a_vulnerable_package_is_named_with_the_version_that_mends_it(
    osv: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vulnerabilities, "known", {"uvloop": "999.0"})
    assert audit(osv) == VULNERABLE
    said = capsys.readouterr().out
    assert "uvloop" in said
    assert "GHSA-1; fixed in 999.0" in said


def test_where_the_data_cannot_be_reached_it_says_so_and_does_not_end_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert audit("http://127.0.0.1:9/v1/query") == NOT_AUDITED
    assert "NOT AUDITED" in capsys.readouterr().out
