"""/livez, /readyz and `manage.py alive`: what supervisors and load balancers ask."""

import os
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse import heartbeat, running, service_watch
from finesse.server.liveness import LivenessASGI, LivenessWSGI
from tests.conftest import API, silence

pytestmark = pytest.mark.usefixtures("cast")
PATHS = ("/readyz/api", "/readyz/sockets", "/healthz")


def statuses(api: API) -> list[int]:
    return [api.client.get(path).status_code for path in PATHS]


@pytest.mark.parametrize("part", heartbeat.PARTS)
def test_sockets_stay_in_rotation_without_a_worker(api: API, part: str) -> None:
    assert statuses(api) == [200, 200, 200]
    silence(part)
    assert statuses(api) == [503, 200, 503]
    # As the watch of a server has seen it, too.
    service_watch.look()
    try:
        assert statuses(api) == [503, 200, 503]
    finally:
        heartbeat._noted = None


def test_sockets_stay_in_rotation_without_a_cache(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> Any:
        raise RedisConnectionError("refused")

    with monkeypatch.context() as broken:
        broken.setattr(cache, "get_many", away)
        assert statuses(api) == [503, 200, 503]


def test_nothing_is_in_rotation_without_a_database(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_watch, "database_answers", lambda: False)
    assert statuses(api) == [503, 503, 503]
    answer = api.client.get("/readyz/sockets").json()
    assert answer == {"parts": {"database": "does not answer"}}


# --- /livez -------------------------------------------------------------------------------------


async def never(*args: Any) -> None:
    raise AssertionError("a probe has reached the application")


async def asgi(path: str, method: str = "GET") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method}
    await LivenessASGI(never)(scope, None, send)
    return sent


async def test_a_server_says_that_it_is_alive_and_asks_nothing_else() -> None:
    head, body = await asgi("/livez")
    assert (head["status"], body["body"]) == (200, b"alive\n")
    head, body = await asgi("/livez", "HEAD")
    assert (head["status"], body["body"]) == (200, b"")
    for request in (("/livez/more", "GET"), ("/livez", "POST")):
        with pytest.raises(AssertionError, match="reached"):
            await asgi(*request)


def test_under_wsgi_too() -> None:
    def application(environ: Any, start_response: Any) -> Any:
        return [b"the application"]

    started: list[str] = []

    def ask(path: str, method: str) -> bytes:
        environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
        answer = LivenessWSGI(application)(environ, lambda status, headers: started.append(status))
        return b"".join(answer)

    assert ask("/livez", "GET") == b"alive\n"
    assert ask("/livez", "HEAD") == b""
    assert started == ["200 OK", "200 OK"]
    assert ask("/", "GET") == ask("/livez", "PUT") == b"the application"


# --- manage.py alive ----------------------------------------------------------------------------


@pytest.fixture
def beat(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This process, as if it were a beat; the file with its signs of life."""
    settings.FINESSE_RUN_DIR = tmp_path / "run"
    name = f"beat-{os.getpid()}"
    monkeypatch.setattr(running, "_name", (os.getpid(), name))
    monkeypatch.setattr(running, "_held", None)
    running.show_life()
    return tmp_path / "run" / f"{name}.mark"


def alive(capsys: Any, *arguments: str) -> tuple[int, str]:
    status = 0
    try:
        call_command("alive", *arguments)
    except SystemExit as end:
        status = int(str(end.code))
    return status, capsys.readouterr().out


def silent_for(said: str) -> float:
    found = re.match(rf"beat {os.getpid()}: silent for (\d+\.\d) s", said)
    assert found, said
    return float(found[1])


def test_a_process_that_shows_life_is_alive(beat: Path, capsys: Any) -> None:
    status, said = alive(capsys, "beat")
    assert status == 0
    assert 0 <= silent_for(said) < 30


def test_a_process_that_stands_still_is_not(beat: Path, capsys: Any) -> None:
    long_ago = time.time() - 100
    os.utime(beat, (long_ago, long_ago))
    status, said = alive(capsys, "beat")
    assert status == 1
    assert 100 <= silent_for(said) < 130
    assert alive(capsys, "beat", "--longest-silence", "200")[0] == 0
    running.show_life()
    assert alive(capsys, "beat")[0] == 0


def test_where_none_runs_none_is_alive(beat: Path, capsys: Any) -> None:
    status, said = alive(capsys, "worker")
    assert status == 1
    assert "no worker runs" in said
    assert alive(capsys, "beat", "--pid", "1")[0] == 1
    # A process that only counts never shows life.
    os.utime(beat, (0, 0))
    assert alive(capsys, "beat")[0] == 1
    # What has ended holds no lock on its mark.
    (beat.parent / "worker-999999.mark").touch()
    assert alive(capsys, "worker")[0] == 1
    assert not (beat.parent / "worker-999999.mark").exists()
