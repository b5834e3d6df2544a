"""What one user, one origin and one socket may take; and that a replay lets others go first."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.test import Client
from uvicorn.protocols.utils import ClientDisconnected

from finesse.asgi import application
from finesse.notifications import consumers, log, socket_auth
from finesse.notifications.consumers import (
    ACCESS_ENDED,
    MAX_FRAMES_BEFORE_SUBSCRIPTION,
    NOT_SUBSCRIBED,
    TOO_MANY_FRAMES,
)
from finesse.notifications.follower import Follower
from finesse.notifications.hub import Hub
from finesse.notifications.turns import NOTIFICATIONS_PER_TURN, Turns
from finesse.server import admission, unread
from finesse.server.admission import Admissions
from tests.conftest import PASSWORD, Cast, basic
from tests.kit.deadlines import noted_calls_later
from tests.kit.followers import follow, head, write
from tests.kit.hostile_peer import Peer, frame
from tests.kit.installation import TIMEOUT_SECONDS
from tests.kit.served_here import Served, served_here
from tests.kit.viewer_sockets import (
    answer,
    delete_by_a_statement,
    expire,
    opened,
    refused,
    sign_out_in_another_tab,
    socket,
)
from tests.kit.xmpp_stream import Stream

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("server_loop")]
SUBSCRIBE = {"type": "subscribe", "after": None}


# --- how many -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def all_leave_their_places() -> Any:
    """At the end of each test."""
    yield
    for one in Admissions._of_loops.values():
        assert (dict(one._of_users), dict(one._strangers)) == ({}, {})


async def test_all_sockets_of_a_user_count_together(cast: Cast, settings: Any) -> None:
    settings.FINESSE_XMPP_CONNECTIONS_PER_USER = 2
    viewer = await opened(socket())
    stream = await (await Stream().connect()).sign_in()
    assert await refused(socket()) == 4429
    another = await opened(socket("bob"))
    await viewer.disconnect()
    third = await opened(socket())
    assert await refused(socket()) == 4429
    for one in (another, third):
        await one.disconnect()
    await stream.leave()


async def test_servers_that_can_answer_the_handshake_say_429(cast: Cast, settings: Any) -> None:
    settings.FINESSE_XMPP_CONNECTIONS_PER_USER = 0
    communicator = socket()
    communicator.scope["extensions"] = {"websocket.http.response": {}}
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output())["status"] == 429


async def test_handshakes_of_one_origin_wait_for_each_other_and_not_for_ever(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "HANDSHAKES_AT_ONCE", 2)
    go_on, asked = asyncio.Event(), []

    async def look(self: Any, cookies: Any) -> None:
        asked.append(cookies)
        await go_on.wait()

    monkeypatch.setattr(socket_auth._Authenticate, "_reader_of_session", look)
    monkeypatch.setattr(socket_auth, "HANDSHAKE_SECONDS", 60)
    waiting = [asyncio.create_task(refused(socket(None))) for _ in range(5)]
    while len(asked) < 2:
        await asyncio.sleep(0.001)
    # Clients from elsewhere do not wait for them.
    elsewhere = socket()
    elsewhere.scope["client"] = ("192.0.2.7", 1)
    await (await opened(elsewhere)).disconnect()
    assert len(asked) == 2
    monkeypatch.setattr(socket_auth, "HANDSHAKE_WAIT_SECONDS", 0.05)
    assert await refused(socket(None)) == 4429
    go_on.set()
    # All that were there get their answer.
    assert await asyncio.gather(*waiting) == [4401] * 5
    assert len(asked) == 5


# --- how long without a subscription ------------------------------------------------------------


async def test_a_socket_that_does_not_subscribe_is_closed(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SUBSCRIBE_TIMEOUT_SECONDS", 0.05)
    silent = await opened(socket())
    closed = await silent.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", NOT_SUBSCRIBED)
    await silent.disconnect()


async def test_a_socket_that_has_subscribed_has_no_deadline_any_more(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines = noted_calls_later(monkeypatch, seconds=1234.5)
    monkeypatch.setattr(consumers, "SUBSCRIBE_TIMEOUT_SECONDS", 1234.5)
    subscribed = await opened(socket())
    (deadline,) = deadlines
    assert not deadline.cancelled()
    await answer(subscribed, SUBSCRIBE)
    assert deadline.cancelled()
    await subscribed.disconnect()


async def test_a_socket_without_a_subscription_has_only_so_many_frames(cast: Cast) -> None:
    noisy = await opened(socket())
    for _ in range(MAX_FRAMES_BEFORE_SUBSCRIPTION):
        assert (await answer(noisy, "no json"))["type"] == "error"
    await noisy.send_to(text_data="no json")
    closed = await noisy.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", TOO_MANY_FRAMES)
    await noisy.disconnect()


@pytest.mark.parametrize("end", [sign_out_in_another_tab, delete_by_a_statement, expire])
async def test_a_socket_that_never_subscribed_ends_with_its_session_too(
    cast: Cast, end: Callable[[Client], None]
) -> None:
    browser = Client()
    await database_sync_to_async(browser.force_login)(cast.carol)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    viewer = await opened(socket(None, cookie=cookie, origin="http://testserver"))
    program = await opened(socket("alice"))
    await database_sync_to_async(end)(browser)
    closed = await viewer.receive_output(60)
    assert (closed["type"], closed["code"]) == ("websocket.close", ACCESS_ENDED)
    assert await program.receive_nothing()
    for one in (viewer, program):
        await one.disconnect()
    assert not (await Hub.running())._followers


async def test_a_socket_that_never_subscribed_ends_with_its_users_access(cast: Cast) -> None:
    alice = await opened(socket())
    cast.alice.set_password("another one")
    await database_sync_to_async(cast.alice.save)()
    closed = await alice.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", ACCESS_ENDED)
    await alice.disconnect()


# --- replay -------------------------------------------------------------------------------------


async def test_between_two_rounds_of_the_loop_one_replay_sends_a_few(cast: Cast, hub: Hub) -> None:
    """However many replays there are, and though no send ever waits."""
    count = 5 * NOTIFICATIONS_PER_TURN
    before_all = await head()
    await write(*["alice"] * count)
    # All of it is in memory, so that nothing but turns makes a replay wait.
    await hub._catch_up()
    sent = [0] * 30
    followers = [await follow(hub, "alice", before_all) for _ in sent]

    async def replay(number: int, follower: Follower) -> None:
        async for _ in follower:
            sent[number] += 1
            if sent[number] == count:
                return

    replays = [asyncio.create_task(replay(*one)) for one in enumerate(followers)]
    # Each begins with a few, in the order in which they subscribed.
    await asyncio.sleep(0)
    before, rounds = sum(sent), 0
    assert before <= NOTIFICATIONS_PER_TURN * len(sent)
    while not all(one.done() for one in replays):
        await asyncio.sleep(0)
        assert sum(sent) - before <= NOTIFICATIONS_PER_TURN
        # Nobody gets ahead of the others by more than a turn.
        assert max(sent) - min(sent) <= NOTIFICATIONS_PER_TURN
        before, rounds = sum(sent), rounds + 1
    assert sent == [count] * len(sent)
    assert rounds >= 4 * len(sent)
    for one in followers:
        hub.leave(one)


async def test_a_turn_of_a_client_that_has_gone_is_nobodys() -> None:
    turns_here = Turns.here()
    first, gone, last = [asyncio.create_task(turns_here.next()) for _ in range(3)]
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await asyncio.gather(first, last)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await turns_here.next()


async def test_one_page_at_a_time_is_read_from_the_table_for_each_user_in_turn(
    cast: Cast, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_recent", type(hub._recent)(maxlen=1))
    await write("alice", "bob", "alice", "bob", "alice")
    read: list[str] = []
    reading = 0
    ask = log.read

    def read_page(**options: Any) -> Any:
        nonlocal reading
        reading += 1
        assert reading == 1
        read.append("alice" if any("/alice/" in node for node in options["nodes"]) else "bob")
        found = ask(**options)
        reading -= 1
        return found

    monkeypatch.setattr("finesse.notifications.hub.log.read", read_page)
    many = [await follow(hub, "alice", 0) for _ in range(5)]
    one = await follow(hub, "bob", 0)
    pages = [asyncio.create_task(hub.history(follower)) for follower in (*many, one)]
    await asyncio.gather(*pages)
    assert read.index("bob") <= 1
    for follower in (*many, one):
        hub.leave(follower)


async def test_a_replay_stops_when_its_client_has_gone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "PAGE", 10)
    await write(*["alice"] * 200)
    pages: list[int] = []
    history = Hub.history

    async def count(self: Hub, follower: Follower) -> Any:
        pages.append(follower.place.position)
        return await history(self, follower)

    monkeypatch.setattr(Hub, "history", count)
    frames = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '{"type": "subscribe", "after": 0}'},
    ]
    failed = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if frames:
            return frames.pop(0)
        await failed.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(message: dict[str, Any]) -> None:
        if '"notification"' in message.get("text", ""):
            failed.set()
            raise OSError

    await application({**socket().scope, "type": "websocket"}, receive, send)
    assert pages == [0]
    assert not (await Hub.running())._followers


# --- a client that has gone, or does not read -----------------------------------------------------


@pytest.fixture
async def served(server_loop: None) -> AsyncIterator[Served]:
    async with served_here() as made:
        yield made


async def test_nothing_is_written_for_a_client_that_has_gone(
    cast: Cast, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio would log each write."""

    def connected() -> Peer:
        peer = Peer(served.port)
        peer.upgrade(f"Authorization: {basic('alice', PASSWORD)}", path="/ws/notifications/")
        return peer

    with ThreadPoolExecutor(1) as thread:
        peer = await asyncio.get_running_loop().run_in_executor(thread, connected)
    (connection,) = served.connections
    connection.transport.abort()
    for _ in range(20):
        with pytest.raises(ClientDisconnected):
            await connection.send({"type": "websocket.send", "text": "x"})
    assert "socket.send()" not in caplog.text
    peer.socket.close()


async def test_a_viewer_that_never_reads_is_cut_off_and_its_place_is_free(
    cast: Cast, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread, "UNREAD_TIMEOUT_SECONDS", 0.3)

    def connected() -> Peer:
        deaf = Peer(served.port, reads_little=True)
        deaf.upgrade(f"Authorization: {basic('alice', PASSWORD)}", path="/ws/notifications/")
        deaf.send(frame(json.dumps({"type": "subscribe", "after": 0})))
        return deaf

    await write_large("alice", count=400, size=20_000)
    # In a thread of its own: the loop's is for the server's queries.
    with ThreadPoolExecutor(1) as thread:
        deaf = await asyncio.get_running_loop().run_in_executor(thread, connected)
    async with asyncio.timeout(60):
        while not (await Hub.running())._followers:
            await asyncio.sleep(0.01)
        while served.connections or (await Hub.running())._followers:
            await asyncio.sleep(0.01)
    deaf.socket.close()


@database_sync_to_async
def write_large(user: str, *, count: int, size: int) -> None:
    node = f"/finesse/api/User/{user}/Media"
    entry = log.Entry(node=node, source=node, data={"x": "y" * size})
    with transaction.atomic():
        log.append(log.lock(), [entry] * count)
