"""The database is restored from a backup, and everybody who saw what that undoes is told.

Nobody says that there was a restore: positions are given again, and their check digits differ.
"""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import transaction

from finesse.notifications import hub as hub_module
from finesse.notifications import log, publisher
from finesse.notifications.follower import AccessChanged, Follower, LogRestored
from finesse.notifications.hub import Hub
from finesse.notifications.models import LogHead, Notification, TransportCursor
from finesse.notifications.places import BEGINNING, CHECK_DIGITS, Place
from finesse.users.models import Team
from tests.conftest import Cast
from tests.kit import database
from tests.kit.followers import follow, head, reader, subscribe, take, write

pytestmark = pytest.mark.django_db(transaction=True)
dump = database_sync_to_async(database.rows)
restore = database_sync_to_async(database.empty_and_write)
LOST = 6


async def restored(follower: Follower) -> int:
    """The number of the place from which the follower goes on; everything before it is old."""
    async with asyncio.timeout(60):
        async for item in follower:
            if isinstance(item, LogRestored):
                return item.place.number
    raise AssertionError("the end")


@database_sync_to_async
def hear_nothing() -> None:
    """As if the channel layer had lost every message."""
    newest = log.head().place
    TransportCursor.objects.update_or_create(name="channels", defaults=newest._asdict())


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "read"])
@pytest.mark.parametrize("since", [0, 1, LOST - 1, LOST, LOST + 1, 3 * LOST])
async def test_who_stayed_is_told_however_much_was_written_since(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, since: int, heard: bool
) -> None:
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.05)
    follower, watcher = await follow(hub, "alice"), await follow(hub, "dave")
    await write("alice", "alice")
    backup = await dump()
    lost = await write(*["alice"] * LOST)
    assert (await take(watcher, 2 + LOST))[-1] == lost[-1]
    async with hub._advancing:
        await restore(backup)
        if since:
            await write(*["alice"] * since, publish=heard)
        if not heard:
            await hear_nothing()
    newest = await head()
    for one in (watcher, follower):
        assert await restored(one) == newest
    after = await write("alice", "bob")
    assert await take(watcher, 2) == after
    assert await take(follower, 1) == after[:1]


async def test_a_sweep_that_has_nothing_to_hand_over_is_enough(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come every second, so the hub never finds that no message came."""
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 3600)
    follower = await follow(hub, "alice")
    # In the hub's memory: the head of the backup is a place where it has been.
    await take(follower, len(await write("alice", "alice")))
    backup = await dump()
    await take(follower, len(await write("alice")))
    await restore(backup)
    await database_sync_to_async(publisher.publish_all)()
    assert await restored(follower) == await head()


async def test_the_next_message_of_a_worker_is_enough(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However regularly messages come: the hub need not find time to read the table."""
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 3600)
    follower = await follow(hub, "alice")
    backup = await dump()
    await take(follower, len(await write(*["alice"] * LOST)))
    async with hub._advancing:
        await restore(backup)
        await write(*["alice"] * LOST, publish=False)
        await hear_nothing()
        # Its positions are the very next ones, but they follow others.
        await write("alice")
    assert await restored(follower) == await head()


async def test_who_comes_back_is_told_unless_the_backup_has_all_that_was_seen(hub: Hub) -> None:
    watcher = await follow(hub, "dave")
    kept = await write("alice", "alice")
    backup = await dump()
    lost = await write(*["alice"] * LOST)
    await take(watcher, 2 + LOST)
    async with hub._advancing:
        await restore(backup)
        since = await write(*["alice"] * 2 * LOST)
    await restored(watcher)
    alice = await reader("alice")
    for number in lost:
        assert (await subscribe(hub, alice, number))[0] == "reset"
    for number in kept:
        resume, _, follower = await subscribe(hub, alice, number)
        assert resume == "replayed"
        missed = [one for one in [*kept, *since] if one > number]
        assert await take(follower, len(missed)) == missed


