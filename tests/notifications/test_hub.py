"""The hub gives each follower all it may see, once and in order, even over a faulty layer."""

import asyncio
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.test import Client

from finesse.notifications import hub as hub_module
from finesse.notifications import log, publisher
from finesse.notifications.follower import AccessChanged
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.places import Place
from finesse.notifications.transports import channels
from finesse.users.models import Team, User
from tests.conftest import Cast
from tests.kit.followers import follow, head, position_of, reader, subscribe, take, write

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def prune(*numbers: int) -> None:
    Notification.objects.filter(position__in=map(position_of, numbers)).delete()


@database_sync_to_async
def numbers_at(*positions: int) -> list[int]:
    found = Notification.objects.in_bulk(positions)
    return [found[position].place.number for position in positions]


async def test_readers_and_the_notifications_that_they_see(hub: Hub) -> None:
    alice, bob, carol, dave = [await follow(hub, who) for who in ("alice", "bob", "carol", "dave")]
    a, b, c = await write("alice", "bob", "carol")
    assert await take(dave, 3) == [a, b, c]
    assert await take(carol, 2) == [a, c]
    assert await take(alice, 1) == [a]
    assert await take(bob, 1) == [b]
    # A notification that only dave may see is not the others' next one.
    of_dave, a, b = await write("dave", "alice", "bob")
    assert await take(dave, 3) == [of_dave, a, b]
    assert [await take(one, 1) for one in (alice, bob, carol)] == [[a], [b], [a]]


async def test_live_starts_behind_the_head_and_replay_behind_the_position(hub: Hub) -> None:
    first, second = await write("alice", "alice")
    replayed = await subscribe(hub, await reader("alice"), first)
    live = await subscribe(hub, await reader("alice"), None)
    assert (replayed[:2], live[:2]) == (("replayed", second), ("live", second))
    (new,) = await write("alice")
    assert await take(replayed[2], 2) == [second, new]
    assert await take(live[2], 1) == [new]


async def test_replay_shows_only_what_may_be_seen(hub: Hub) -> None:
    start = await head()
    positions = await write("alice", "bob", "alice", "carol")
    assert await take(await follow(hub, "bob", start), 1) == [positions[1]]
    assert (await take(await follow(hub, "carol", start), 3)) == [
        positions[0],
        positions[2],
        positions[3],
    ]


