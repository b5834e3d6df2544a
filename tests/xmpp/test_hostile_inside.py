"""Hostile peers of the XMPP WebSocket, seen from inside of the server and with shorter limits."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from channels.db import database_sync_to_async
from django.db import connections, transaction

from finesse.notifications import hub, log, publisher
from finesse.notifications.models import Subscription
from finesse.server import protocols
from finesse.users import passwords, sign_in_threads
from finesse.xmpp import consumer
from finesse.xmpp.client_session import ClientSession
from finesse.xmpp.connections import Connections
from tests.conftest import PASSWORD, Cast
from tests.kit.followers import MEDIA, write
from tests.kit.hostile_peer import (
    Peer,
    frame,
)
from tests.kit.served_here import Served, served_here
from tests.kit.xmpp_stream import PUBSUB, Stream, auth, names, plain

ONLINE = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"


@pytest.fixture
async def served(server_loop: None) -> AsyncIterator[Served]:
    async with served_here() as made:
        yield made


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("head", [b"", b"GET /ws/ HTTP/1.1\r\nHost: loc", b"\x16\x03\x01"])
async def test_a_connection_that_does_not_say_what_it_wants_is_closed(
    served: Served, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(protocols, "REQUEST_HEAD_TIMEOUT_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head)
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(30):
            await reader.read()
    writer.close()


@pytest.mark.django_db(transaction=True)
async def test_a_second_request_has_to_come_whole_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "REQUEST_HEAD_TIMEOUT_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"HEAD /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(b"HEAD /login/")
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(30):
            assert await reader.read() == b""
    writer.close()


@pytest.mark.django_db(transaction=True)
async def test_a_client_who_reads_nothing_is_cut_off_and_its_place_is_free(
    cast: Cast, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "SEND_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(consumer, "STREAM_END_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(protocols, "CLOSE_TIMEOUT_SECONDS", 0.2)
    deaf = await apart(connected, served.port)
    listening = await (await Stream().connect()).sign_in()
    await (await listening.bind("listens")).available()
    # More than a page of the log and the system's buffers hold.
    due = await publish(MEDIA.format("alice"), count=600, size=20_000)
    assert [(await listening.item())[1] for _ in due] == due
    # Its place is free, and the connection itself gone with all that was kept for it.
    async with asyncio.timeout(30):
        while len(Connections.here()._clients) > 1 or served.connections:
            await asyncio.sleep(0.05)
    (last,) = await write("alice")
    assert await listening.item() == (MEDIA.format("alice"), last)
    await listening.leave()
    deaf.socket.close()


@pytest.mark.django_db(transaction=True)
async def test_no_more_is_parsed_than_the_application_has_come_to(
    cast: Cast, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await apart(connected, served.port)
    (connection,) = served.connections
    parsed = connection.queue
    waiting: list[int] = []

    def count(event: Any) -> None:
        type(parsed).put_nowait(parsed, event)
        waiting.append(parsed.qsize())

    monkeypatch.setattr(parsed, "put_nowait", count)
    client.send(*[frame(" ")] * 1000, frame(ONLINE))
    assert await apart(answered, client) == "1"
    assert 0 < max(waiting) <= protocols.PARSED_AT_ONCE_BYTES / len(frame(" ")) + 1


def answered(peer: Peer) -> str | None:
    """The id of the answer that comes; the presences before it have none."""
    with peer:
        while isinstance(element := peer.read(), Element):
            if identifier := element.get("id"):
                return identifier
    return None


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("server_loop")
async def test_all_clients_of_a_user_ask_for_one_thing_at_a_time(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [
        await (await (await Stream().connect()).sign_in(name)).bind()
        for name in ("alice", "alice", "alice", "bob")
    ]
    asking: list[str] = []
    go_on = asyncio.Event()

    async def wait(session: ClientSession, *_: Any) -> None:
        asking.append(session.login_id)
        await go_on.wait()

    monkeypatch.setattr(consumer, "answer", wait)
    for client in clients:
        await client.say(ONLINE)
    async with asyncio.timeout(30):
        while len(asking) < 2:
            await asyncio.sleep(0.001)
    assert await clients[0].silent()
    assert sorted(asking) == ["alice", "bob"]
    go_on.set()
    async with asyncio.timeout(30):
        while len(asking) < 4:
            await asyncio.sleep(0.001)
    for client in clients:
        await client.leave()


@database_sync_to_async
def publish(node: str, count: int = 1, size: int = 1) -> list[int]:
    """As many notifications, each of so many characters; their ids."""
    entry = log.Entry(node=node, source=node, data={"x": "y" * size})
    with transaction.atomic():
        written = log.append(log.lock(), [entry] * count)
    publisher.publish_all()
    return [one.place.number for one in written]


async def apart(work: Callable[..., Any], *args: Any) -> Any:
    """Call it in a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return await asyncio.get_running_loop().run_in_executor(thread, work, *args)


