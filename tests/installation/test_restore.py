"""The drill: dump the database, go on, restore it, go on. Who saw what is lost is told."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest

from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.socket_client import Watcher, watch
from tests.kit.xmpp_good_client import GoodClient, WebSocket

USER = "1234"
MEDIA = f"/finesse/api/User/{USER}/Media"
BEFORE_THE_DUMP, LOST, SINCE = 2, 3, 6


@pytest.fixture
def served(tmp_path: Any) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.start()
    yield made
    made.end()


def change_states(served: Installation, count: int) -> None:
    """So many notifications, each applied before the next is asked for."""
    for _ in range(count):
        state = "NOT_READY" if read_state(served) == "READY" else "READY"
        reason = "<reasonCodeId>1001</reasonCodeId>" if state == "NOT_READY" else ""
        answer = httpx.put(
            f"{served.url}{MEDIA}/5001",
            content=f"<Media><state>{state}</state>{reason}</Media>",
            headers={"Content-Type": "application/xml"},
            auth=(USER, "finesse"),
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 202
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while read_state(served) != state:
            assert time.monotonic() < deadline, state


def read_state(served: Installation) -> str:
    answer = httpx.get(f"{served.url}{MEDIA}/5001", auth=(USER, "finesse"), timeout=TIMEOUT_SECONDS)
    return answer.text.partition("<state>")[2].partition("</state>")[0]


def come_back(served: Installation, after: int) -> tuple[str, list[int]]:
    """How the subscription is resumed, and the positions of the Media that follow at once.

    The outage while the database was restored may be published, too.
    """
    with watch(served.url, USER) as watcher:
        subscribed = watcher.subscribe(after)
        assert subscribed["type"] == "subscribed"
        if subscribed["resume"] != "replayed":
            return subscribed["resume"], []
        missed = watcher.until(subscribed["position"]) if subscribed["position"] > after else []
        return "replayed", [frame["position"] for frame in missed if frame["node"] == MEDIA]


class XMPP:
    """A client over WebSocket, to which nobody reads a promise: it keeps the ids that it saw."""

    def __init__(self, served: Installation, resource: str) -> None:
        self.client = GoodClient.__new__(GoodClient)
        self.wire = WebSocket(served)
        self.resource = resource

    async def sign_in(self) -> "XMPP":
        self.client.user, self.client.resource = USER, self.resource
        await self.client._sign_in(self.wire)
        return self

    async def ids(self, count: int) -> list[int]:
        found: list[int] = []
        while len(found) < count:
            stanza = await self.receive()
            found += [int(item.get("id", "")) for item in stanza.findall(".//{*}item")]
        return found

    async def receive(self) -> Element:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await self.wire.receive()

    async def items_after(self, last: int) -> Element:
        await self.wire.send(
            "<iq xmlns='jabber:client' type='get' id='after' to='pubsub.localhost'>"
            f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{MEDIA}'/>"
            f"<set xmlns='http://jabber.org/protocol/rsm'><after>{last}</after></set></pubsub></iq>"
        )
        while (answer := await self.receive()).get("id") != "after":
            pass
        return answer


async def test_everybody_who_saw_what_a_restore_has_undone_is_told(served: Installation) -> None:
    run = asyncio.to_thread
    stayed = await XMPP(served, "stayed").sign_in()
    returns = await XMPP(served, "returns").sign_in()
    with watch(served.url, USER) as watcher:
        watcher.subscribe()
        await run(change_states, served, BEFORE_THE_DUMP)
        kept = [frame["position"] for frame in (watcher.receive() for _ in range(BEFORE_THE_DUMP))]
        backup = await run(served.dump)
        await run(change_states, served, LOST)
        lost = [frame["position"] for frame in (watcher.receive() for _ in range(LOST))]
        ids = await returns.ids(BEFORE_THE_DUMP + LOST)
        assert ids[-1] == lost[-1]
        assert await stayed.ids(len(ids)) == ids
        await returns.wire.close()

        await run(served.restore, backup)
        # More than was lost: the log is longer than any client remembers.
        await run(change_states, served, SINCE)

        await run(assert_told, served, watcher)
    for position in (lost[0], lost[-1]):
        assert await run(come_back, served, position) == ("reset", [])
    resume, missed = await run(come_back, served, kept[-1])
    assert (resume, len(missed)) == ("replayed", SINCE + 1)

    while not (last := await stayed.receive()).tag.endswith("}error"):
        assert last.tag.endswith(("}message", "}presence"))
    again = await XMPP(served, "returns").sign_in()
    for position in (lost[0], lost[-1]):
        answer = await again.items_after(position)
        assert answer.get("type") == "error"
        assert answer.find(".//{*}item-not-found") is not None
    answer = await again.items_after(kept[-1])
    assert len(answer.findall(".//{*}item")) == SINCE + 1
    await stayed.wire.close()
    await again.wire.close()


def assert_told(served: Installation, watcher: Watcher) -> None:
    frames = []
    while (frame := watcher.receive(TIMEOUT_SECONDS))["type"] != "subscribed":
        frames.append(frame)
    assert frame["resume"] == "reset"
    # From there on it misses nothing.
    change_states(served, 1)
    assert watcher.receive(TIMEOUT_SECONDS)["type"] == "notification"