async def test_replay_reads_the_table_for_what_memory_has_not(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE", 2)
    start = await head()
    positions = await write(*["alice", "bob"] * 5)
    hub._recent.clear()
    follower = await follow(hub, "alice", start)
    assert await take(follower, 5) == positions[::2]


async def test_replay_from_memory_goes_page_by_page(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE", 2)
    start = await head()
    positions = await write(*["alice", "bob"] * 5)
    while hub.place.number < positions[-1]:
        await hub._catch_up()
    follower = await follow(hub, "alice", start)
    page, reached = await hub.history(follower)
    assert [one.place.number for one in page] == positions[:2]
    assert reached.number == positions[1]
    assert await take(follower, 5) == positions[::2]


async def test_notifications_pruned_before_the_hub_read_them_are_left_out(hub: Hub) -> None:
    start = await head()
    first = await write("alice", "alice", "alice")
    lost = await write("alice", "alice", "alice", publish=False)
    await prune(*lost[:2])
    while hub.place.number < lost[-1]:
        await hub._catch_up()
    left = [*first, lost[-1]]
    for after in (start, *first):
        behind = [position for position in left if position > after]
        assert await take(await follow(hub, "alice", after), len(behind)) == behind


async def test_a_position_that_was_pruned_or_never_was_is_a_reset(hub: Hub) -> None:
    follower = await follow(hub, "alice")
    start = await head()
    positions = await write("alice", "alice", "alice")
    # Until they have all arrived: a batch that comes later fills the window again.
    await take(follower, 3)
    await prune(start, positions[0])
    hub._recent.clear()
    nobody = await reader("alice")
    assert (await subscribe(hub, nobody, start))[0] == "reset"
    # Everything behind it is there, but nothing shows any more that it is of this log.
    assert (await subscribe(hub, nobody, positions[0]))[0] == "reset"
    assert (await subscribe(hub, nobody, positions[1]))[0] == "replayed"
    for another in (positions[1] + 1, positions[-1] + 1, position_of(positions[1])):
        assert (await subscribe(hub, nobody, another))[0] == "reset"


async def test_a_log_that_was_pruned_to_nothing_still_knows_its_head(hub: Hub) -> None:
    follower = await follow(hub, "alice")
    positions = await write("alice", "alice")
    await take(follower, 2)
    await database_sync_to_async(Notification.objects.all().delete)()
    hub._recent.clear()
    assert (await subscribe(hub, await reader("alice"), positions[-1]))[0] == "replayed"
    assert (await subscribe(hub, await reader("alice"), positions[0]))[0] == "reset"


async def test_what_the_layer_lost_is_read_from_the_table(hub: Hub) -> None:
    follower = await follow(hub, "alice")
    lost = await write("alice", "alice", publish=False)
    await database_sync_to_async(TransportCursor.objects.update_or_create)(
        name="channels", defaults={**Place.of_number(lost[-1])._asdict()}
    )
    heard = await write("alice")
    assert await take(follower, 3) == [*lost, *heard]


async def test_a_lost_last_message_is_noticed_by_the_next_word_about_the_head(hub: Hub) -> None:
    follower = await follow(hub, "alice")
    lost = await write("alice", publish=False)
    await database_sync_to_async(TransportCursor.objects.update_or_create)(
        name="channels", defaults={**Place.of_number(lost[-1])._asdict()}
    )
    await database_sync_to_async(publisher.publish_all)()
    assert await take(follower, 1) == lost


async def test_a_layer_that_says_nothing_at_all_is_not_waited_for(
    cast: Cast, server_loop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.05)
    hub = await Hub.running()
    follower = await follow(hub, "alice")
    written = await write("alice", publish=False)
    assert await take(follower, 1) == written
    assert hub._task is not None
    hub._task.cancel()


async def test_a_hub_that_starts_while_the_layer_is_away_listens_when_it_is_back(
    cast: Cast, server_loop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 3600)
    layer: Any = get_channel_layer()
    new_channel, group_add = layer.new_channel, layer.group_add
    refusals = [ConnectionError("the layer is away")]
    listens = asyncio.Event()

    async def away_at_first() -> str:
        if refusals:
            raise refusals.pop()
        return str(await new_channel())

    async def add(group: str, channel: str) -> None:
        await group_add(group, channel)
        listens.set()

    monkeypatch.setattr(layer, "new_channel", away_at_first)
    monkeypatch.setattr(layer, "group_add", add)
    hub = await Hub.running()
    follower = await follow(hub, "alice")
    async with asyncio.timeout(30):
        await listens.wait()
    written = await write("alice")
    assert await take(follower, 1) == written
    assert hub._task is not None
    hub._task.cancel()


async def test_messages_that_come_twice_or_late_are_seen_once_and_in_order(hub: Hub) -> None:
    follower = await follow(hub, "alice")
    await write("alice", "alice", publish=False)
    start = hub.place
    page, newest = await database_sync_to_async(log.read_on)(start)
    layer = get_channel_layer()
    assert layer is not None

    async def say(batch: list[Notification], after: Place, upto: Place) -> None:
        await layer.group_send(
            channels.GROUP,
            {
                "type": "notifications",
                "after": [*after],
                "head": [*upto],
                "access": newest.access,
                "batch": [channels._packed(one) for one in batch],
            },
        )

    first, second = [one.place for one in page]
    await say(page[1:], first, second)
    await say(page[:1], start, first)
    await say(page, start, second)
    last = await write("alice")
    assert await take(follower, 3) == [first.number, second.number, *last]


async def test_a_slow_follower_reads_the_table_and_misses_nothing(hub: Hub) -> None:
    hub._recent = deque(maxlen=3)
    slow, quick = await follow(hub, "alice"), await follow(hub, "alice")
    expected: list[int] = []
    for _ in range(4):
        new = await write("alice", "alice", "bob")
        expected += new[:2]
        assert await take(quick, 2) == new[:2]
    assert await take(slow, 8) == expected


async def test_a_new_member_of_the_team_is_seen_and_a_former_one_is_not(hub: Hub) -> None:
    carol, dave = await follow(hub, "carol"), await follow(hub, "dave")
    chat = await database_sync_to_async(Team.objects.get)(name="Chat")

    @database_sync_to_async
    def move(login_id: str, team: Team | None) -> None:
        user = User.objects.get(pk=login_id)
        user.team = team
        user.save()

    await move("bob", chat)
    await move("alice", None)
    of_alice, of_bob = await write("alice", "bob")
    # The moves themselves were published, too, on the nodes of the moved users. The three
    # notifications on the nodes of the teams have no subscribers.
    joined, left = await numbers_at(position_of(of_alice) - 5, position_of(of_alice) - 2)
    assert await take(dave, 4) == [joined, left, of_alice, of_bob]
    assert await take(carol, 2) == [joined, of_bob]


async def test_a_supervisor_who_loses_the_team_sees_it_no_more(hub: Hub, cast: Cast) -> None:
    carol, dave = await follow(hub, "carol"), await follow(hub, "dave")

    @database_sync_to_async
    def take_the_team_away() -> None:
        Team.objects.get(name="Chat").supervisors.clear()

    await take_the_team_away()
    of_alice, of_carol = await write("alice", "carol")
    # Before them, that carol herself has no teams any more.
    (before,) = await numbers_at(position_of(of_alice) - 1)
    assert await take(dave, 3) == [before, of_alice, of_carol]
    assert await take(carol, 2) == [before, of_carol]


@pytest.mark.parametrize("change", ["deactivated", "deleted", "new password"])
async def test_access_that_has_ended_ends_the_following(hub: Hub, cast: Cast, change: str) -> None:
    alice, dave = await follow(hub, "alice"), await follow(hub, "dave")

    @database_sync_to_async
    def apply() -> None:
        if change == "deleted":
            cast.alice.delete()
            return
        if change == "deactivated":
            cast.alice.is_active = False
        else:
            cast.alice.set_password("another")
        cast.alice.save()

    await apply()
    await write("alice")
    await take(dave, 1)
    async with asyncio.timeout(30):
        assert [one async for one in alice] == []


async def test_signing_in_does_not_disturb_the_sockets(hub: Hub, cast: Cast) -> None:
    before = await database_sync_to_async(log.head)()
    cast.alice.last_login = cast.alice.date_joined
    await database_sync_to_async(cast.alice.save)(update_fields=["last_login"])
    assert (await database_sync_to_async(log.head)()).access == before.access


async def test_a_user_that_lost_access_between_handshake_and_subscription_gets_nothing(
    hub: Hub, cast: Cast
) -> None:
    known = await reader("alice")
    cast.alice.is_active = False
    await database_sync_to_async(cast.alice.save)()
    _, _, follower = await subscribe(hub, known, 0)
    assert [one async for one in follower] == []


async def test_following_goes_on_when_the_database_was_away(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    follower = await follow(hub, "alice")
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away(place: Place) -> Any:
        loop.call_soon_threadsafe(tried.set)
        raise ConnectionError("the database is away")

    written = await write("alice", publish=False)
    with monkeypatch.context() as broken:
        broken.setattr(log, "read_on", away)
        broken.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.01)
        async with asyncio.timeout(30):
            await tried.wait()
    await database_sync_to_async(publisher.publish_all)()
    assert await take(follower, 1) == written
    assert "cannot read the log" in caplog.text


async def test_signing_out_ends_the_sockets_of_that_session_only(hub: Hub, cast: Cast) -> None:
    @database_sync_to_async
    def sign_in() -> Client:
        client = Client()
        client.force_login(cast.carol)
        return client

    here, there = await sign_in(), await sign_in()
    known = await reader("carol")
    of_here, of_there = [
        (await hub.subscribe(replace(known, session=client.session.session_key), None))[2]
        for client in (here, there)
    ]
    program = await follow(hub, "carol")
    await database_sync_to_async(here.post)("/logout/")
    async with asyncio.timeout(30):
        assert [one async for one in of_here] == []
    (position,) = await write("alice")
    assert [await take(one, 1) for one in (of_there, program)] == [[position], [position]]


async def test_queued_notifications_go_when_the_supervisor_loses_the_team(hub: Hub) -> None:
    carol, dave = await follow(hub, "carol"), await follow(hub, "dave")
    of_alice, of_carol = await write("alice", "carol")
    assert await take(dave, 2) == [of_alice, of_carol]

    @database_sync_to_async
    def take_the_team_away() -> None:
        Team.objects.get(name="Chat").supervisors.clear()

    await take_the_team_away()
    await write("dave")
    await take(dave, 1)
    # Both were queued before; only the own one is still hers to see.
    assert await take(carol, 1) == [of_carol]


async def test_a_supervisor_gets_an_access_change_when_the_team_has_changed(
    hub: Hub, cast: Cast
) -> None:
    carol = await follow(hub, "carol")
    await database_sync_to_async(cast.alice.delete)()
    async with asyncio.timeout(30):
        async for item in carol:
            if isinstance(item, AccessChanged):
                break


async def test_an_agent_gets_no_access_change_for_changes_of_others(hub: Hub, cast: Cast) -> None:
    bob = await follow(hub, "bob")
    await database_sync_to_async(cast.alice.delete)()
    (position,) = await write("bob")
    async with asyncio.timeout(30):
        async for item in bob:
            assert not isinstance(item, AccessChanged)
            assert item.place.number == position
            break
