"""A real installation, seen as its operator does: metrics, log lines as JSON, signs of life."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.kit.installation import (
    ON_SERVICES,
    ROOT,
    TIMEOUT_SECONDS,
    UVICORN,
    Installation,
    free_port,
)
from tests.kit.socket_client import watch
from tests.metrics.read import samples

PASSWORD = "Kupfer-Drachen~Gipfel?12"
NOT_FOUND = ("finesse_answers_total", "page", "404")
SOCKETS = ("finesse_sockets", "viewer")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("seen"))
    made.environment |= {"FINESSE_LOG_FORMAT": "json", "FINESSE_LOG_REQUESTS": "1"}
    made.start()
    yield made
    made.end()


def put(installation: Installation, state: str, request_id: str, mrd: int = 5001) -> int:
    reason = "<reasonCodeId>1001</reasonCodeId>" if state == "NOT_READY" else ""
    return httpx.put(
        f"{installation.url}/finesse/api/User/1234/Media/{mrd}",
        content=f"<Media><state>{state}</state>{reason}</Media>",
        headers={"Content-Type": "application/xml", "requestId": request_id},
        auth=("1234", "finesse"),
        timeout=TIMEOUT_SECONDS,
    ).status_code


def look(url: str) -> dict[tuple[str, ...], float]:
    answer = httpx.get(f"{url}/metrics", timeout=TIMEOUT_SECONDS)
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


def until(condition: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def lines(installation: Installation) -> list[dict[str, Any]]:
    return [json.loads(line) for line in installation.logs().splitlines() if line.startswith("{")]


def test_a_request_is_followed_by_its_id_from_server_to_worker(installation: Installation) -> None:
    assert put(installation, "NOT_READY", "end-to-end-1") == 202

    def both() -> list[dict[str, Any]]:
        found = [one for one in lines(installation) if one.get("requestId") == "end-to-end-1"]
        return found if len(found) == 2 else []

    accepted, applied = until(both, "no line of the outcome")
    if "Applied" in accepted["message"]:
        accepted, applied = applied, accepted
    assert accepted["message"] == "Accepted NOT_READY"
    assert applied["message"].startswith("Applied NOT_READY: ")
    assert applied["position"] >= 1
    for line in (accepted, applied):
        assert (line["user"], line["mrd"], line["level"]) == ("1234", 5001, "INFO")
    if ON_SERVICES:
        assert "server@" in accepted["process"]
        assert "worker@" in applied["process"]


def test_every_line_of_every_process_is_json(installation: Installation) -> None:
    httpx.get(
        f"{installation.url}/finesse/api/User/1234/Media/5001",
        auth=("1234", PASSWORD),
        timeout=TIMEOUT_SECONDS,
    )
    httpx.get(
        f"{installation.url}/healthz",
        headers={"Host": f"{PASSWORD}.example"},
        timeout=TIMEOUT_SECONDS,
    )
    text = installation.logs()
    # What a program prints at its start is no line of the log: banners of the demo and of Celery.
    ours = [line for line in text.splitlines() if " INFO " in line or " ERROR " in line]
    assert [line for line in ours if not line.startswith("{")] == []
    assert {"time", "level", "logger", "process", "message"} <= {*lines(installation)[-1]}
    assert PASSWORD not in text


def test_metrics_of_all_processes_are_one_page(installation: Installation) -> None:
    before = look(installation.url)
    assert put(installation, "READY", "m-1") == 202
    assert put(installation, "READY", "m-2", mrd=5000) == 202

    def counted() -> Any:
        seen = look(installation.url)
        # By the worker, and by the server, each in its time.
        keys = ("finesse_apply_seconds_count", "media"), ("finesse_answers_total", "api", "202")
        return seen if all(seen.get(key, 0) - before.get(key, 0) >= 2 for key in keys) else None

    seen = until(counted, "what worker and server count is not seen")
    assert seen["finesse_in_service",] == 1
    assert seen["finesse_requests_accepted_total",] >= 2
    assert seen["finesse_transport_lag", "channels"] >= 0
    assert seen["finesse_publish_seconds_count", "channels"] >= 1
    assert seen["finesse_task_seconds_count", "sweep"] >= 1


def test_a_killed_servers_sockets_are_gone_and_its_answers_stay(
    installation: Installation,
) -> None:
    port = free_port()
    other = f"http://127.0.0.1:{port}"
    environment = installation.environment
    with (installation.folder / "other.log").open("ab") as log:
        second = subprocess.Popen(
            [*UVICORN, "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def is_up() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{other}/livez", timeout=TIMEOUT_SECONDS).text == "alive\n"
        return False

    try:
        until(is_up, "the second server does not start")
        at_first = look(installation.url).get(NOT_FOUND, 0)
        for _ in range(5):
            httpx.get(f"{other}/no-such-page", timeout=TIMEOUT_SECONDS)
        with watch(other, "1235") as watcher:
            watcher.subscribe()

            def counted() -> Any:
                seen = look(installation.url)
                more = seen.get(NOT_FOUND, 0) - at_first
                return seen if seen.get(SOCKETS) and more >= 5 else None

            before = until(counted, "what the second server counts is not seen")
            assert before[SOCKETS] == 1
            # Either of them knows what both have counted.
            assert look(other)[NOT_FOUND] - at_first >= 5
            os.kill(second.pid, signal.SIGKILL)
            second.wait()
        after = look(installation.url)
        assert after.get(SOCKETS, 0) == 0
        assert after[NOT_FOUND] == before[NOT_FOUND]
    finally:
        second.kill()
        second.wait()


@pytest.mark.skipif(not ON_SERVICES, reason="one process is all of it")
def test_a_process_is_alive_until_it_stands_still(installation: Installation) -> None:
    def alive(role: str, *arguments: str) -> int:
        command = [sys.executable, "manage.py", "alive", role, *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=installation.environment, capture_output=True, check=False
        ).returncode

    for role in ("worker", "beat"):
        until(lambda role=role: alive(role) == 0, f"{role} shows no life")  # type: ignore[misc]
        os.kill(installation.pid(role), signal.SIGSTOP)
        try:
            until(
                lambda role=role: alive(role, "--longest-silence", "3") == 1,  # type: ignore[misc]
                f"{role} stands still and counts as alive",
            )
        finally:
            os.kill(installation.pid(role), signal.SIGCONT)
        until(lambda role=role: alive(role) == 0, f"{role} does not go on")  # type: ignore[misc]
    installation.kill("beat")
    assert alive("beat") == 1
    installation.start()


@pytest.mark.skipif(not ON_SERVICES, reason="the embedded worker cannot end by itself")
def test_a_killed_worker_takes_no_sockets_out_of_rotation(installation: Installation) -> None:
    installation.kill("worker")
    installation.await_status(503)
    url = installation.url
    assert httpx.get(f"{url}/readyz/api", timeout=TIMEOUT_SECONDS).status_code == 503
    assert httpx.get(f"{url}/readyz/sockets", timeout=TIMEOUT_SECONDS).status_code == 200
    assert httpx.get(f"{url}/livez", timeout=TIMEOUT_SECONDS).status_code == 200
    seen = look(url)
    assert seen["finesse_in_service",] == seen["finesse_part_up", "worker"] == 0
    # And so it is: a socket is opened.
    with watch(url, "1235") as watcher:
        watcher.subscribe()
    installation.start()
    assert httpx.get(f"{url}/readyz/api", timeout=TIMEOUT_SECONDS).status_code == 200
