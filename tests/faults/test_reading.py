"""How the suite asks the service at the end of a round."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.faults import reading
from tests.faults.history import Shown

MEDIA = "<Media><state>READY</state><routable>true</routable></Media>"


@contextmanager
def serving(*answers: tuple[int, str]) -> Iterator[str]:
    """The address of a server with these answers, one after the other, and the last one again."""
    left = [*answers]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_503_at_the_end_of_a_round_is_said_and_asked_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving((503, "<ApiErrors/>"), (200, MEDIA)) as url:
        shown = reading.final(url, [("1234", 5000)])
    assert shown == {("1234", 5000): Shown(state="READY", reason=-1, routable=True)}
    said = capsys.readouterr().out
    assert "GET /finesse/api/User/1234/Media/5000 at the round's end: 503" in said


def test_an_answer_that_ends_a_round_is_named_with_its_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_SECONDS", 0.0)
    for status in (503, 404):
        with (
            serving((status, "<ApiErrors/>")) as url,
            pytest.raises(AssertionError, match=f"GET /finesse/.*/5000: {status} <ApiErrors/>"),
        ):
            reading.final(url, [("1234", 5000)])
