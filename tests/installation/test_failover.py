"""PostgreSQL fails over to its streaming replica: nothing accepted is lost, and it goes on."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.kit.installation import LOAD_DEMO, ON_SERVICES, TIMEOUT_SECONDS, Installation
from tests.kit.proxy_between import Between
from tests.kit.replicated import PROGRAMS, Replicated

pytestmark = [
    pytest.mark.skipif(not ON_SERVICES, reason="SQLite has no replica"),
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL's own programs are not installed"),
    pytest.mark.timeout(600),
]

MEDIA = "/finesse/api/User/1234/Media/5001"
BODIES = (
    "<Media><state>READY</state></Media>",
    "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
)
PROMISED_SECONDS = 10.0
"""From the promotion to the first request that is accepted."""


class Following(Installation):
    """An installation whose address of the database follows the primary."""

    def __init__(self, folder: Path, replicated: Replicated) -> None:
        super().__init__(folder)
        self.between = Between(replicated.url("primary", self.name))
        self.environment["DATABASE_URL"] = self.between.url
        with psycopg.connect(replicated.url("primary"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{self.name}"')
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--no-imports", "-c", LOAD_DEMO)
        self.prepared = True

    def end(self) -> None:
        super().end()
        self.between.end()


@pytest.fixture
def replicated() -> Iterator[Replicated]:
    made = Replicated()
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture
def following(tmp_path: Path, replicated: Replicated) -> Iterator[Following]:
    made = Following(tmp_path, replicated)
    try:
        made.start()
        yield made
    finally:
        made.end()


class Client(threading.Thread):
    """Changes a state again and again, each time with a requestId of its own."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self.ended = threading.Event()
        self.accepted: dict[str, float] = {}
        self.refused: set[object] = set()

    def run(self) -> None:
        number = 0
        while not self.ended.wait(0.05):
            number += 1
            headers = {"Content-Type": "application/xml", "requestId": f"r-{number}"}
            try:
                answer = httpx.put(
                    self._url + MEDIA,
                    content=BODIES[number % 2],
                    headers=headers,
                    auth=("1234", "finesse"),
                    timeout=TIMEOUT_SECONDS,
                )
            except httpx.HTTPError as error:
                self.refused.add(type(error).__name__)
                continue
            if answer.status_code == 202:
                self.accepted[f"r-{number}"] = time.monotonic()
            else:
                self.refused.add(answer.status_code)

    def until_accepted(self, count: int) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        wanted = len(self.accepted) + count
        while len(self.accepted) < wanted:
            assert time.monotonic() < deadline, self.refused
            time.sleep(0.02)


OUTCOMES = """
import json
from media.models import MediaRequest
from finesse.notifications.models import Notification
print(json.dumps({
    "outcomes": [
        list(row)
        for row in MediaRequest.objects.exclude(request_id="").values_list("request_id", "outcome")
    ],
    "positions": list(Notification.objects.order_by("position").values_list("position", flat=True)),
}))
"""


def test_nothing_accepted_is_lost_when_the_replica_takes_over(
    following: Following, replicated: Replicated
) -> None:
    client = Client(following.url)
    client.start()
    try:
        client.until_accepted(10)
        replicated.kill_primary()
        time.sleep(1)
        following.between.lead_to(replicated.url("replica", following.name))
        replicated.promote()
        promoted = time.monotonic()
        client.until_accepted(10)
    finally:
        client.ended.set()
        client.join()
    following.await_status(200)
    back = min(at for at in client.accepted.values() if at > promoted) - promoted
    print(f"accepted again {back:.1f} s after the promotion; refused with {client.refused}")
    found = _when_applied(following)
    ids = [request_id for request_id, _ in found["outcomes"]]
    assert client.accepted.keys() <= {*ids}
    assert len(ids) == len({*ids})
    positions = found["positions"]
    assert positions == list(range(positions[0], positions[0] + len(positions)))
    assert client.refused <= {503}
    assert back < PROMISED_SECONDS


def _when_applied(following: Following) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        found: dict[str, Any] = json.loads(
            following.manage("shell", "--no-imports", "-c", OUTCOMES).splitlines()[-1]
        )
        if all(outcome for _, outcome in found["outcomes"]):
            return found
        assert time.monotonic() < deadline, found