async def test_a_server_that_has_started_since_tells_who_comes_back(
    cast: Cast, server_loop: None
) -> None:
    backup = await dump()
    lost = await write(*["alice"] * LOST)
    await restore(backup)
    since = await write(*["alice"] * 2 * LOST, publish=False)
    hub = await Hub.running()
    alice = await reader("alice")
    resumed = [(await subscribe(hub, alice, number))[0] for number in (*lost, *since)]
    assert resumed == ["reset"] * LOST + ["replayed"] * 2 * LOST
    assert hub._task is not None
    hub._task.cancel()


async def test_a_server_that_knows_nothing_of_it_yet_tells_later(hub: Hub) -> None:
    watcher = await follow(hub, "dave")
    backup = await dump()
    lost = await write(*["alice"] * LOST)
    await take(watcher, LOST)
    await restore(backup)
    resume, _, follower = await subscribe(hub, await reader("alice"), lost[0])
    assert resume == "replayed"
    await write("alice")
    assert await restored(follower) == await head()


async def test_who_subscribes_during_the_restart_is_not_left_in_the_old_log(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await dump()
    lost = await write(*["alice"] * LOST)
    await take(await follow(hub, "dave", lost[0]), LOST - 1)
    await restore(backup)
    look_up, asked, go_on = hub._as_of_now, asyncio.Event(), asyncio.Event()

    async def slowly(who: Any) -> Any:
        asked.set()
        await go_on.wait()
        return await look_up(who)

    monkeypatch.setattr(hub, "_as_of_now", slowly)
    subscribing = asyncio.create_task(subscribe(hub, await reader("alice"), lost[0]))
    await asked.wait()
    since = await write(*["alice"] * 2 * LOST)
    while hub.place.number != since[-1]:
        await hub._catch_up()
    go_on.set()
    resume, newest, _ = await subscribing
    assert (resume, newest) == ("reset", since[-1])


async def test_access_is_that_of_the_backup(hub: Hub, cast: Cast) -> None:
    """Also if as many changes of access were counted since."""
    backup = await dump()
    carol = await follow(hub, "carol")
    await database_sync_to_async(cast.alice.team.supervisors.clear)()
    async with asyncio.timeout(60):
        async for item in carol:
            if isinstance(item, AccessChanged):
                break
    async with hub._advancing:
        await restore(backup)
        await database_sync_to_async(Team.objects.create)(name="Another")
    await restored(carol)
    (of_alice,) = await write("alice")
    assert await take(carol, 1) == [of_alice]


def append(users: int) -> list[Place]:
    entry = log.Entry(node="n", source="s", data=None)
    return [one.place for one in log.append(log.lock(), [entry] * users, publish=False)]


@pytest.mark.parametrize("pruned", [0, 1, 2, 3, 4])
def test_a_log_that_goes_on_is_never_taken_for_another(db: None, pruned: int) -> None:
    with transaction.atomic():
        places = [BEGINNING, *append(2), *append(1), *append(1)]
    Notification.objects.filter(position__in=[one.position for one in places[1:]][:pruned]).delete()
    for place in places:
        page, newest = log.read_on(place)
        assert newest.place == places[-1]
        assert [one.place for one in page] == [one for one in places[pruned + 1 :] if one > place]


def test_numbers_grow_with_positions_and_are_exact_in_every_language() -> None:
    places = [Place(9, CHECK_DIGITS - 1), Place(10, 0), Place(10, 1), Place(90_000_000_000, 0)]
    numbers = [place.number for place in places]
    assert numbers == sorted(numbers)
    assert [Place.of_number(number) for number in numbers] == places
    assert numbers[-1] < 2**53


def test_what_is_written_twice_at_a_position_has_other_check_digits(db: None) -> None:
    seen = set()
    for _ in range(20):
        with transaction.atomic():
            seen.update(append(1))
            transaction.set_rollback(True)
    assert len({place.position for place in seen}) == 1
    assert len(seen) > 15


async def test_a_head_without_check_digits_is_no_other_log(
    cast: Cast, server_loop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker of the last version leaves it, which may still run during an update."""
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.05)
    await write("alice")
    await database_sync_to_async(LogHead.objects.update)(check_digits=7)
    hub = await Hub.running()
    follower = await follow(hub, "alice")
    for _ in range(3):
        await hub._catch_up()
    new = await write("alice")
    assert await take(follower, 1) == new
    assert hub._task is not None
    hub._task.cancel()
