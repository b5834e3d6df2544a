"""500 requests from several clients, with kill -9 in the middle: nothing lost, doubled, swapped."""

import itertools
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.kit.followers import position_of
from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation
from tests.kit.socket_client import watch

REQUESTS = 500
LOGIN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>IGNORE</interruptAction></Media>"
)
BODIES = [
    LOGIN,
    "<Media><state>READY</state></Media>",
    "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
    "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>",
    "<Media><state>READY</state></Media>",
    "<Media><state>LOGOUT</state><reasonCodeId>2001</reasonCodeId></Media>",
]
STREAMS = [("1234", 5000), ("1234", 5001), ("1235", 5000), ("1235", 5001), ("1300", 5002)]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.start()
    yield made
    made.end()


class Clients:
    """One thread for each user and MRD, so that each stream has an order of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accepted: dict[tuple[str, int], list[str]] = {stream: [] for stream in STREAMS}
        self.count = itertools.count(1)
        self.half_way = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=stream) for stream in STREAMS]
        for thread in self.threads:
            thread.start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join(90)
            assert not thread.is_alive()

    def _send(self, user: str, mrd: int) -> None:
        address = f"{self.url}/finesse/api/User/{user}/Media/{mrd}"
        with httpx.Client(auth=(user, "finesse"), timeout=TIMEOUT_SECONDS) as client:
            for number in range(REQUESTS // len(STREAMS)):
                self._put(client, address, f"{user}-{mrd}-{number}", (user, mrd), number)

    def _put(
        self, client: httpx.Client, address: str, name: str, stream: tuple[str, int], number: int
    ) -> None:
        """Send until it is accepted: under a new id each time, since the old may have been."""
        for attempt in itertools.count():
            request_id = f"{name}.{attempt}"
            headers = {"requestId": request_id, "Content-Type": "application/xml"}
            body = BODIES[number % len(BODIES)]
            try:
                response = client.put(address, content=body, headers=headers)
            except httpx.HTTPError:
                threading.Event().wait(0.05)
                continue
            if response.status_code == 202:
                self.accepted[stream].append(request_id)
                if next(self.count) == REQUESTS // 2:
                    self.half_way.set()
                return
            assert response.status_code == 503, response.text
            threading.Event().wait(0.05)


def test_a_burst_with_kill_9_in_the_middle_loses_doubles_and_swaps_nothing(
    installation: Installation,
) -> None:
    with watch(installation.url, "admin") as before:
        head = before.subscribe()["position"]
        clients = Clients(installation.url)
        assert clients.half_way.wait(TIMEOUT_SECONDS)
        installation.kill("worker" if ON_SERVICES else "server")
    installation.start()
    clients.join()
    ended = installation.query(
        "import json, time\n"
        "from media.models import MediaRequest\n"
        "deadline = time.monotonic() + 30\n"
        "while MediaRequest.objects.filter(outcome=None) and time.monotonic() < deadline:\n"
        "    time.sleep(0.1)\n"
        "print(json.dumps(list(MediaRequest.objects.order_by('id').values_list("
        "'request_id', 'login_id', 'mrd_id', 'outcome', 'position'))))"
    )

    # Every 202 has exactly one outcome.
    outcome = {request_id: (ended_as, position) for request_id, _, _, ended_as, position in ended}
    accepted = [request_id for stream in clients.accepted.values() for request_id in stream]
    assert len(accepted) == len(set(accepted)) == REQUESTS
    assert [one for one in accepted if outcome[one][0] is None] == []
    published = [position for _, _, _, _, position in ended if position]
    assert len(published) == len(set(published))

    # Positions are contiguous, and a client that reconnects has everything once and in order.
    with watch(installation.url, "admin") as after:
        answer = after.subscribe(head)
        assert (answer["type"], answer["resume"]) == ("subscribed", "replayed")
        # An outage that lasted is published, too, and its end may be the last of all.
        last = answer["position"]
        assert position_of(last) >= max(published)
        frames = after.until(last)
    positions = [position_of(frame["position"]) for frame in frames]
    assert positions == list(range(position_of(head) + 1, position_of(last) + 1))

    # Each source has its requests in the order in which they were accepted.
    by_source = defaultdict(list)
    for frame in frames:
        by_source[frame["source"]].append(frame["requestId"])
    for (user, mrd), sent in clients.accepted.items():
        seen = by_source[f"/finesse/api/User/{user}/Media/{mrd}"]
        published_and_accepted = [one for one in sent if outcome[one][1]]
        assert [one for one in seen if one in set(sent)] == published_and_accepted
