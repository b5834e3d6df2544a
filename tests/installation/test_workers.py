"""Beats and workers that end, stand still, or whose clocks are wrong, beside real servers."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.kit.installation import ON_SERVICES, PATIENCE, Installation

pytestmark = pytest.mark.skipif(not ON_SERVICES, reason="one process is all of it")
STATES = ("READY", "NOT_READY")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.start()
    yield made
    made.end()


def put(installation: Installation, state: str) -> int:
    return httpx.put(
        f"{installation.url}/finesse/api/User/1234/Media/5001",
        content=f"<Media><state>{state}</state></Media>",
        headers={"Content-Type": "application/xml"},
        auth=("1234", "finesse"),
        timeout=20,
    ).status_code


def until_out_of_service(installation: Installation) -> None:
    """Go on calling for changes until they are refused."""
    deadline = time.monotonic() + PATIENCE
    number = 0
    while put(installation, STATES[number % 2]) == 202:
        number += 1
        assert time.monotonic() < deadline, "still in service"


def test_the_death_of_beat_is_seen_while_there_is_traffic(installation: Installation) -> None:
    installation.start_beat("another beat")
    installation.kill("beat")
    # The other one is enough, for much longer than a part may be silent.
    enough = time.monotonic() + 8
    while time.monotonic() < enough:
        assert put(installation, "READY") == 202
    installation.kill("another beat")
    until_out_of_service(installation)
    parts = installation.await_status(503)["parts"]
    assert {part for part, health in parts.items() if health != "ok"} == {"sweep"}
    installation.start()
    assert put(installation, "READY") == 202
