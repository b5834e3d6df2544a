"""XMPP clients over WebSocket, when the database is restored from a backup."""

from collections.abc import AsyncIterator
from xml.etree.ElementTree import Element

import pytest
from channels.db import database_sync_to_async

from finesse.notifications import hub as hub_module
from finesse.notifications.hub import Hub
from finesse.xmpp.stanzas import PUBSUB as PUBSUB_NAMESPACE
from finesse.xmpp.stanzas import RSM, tag
from tests.kit import database
from tests.kit.followers import MEDIA, write
from tests.kit.xmpp_stream import PUBSUB, Stream, names

pytestmark = pytest.mark.django_db(transaction=True)
LOST = 4


@pytest.fixture
async def client() -> AsyncIterator[Stream]:
    made = await Stream().connect()
    yield made
    await made.leave()


async def go_back(hub: Hub) -> tuple[list[int], list[int], list[int]]:
    """Restore the database; the ids that the backup has, those that it undoes, and new ones."""
    kept = await write("bob", "bob")
    backup = await database_sync_to_async(database.rows)()
    lost = await write(*["bob"] * LOST)
    while hub.place.number != lost[-1]:
        await hub._catch_up()
    async with hub._advancing:
        await database_sync_to_async(database.empty_and_write)(backup)
        return kept, lost, await write(*["bob"] * 2 * LOST)


@pytest.mark.parametrize("priority", [0, -1, None])
async def test_the_stream_of_a_client_that_stayed_ends(
    hub: Hub, client: Stream, monkeypatch: pytest.MonkeyPatch, priority: int | None
) -> None:
    """Also if it has never been available: it may have retrieved items."""
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.05)
    await (await client.sign_in("alice")).bind()
    if priority is not None:
        await client.available(priority)
    await go_back(hub)
    assert await client.ended() == "reset"


async def test_items_are_retrieved_by_ids_of_this_log_only(hub: Hub, client: Stream) -> None:
    kept, lost, since = await go_back(hub)
    # A client that signs in before the hub has noticed is told to begin anew.
    while hub.place.number != since[-1]:
        await hub._catch_up()
    await (await client.sign_in("bob")).bind()
    for number in lost:
        for side in ("after", "before"):
            reply = await client.ask(retrieve(f"<{side}>{number}</{side}>"))
            assert names(reply) == ["iq", "error", "item-not-found"]
    after = await client.ask(retrieve(f"<after>{kept[0]}</after>"))
    assert ids(after) == [*kept[1:], *since]
    before = await client.ask(retrieve(f"<max>2</max><before>{since[0]}</before>"))
    assert ids(before) == kept
    wanted = "".join(f"<item id='{one}'/>" for one in (*kept, *lost, *since))
    assert ids(await client.ask(retrieve(items=wanted))) == [*kept, *since]


def retrieve(result_set: str = "", *, items: str = "") -> str:
    beside = f"<set xmlns='{RSM}'>{result_set}</set>"
    return PUBSUB("get", f"<items node='{MEDIA.format('bob')}'>{items}</items>{beside}")


def ids(reply: Element) -> list[int]:
    return [int(one.get("id", "")) for one in reply.iter(tag(PUBSUB_NAMESPACE, "item"))]
