"""2,000 notifications to 50 XMPP clients, and kill -9 of a part in their middle.

After a kill of any part, each client reconnects and has its notifications once, in order.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.kit.installation import ON_SERVICES, Installation
from tests.kit.xmpp_good_client import SYSTEM_INFO, TCP, GoodClient, WebSocket

USERS = [f"agent{number}" for number in range(25)]
RESOURCES = ["one", "two"]
MRDS = [5000, 5001, 5002, 6003, 6004]
REQUESTS = 400
"""Each a change in all MRDs, hence five notifications."""
WRITERS = 8
MAKE_USERS = f"""
import json
from finesse.notifications.models import LogHead
from finesse.users.models import User
from media.models import Media, MediaRoutingDomain
password = User.objects.get(pk="1234").password
for mrd in {MRDS}:
    MediaRoutingDomain.objects.get_or_create(pk=mrd, defaults={{"name": f"More {{mrd}}"}})
users, media = [], []
for one in {USERS}:
    users.append(User(login_id=one, password=password, team_id=1))
    # READY, as 1234 is for e-mails.
    fields = Media.objects.values().get(user="1234", mrd=5001)
    for mrd in {MRDS}:
        media.append(Media(**fields | {{"id": None, "user_id": one, "mrd_id": mrd}}))
User.objects.bulk_create(users)
Media.objects.bulk_create(media)
print(json.dumps(LogHead.objects.get().position))
"""
PUBLISHED = """
import json, time
from media.models import MediaRequest
from finesse.notifications.models import Notification
while MediaRequest.objects.filter(outcome=None): time.sleep(0.1)
found = Notification.objects.filter(position__gt={after}).order_by("position")
print(json.dumps([[one.node, one.place.number] for one in found]))
"""
# In the embedded default the component and the sockets are one process, the XMPP server its child.
KILLED = (
    [("xmpp", TCP), ("component", TCP), ("server", WebSocket)]
    if ON_SERVICES
    else [("server", TCP), ("server", WebSocket)]
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, xmpp=True)
    # The server ends its clients' streams if the component is away for so long: on a busy machine
    # that may take half a minute.
    made.environment["FINESSE_HEARTBEAT_SECONDS"] = "60"
    try:
        yield made
    finally:
        made.end()


class Writers:
    """All users change their state, each time it is another one; a few at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.accepted: Counter[str] = Counter()
        self._tasks = [asyncio.create_task(self._write(USERS[i::WRITERS])) for i in range(WRITERS)]

    async def upto(self, count: int) -> None:
        """Until so many are accepted."""
        while self.accepted.total() < count:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)

    async def _write(self, users: list[str]) -> None:
        async with httpx.AsyncClient(timeout=30) as http:
            for number in range(REQUESTS // len(USERS)):
                for user in users:
                    await self._put(http, user, 1001 + number % 2)
                    self.accepted[user] += 1

    async def _put(self, http: httpx.AsyncClient, user: str, reason_code: int) -> None:
        """Send it until it is accepted: a request accepted twice changes the state once."""
        change = f"<state>NOT_READY</state><reasonCodeId>{reason_code}</reasonCodeId>"
        media = [f"<Media><id>{mrd}</id>{change}</Media>" for mrd in MRDS]
        while True:
            try:
                answer = await http.put(
                    f"{self._url}/finesse/api/User/{user}/Media",
                    content=f"<MediaList>{''.join(media)}</MediaList>",
                    headers={"Content-Type": "application/xml"},
                    auth=(user, "finesse"),
                )
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code == 202:
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("killed", "wire"), KILLED)
async def test_each_client_has_each_notification_once_and_in_order(
    served: Installation, killed: str, wire: type[TCP | WebSocket]
) -> None:
    await asyncio.to_thread(served.start)
    start = await asyncio.to_thread(served.query, MAKE_USERS)
    clients = [GoodClient(served, user, one, wire) for user in USERS for one in RESOURCES]
    try:
        async with asyncio.timeout(60):
            for client in clients:
                await client.ready.wait()
                # At a first sign-in, with all the others, a client may have been refused once.
                client.losses.clear()
        writers = Writers(served.url)
        for part in (1, 2):
            await writers.upto(part * REQUESTS // 3)
            await asyncio.to_thread(served.kill, killed)
            await asyncio.to_thread(served.start)
        await writers.end()
        published = await asyncio.to_thread(served.query, PUBLISHED.format(after=start))
        expected = {node: [at for of, at in published if of == node] for node, _ in published}
        assert sum(len(expected[media(user)]) for user in USERS) == len(MRDS) * REQUESTS
        await all_received(clients, expected)
        for client in clients:
            assert client.got[media(client.user)] == expected[media(client.user)]
            assert client.got[SYSTEM_INFO] == expected.get(SYSTEM_INFO, [])
        disturbed = [client.losses for client in clients if client.losses]
        if killed == "component":
            # A component that comes back is nothing that a client notices; on a machine that
            # stands still, one may have been taken for dead.
            assert len(disturbed) <= len(clients) // 10, disturbed
        else:
            assert len(disturbed) == len(clients)
    finally:
        for client in clients:
            await client.end()


def media(user: str) -> str:
    return f"/finesse/api/User/{user}/Media"


async def all_received(clients: list[GoodClient], expected: dict[str, list[int]]) -> None:
    """Wait until each client has its last notification; after a minute, show the missing ones."""
    for _ in range(600):
        if all(
            client.got[media(client.user)][-1:] == expected[media(client.user)][-1:]
            for client in clients
        ):
            return
        await asyncio.sleep(0.1)