def connected(port: int) -> Peer:
    made = Peer(port, reads_little=True)
    made.upgrade()
    made.sign_in("alice", PASSWORD).bind("deaf")
    made.say("<presence/>")
    return made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are for signing in; their database connections are closed."""
    count = sign_in_threads.THREADS
    with ThreadPoolExecutor(count) as pool:
        yield pool
        together = threading.Barrier(count)
        list(pool.map(lambda _: (together.wait(60), connections.close_all()), range(count)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("server_loop")
async def test_a_known_user_signs_in_while_others_guess(
    cast: Cast, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = await Stream().connect()
    await known.sign_in()
    monkeypatch.setattr(sign_in_threads, "POOL", threads)
    checked = threading.Event()
    monkeypatch.setattr(passwords, "_check", lambda *_: not checked.wait(60))
    guessing = [await Stream().connect() for _ in range(30)]
    try:
        for number, one in enumerate(guessing):
            await one.open()
            await one.say(auth(plain(f"nobody-{number}")))
        again = await Stream().connect()
        await again.sign_in()
        # Sign-ins for which no place is left are refused at once.
        answers = [names(await one.read()) for one in guessing[-10:]]
        assert answers == [["failure", "temporary-auth-failure"]] * 10
    finally:
        checked.set()
        for one in (known, again, *guessing):
            await one.leave()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("server_loop")
async def test_a_subscription_in_the_middle_of_a_review_is_kept(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The review asked before it; its answer must neither undo it nor end the stream."""
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client = await (await (await Stream().connect()).sign_in("carol")).bind()
    await client.available()
    answered, go_on = asyncio.Event(), asyncio.Event()
    ask = hub.renewed

    async def ask_slowly(readers: Any) -> Any:
        found = await ask(readers)
        answered.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(hub, "renewed", ask_slowly)
    await database_sync_to_async(log.count_access_change)()
    async with asyncio.timeout(30):
        await answered.wait()
        await client.say(PUBSUB("set", f"<subscribe node='{node}' jid='{client.jid}'/>"))
        while not await database_sync_to_async(Subscription.objects.exists)():
            pass
    assert await client.silent()
    go_on.set()
    assert (await client.read()).get("type") == "result"
    (position,) = await publish(node)
    assert await client.item() == (node, position)
    await client.leave()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("server_loop")
@pytest.mark.parametrize("presence", ["", "<presence/>", "<presence type='unavailable'/>"])
@pytest.mark.parametrize("change", ["closed", "deleted", "password"])
async def test_a_client_whose_access_ends_is_cut_off_present_or_not(
    cast: Cast, presence: str, change: str
) -> None:
    client = await (await (await Stream().connect()).sign_in()).bind()
    if presence:
        await client.available()
        await client.say(presence)
        if presence == "<presence/>":
            await client.read()

    def end() -> None:
        if change == "closed":
            cast.alice.is_active = False
        cast.alice.set_password(PASSWORD if change == "closed" else "another horse")
        if change == "deleted":
            cast.alice.delete()
        else:
            cast.alice.save()

    await database_sync_to_async(end)()
    while names(element := await client.read())[0] == "message":
        pass
    assert names(element) == ["error", "not-authorized"]
    await client.leave()
