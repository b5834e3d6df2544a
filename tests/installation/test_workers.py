"""Beats and workers that end, stand still, or whose clocks are wrong, beside real servers."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation
from tests.kit.lateness import Lateness
from tests.kit.stopped_writer import STOPPING_WRITER, is_stopped, until

pytestmark = pytest.mark.skipif(not ON_SERVICES, reason="one process is all of it")
STATES = ("READY", "NOT_READY")
HEARTBEAT_SECONDS = 20
PACE_SECONDS = 0.05
"""Between requests, so that traffic does not keep a busy machine from the heartbeat."""


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.environment["FINESSE_HEARTBEAT_SECONDS"] = str(HEARTBEAT_SECONDS)
    made.start()
    yield made
    made.end()


def put(installation: Installation, state: str) -> int:
    reason = "<reasonCodeId>1001</reasonCodeId>" if state == "NOT_READY" else ""
    return httpx.put(
        f"{installation.url}/finesse/api/User/1234/Media/5001",
        content=f"<Media><state>{state}</state>{reason}</Media>",
        headers={"Content-Type": "application/xml"},
        auth=("1234", "finesse"),
        timeout=TIMEOUT_SECONDS,
    ).status_code


def until_out_of_service(installation: Installation) -> None:
    """Go on calling for changes until they are refused."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    number = 0
    while (status := put(installation, STATES[number % 2])) == 202:
        number += 1
        assert time.monotonic() < deadline, "still in service"
        time.sleep(PACE_SECONDS)
    assert status == 503


def test_the_death_of_beat_is_seen_while_there_is_traffic(installation: Installation) -> None:
    installation.start_beat("another beat")
    until(lambda: has_connected(installation, "another beat"), "the other beat does not start")
    installation.kill("beat")
    # The other one is enough, for longer than a part may be silent.
    enough = time.monotonic() + 1.5 * HEARTBEAT_SECONDS
    while time.monotonic() < enough:
        assert put(installation, "READY") == 202
        time.sleep(PACE_SECONDS)
    installation.kill("another beat")
    until_out_of_service(installation)
    until(lambda: silent_parts(installation) == {"sweep"}, "another part is silent, too")
    installation.start()
    assert put(installation, "READY") == 202


def silent_parts(installation: Installation) -> set[str]:
    parts = installation.await_status(503)["parts"]
    return {part for part, health in parts.items() if health != "ok"}


def has_connected(installation: Installation, role: str) -> bool:
    """Whether it has a connection, to the broker: it says that it starts long before it does."""
    files = Path(f"/proc/{installation.pid(role)}/fd").iterdir()
    given = {"0", "1", "2"}
    return any(file.name not in given and "socket:" in link_of(file) for file in files)


def link_of(file: Path) -> str:
    try:
        return str(file.readlink())
    except FileNotFoundError:
        return ""  # It was closed meanwhile.


def state(installation: Installation) -> str:
    url = f"{installation.url}/finesse/api/User/1234/Media/5001"
    answer = httpx.get(url, auth=("1234", "finesse"), timeout=TIMEOUT_SECONDS)
    return fromstring(answer.content).findtext("state") or ""


def another_state(installation: Installation) -> str:
    now = state(installation)
    return next(one for one in STATES if one != now)


@pytest.mark.parametrize("when", ["before", "after"])
def test_another_worker_takes_over_from_a_writer_that_is_stopped(
    installation: Installation, when: str
) -> None:
    """It is stopped with the lock, before or after its writes; others are stopped in the queue."""
    queue = ["queued", "queued too"]
    for role in ("stopped", *queue):
        installation.start_program(role, STOPPING_WRITER.format(when=when))
    roles = {"stopped", *queue}
    calls = 0

    def one_is_stopped() -> bool:
        nonlocal calls
        assert put(installation, STATES[calls % 2]) == 202
        calls += 1
        return any(is_stopped(installation, role) for role in roles)

    until(one_is_stopped, "no writer was stopped")
    stopped_at = time.monotonic()
    with Lateness() as lateness:
        for role in roles:
            os.kill(installation.pid(role), signal.SIGSTOP)
        # Not the state of now, which would be seen before anybody has taken over.
        wanted = another_state(installation)
        assert put(installation, wanted) == 202
        until(lambda: state(installation) == wanted, "nobody has taken over")
    assert time.monotonic() - stopped_at - lateness.seconds < 5
    for role in roles:
        os.kill(installation.pid(role), signal.SIGCONT)
    until(lambda: "The stopped writer was refused" in installation.logs(), "it was not refused")
    for role in roles:
        installation.kill(role)
    wanted = another_state(installation)
    assert put(installation, wanted) == 202
    until(lambda: state(installation) == wanted, "the writer does not go on")
    assert installation.query(ONE_OUTCOME_EACH) == [0, 0, 0]


ONE_OUTCOME_EACH = """
import json
from django.db.models import Count, Max
from finesse.notifications.models import Notification
from media.models import MediaRequest, StateInterval
log = Notification.objects.aggregate(count=Count("pk"), last=Max("pk"))
open_intervals = StateInterval.objects.filter(login_id="1234", mrd_id=5001, ended_at=None)
print(json.dumps([
    MediaRequest.objects.exclude(outcome__in=["changed", "ignored"]).count(),
    log["count"] - log["last"],
    open_intervals.count() - 1,
]))
"""
