"""The component as an XMPP server meets it: a scripted one, over a real connection (XEP-0114)."""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from xml.etree.ElementTree import Element, XMLPullParser

import pytest
from channels.db import database_sync_to_async

from finesse import heartbeat
from finesse.notifications import hub as hub_module
from finesse.notifications.hub import Hub
from finesse.notifications.models import Notification, TransportCursor
from finesse.notifications.places import CHECK_DIGITS, Place
from finesse.users.models import User
from finesse.xmpp import component, pubsub, remote
from tests.conftest import Cast
from tests.kit import database
from tests.kit.followers import MEDIA, head, position_of, write
from tests.kit.xmpp_stream import names

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "between us"
ITEM = "{http://jabber.org/protocol/pubsub#event}item"
ITEMS = "<iq type='get' id='{}' from='{}' to='pubsub.localhost'>" + (
    "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{}'/></pubsub></iq>"
)
ALICE = "alice@localhost/a"


class Server:
    """Takes one component at a time. It answers pings while `answers_pings` is set."""

    def __init__(self) -> None:
        self.answers_pings = True
        self.handshake = ""
        self.ended = asyncio.Event()
        self.pings = 0
        self._pings: list[str] = []
        self._said: asyncio.Queue[Element] = asyncio.Queue()
        self._connected = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()

    async def start(self) -> int:
        # A small window: bytes that are not read stay with the component.
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=4096)
        (socket,) = self._server.sockets
        socket.setsockopt(1, 8, 4096)
        port: int = socket.getsockname()[1]
        return port

    async def stop(self) -> None:
        self._server.close()
        if self._connected.is_set():
            self._writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ended.clear()
        self._pings.clear()
        self._writer = writer
        parser, depth = XMLPullParser(("start", "end")), 0
        while data := await self._read(reader):
            parser.feed(data)
            for event, element in parser.read_events():
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    self.say(
                        "<stream:stream xmlns='jabber:component:accept' id='s1' "
                        "xmlns:stream='http://etherx.jabber.org/streams' from='pubsub.localhost'>"
                    )
                elif event == "end" and depth == 1:
                    self._take(element)
        self._connected.clear()
        self.ended.set()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        await self._may_read.wait()
        with contextlib.suppress(ConnectionError):
            return await reader.read(4096)
        return b""

    def _take(self, element: Element) -> None:
        if element.tag.endswith("}handshake"):
            self.handshake = element.text or ""
            self._connected.set()
        elif names(element) == ["iq", "ping"]:
            self.pings += 1
            self._pings.append(element.get("id", ""))
            if self.answers_pings:
                self.answer_pings()
        else:
            self._said.put_nowait(element)

    async def hang_up(self) -> None:
        self._connected.clear()
        self._writer.close()
        await self.ended.wait()

    def answer_pings(self) -> None:
        self.answers_pings = True
        while self._pings:
            self.say(f"<iq type='result' id='{self._pings.pop()}' from='localhost'/>")

    def say(self, text: str) -> None:
        self._writer.write(text.encode())

    def announce(self, *what: str, sender: str = "localhost") -> None:
        """As the module does."""
        for one in what:
            name, _, attributes = one.partition(" ")
            element = f"<{name} xmlns='urn:finesse-media:sessions' {attributes}/>"
            self.say(f"<message from='{sender}' to='pubsub.localhost'>{element}</message>")

    async def accept(self, *clients: str) -> None:
        """Let the component in, and announce the clients that are here."""
        async with asyncio.timeout(30):
            await self._connected.wait()
        self.say("<handshake/>")
        self.announce(*clients, "synced")

    async def read(self) -> Element:
        async with asyncio.timeout(30):
            return await self._said.get()

    async def answers(self) -> list[tuple[str, str, str]]:
        """The component's answers to the module: name, address, position or condition."""
        message = await self.read()
        assert (message.get("from"), message.get("to")) == ("pubsub.localhost", "localhost")
        return [
            (names(one)[0], one.get("jid", ""), one.get("position") or one.get("condition", ""))
            for one in message
        ]

    async def item(self) -> tuple[str, int]:
        """The recipient and the position of the next stanza."""
        message = await self.read()
        (item,) = message.iter(ITEM)
        return message.get("to", ""), int(item.get("id", ""))

    async def items(self, count: int) -> list[int]:
        return [(await self.item())[1] for _ in range(count)]

    def stop_reading(self) -> None:
        self._may_read.clear()

    def go_on_reading(self) -> None:
        self._may_read.set()

    async def nothing_more(self) -> None:
        """What the component had to say, it has said: it answers after that."""
        self.say("<iq type='get' id='last' from='localhost' to='pubsub.localhost'><x/></iq>")
        assert (await self.read()).get("id") == "last"


@pytest.fixture
async def server(
    cast: Cast, hub: Hub, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Server]:
    """With a component that connects to it."""
    # A heartbeat's connection to Redis would outlive its task, and this test.
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": uuid.uuid4().hex}}
    made = Server()
    port = await made.start()
    settings.FINESSE_XMPP_SECRET = SECRET
    settings.FINESSE_XMPP_DOMAIN = "localhost"
    settings.FINESSE_XMPP_COMPONENT = f"127.0.0.1:{port}"
    for name, seconds in {
        "FIRST_RETRY_SECONDS": 0.01,
        "PING_SECONDS": 0.01,
        "CLOSE_TIMEOUT_SECONDS": 0.1,
    }.items():
        monkeypatch.setattr(component, name, seconds)
    monkeypatch.setattr(remote, "RETRY_SECONDS", 0.01)
    running = asyncio.create_task(component.run_component())
    yield made
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await made.stop()


async def until(holds: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():
            await asyncio.sleep(0.01)


async def handed_out(position: int) -> None:
    """Wait for the hub: on real services it gets the notification a moment later."""
    hub = await Hub.running()
    await until(lambda: asyncio.sleep(0, hub.place.number >= position))


async def available(address: str) -> str:
    """The module's announcement of an available client that has everything so far."""
    return f"bound jid='{address}' position='{await head()}' priority='0'"


@database_sync_to_async
def cursor() -> int:
    return TransportCursor.objects.get(name=TransportCursor.XMPP).place.number


# --- coming and going ---------------------------------------------------------------------------


async def test_it_knows_the_secret(server: Server) -> None:
    await server.accept()
    assert server.handshake == hashlib.sha1(f"s1{SECRET}".encode()).hexdigest()


async def test_it_stamps_the_heartbeat_when_pings_are_answered(server: Server) -> None:
    beat = database_sync_to_async(lambda: heartbeat.pulse().beats.get(heartbeat.XMPP))
    server.answers_pings = False
    await server.accept(f"bound jid='{ALICE}'")
    assert await server.answers()
    (position,) = await write("alice")
    server.announce(f"presence jid='{ALICE}' priority='0'")
    assert await server.item() == (ALICE, position)
    # All works, but for the ping: that is not enough.
    assert await beat() is None
    server.answer_pings()
    await until(beat)
    first = await beat()
    await until(lambda: _is_another(beat, first))


async def _is_another(value: Callable[[], Awaitable[Any]], former: Any) -> bool:
    return await value() != former


@pytest.mark.parametrize("condition", ["not-authorized", "host-unknown", "conflict"])
async def test_a_refusal_says_what_to_change_and_is_tried_again(
    server: Server, condition: str, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(component, "REFUSED_RETRY_SECONDS", 0.01)
    await until(lambda: asyncio.sleep(0, server.handshake))
    server.say(
        f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    await server.ended.wait()
    said = {
        "not-authorized": "FINESSE_XMPP_SECRET",
        "host-unknown": "FINESSE_XMPP_DOMAIN",
        "conflict": "Another component",
    }
    assert said[condition] in caplog.text
    await server.accept(f"bound jid='{ALICE}'")
    assert await server.answers()


async def test_a_server_without_the_module_is_logged(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(component, "ANSWER_TIMEOUT_SECONDS", 5)
    monkeypatch.setattr(component, "REFUSED_RETRY_SECONDS", 0.01)
    await until(lambda: asyncio.sleep(0, server.handshake))
    server.say("<handshake/>")
    await server.ended.wait()
    assert "mod_finesse_sessions" in caplog.text


async def test_a_server_that_answers_no_more_is_left_and_met_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "ANSWER_TIMEOUT_SECONDS", 3)
    await server.accept(f"bound jid='{ALICE}' priority='0'")
    assert await server.answers()
    server.answers_pings = False
    await server.ended.wait()
    monkeypatch.setattr(component, "ANSWER_TIMEOUT_SECONDS", 60)
    server.answers_pings = True
    # Nothing is kept from before: only the new announcements count.
    (position,) = await write("alice")
    await server.accept(f"bound jid='bob@localhost/b' position='{position}' priority='0'")
    await write("alice")
    (last,) = await write("bob")
    assert await server.item() == ("bob@localhost/b", last)


# --- where clients start ------------------------------------------------------------------------


async def test_a_client_that_is_bound_starts_where_the_log_is(server: Server) -> None:
    await server.accept()
    (last,) = await write("alice")
    await handed_out(last)
    server.announce(f"bound jid='{ALICE}'")
    assert await server.answers() == [("at", ALICE, str(last))]
    (after,) = await write("alice")
    server.announce(f"presence jid='{ALICE}' priority='0'")
    assert await server.item() == (ALICE, after)


async def test_a_client_with_a_position_goes_on_behind_it(server: Server) -> None:
    positions = await write("alice", "bob", "alice", "alice")
    await server.accept(f"bound jid='{ALICE}' position='{positions[0]}' priority='0'")
    assert await server.items(2) == positions[2:]


async def test_a_client_without_a_known_position_starts_where_the_last_component_ended(
    server: Server,
) -> None:
    await server.accept()
    (last,) = await write("alice")
    await until(lambda: _is(cursor, last))
    await server.hang_up()
    positions = await write("alice", "bob", "alice")
    await server.accept(f"bound jid='{ALICE}' priority='0'")
    assert await server.answers() == [("at", ALICE, str(last))]
    assert await server.items(2) == [positions[0], positions[2]]
    # And the next component starts where this one has come to.
    await until(lambda: _is(cursor, positions[-1]))


async def _is(value: Callable[[], Awaitable[int]], expected: int) -> bool:
    return await value() == expected


async def test_a_client_for_which_something_is_missing_has_to_start_again(server: Server) -> None:
    """It was pruned, or the database was restored: new notifications could look old there."""
    pruned, _, last = await write("alice", "alice", "alice")
    await handed_out(last)
    gone = Notification.objects.filter(position__lte=position_of(pruned))
    await database_sync_to_async(gone.delete)()
    # As after a restart: nothing in memory.
    (await Hub.running())._recent.clear()
    await server.accept()
    for known in (0, pruned, last - 1, last + 1, last + 10 * CHECK_DIGITS):
        server.announce(f"bound jid='{ALICE}' position='{known}' priority='0'")
        assert await server.answers() == [("end", ALICE, "reset")]
        server.announce(f"unbound jid='{ALICE}'")
    server.announce(f"bound jid='{ALICE}'")
    assert await server.answers() == [("at", ALICE, str(last))]


@pytest.mark.parametrize("presence", ["", "priority='0'", "priority='-1'"])
async def test_clients_that_stayed_during_a_restore_have_to_start_again(
    server: Server, monkeypatch: pytest.MonkeyPatch, presence: str
) -> None:
    """Whether they are available or not."""
    monkeypatch.setattr(hub_module, "CHANNEL_LAYER_TIMEOUT_SECONDS", 0.05)
    await server.accept(f"bound jid='{ALICE}' {presence}")
    assert await server.answers()
    hub = await Hub.running()
    backup = await database_sync_to_async(database.rows)()
    await write("bob", "bob")
    await until(lambda: _is_head(cursor))
    async with hub._advancing:
        await database_sync_to_async(database.empty_and_write)(backup)
        # The cursor of the component that lives on is that of the backup.
        (since,) = await write("bob")
    assert await server.answers() == [("end", ALICE, "reset")]
    await until(lambda: _is(cursor, since))
    server.announce(f"unbound jid='{ALICE}'", f"bound jid='{ALICE}'")
    assert await server.answers() == [("at", ALICE, str(since))]


async def test_the_cursor_is_never_moved_to_a_place_of_another_log(server: Server) -> None:
    here = await head()
    await server.accept()
    await until(lambda: asyncio.sleep(0, server.pings > 1))
    move = database_sync_to_async(component._move_cursor)
    (first,) = await write("bob", publish=False)
    for number in (first + 1, first + CHECK_DIGITS):
        await move(Place.of_number(number))
        assert await cursor() == here
    await move(Place.of_number(first))
    assert await cursor() == first


async def _is_head(value: Callable[[], Awaitable[int]]) -> bool:
    return await value() == await head()


async def test_positions_without_an_item_are_sent(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component, "PINGS_PER_POSITION_REPORT", 1)
    await server.accept(await available(ALICE))
    (last,) = await write("bob")
    assert await server.answers() == [("at", ALICE, str(last))]


async def test_the_cursor_does_not_wait_for_clients_without_presence(server: Server) -> None:
    await server.accept(f"bound jid='{ALICE}'")
    assert await server.answers()
    (position,) = await write("alice")
    await until(lambda: _is(cursor, position))
    server.announce(f"presence jid='{ALICE}' priority='0'")
    assert await server.item() == (ALICE, position)


async def test_the_cursor_waits_for_notifications_under_way(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, may_go_on = component.Component.forward, asyncio.Event()

    async def wait_first(self: Any, notification: Notification, to: str) -> None:
        await may_go_on.wait()
        await forward(self, notification, to)

    monkeypatch.setattr(component.Component, "forward", wait_first)
    here = await head()
    await server.accept(await available(ALICE), await available("bob@localhost/b"))
    positions = await write("alice", "bob", "alice")
    await until(lambda: asyncio.sleep(0, server.pings > 1))
    pings = server.pings
    await until(lambda: asyncio.sleep(0, server.pings > pings + 3))
    assert await cursor() == here
    may_go_on.set()
    assert sorted(await server.items(3)) == positions
    await until(lambda: _is(cursor, positions[-1]))


# --- clients that are served --------------------------------------------------------------------


async def test_only_the_server_may_announce_clients(server: Server) -> None:
    await server.accept(await available(ALICE))
    for sender in ("bob@localhost/b", "localhost/x", "pubsub.localhost", "elsewhere"):
        server.announce(f"unbound jid='{ALICE}'", "bound jid='bob@localhost/b'", sender=sender)
    (position,) = await write("alice")
    assert await server.item() == (ALICE, position)
    await server.nothing_more()


async def test_a_message_that_comes_back_changes_nothing(server: Server) -> None:
    await server.accept(await available(ALICE))
    server.say(
        "<message type='error' from='localhost' to='pubsub.localhost'>"
        f"<unbound xmlns='urn:finesse-media:sessions' jid='{ALICE}'/></message>"
        f"<message type='error' from='{ALICE}' to='pubsub.localhost'><error/></message>"
        f"<presence from='{ALICE}' to='pubsub.localhost'/>"
        f"<presence type='probe' from='{ALICE}' to='pubsub.localhost'/>"
    )
    (position,) = await write("alice")
    assert await server.item() == (ALICE, position)
    await server.nothing_more()


async def test_a_client_that_has_gone_gets_nothing(server: Server) -> None:
    await server.accept(await available(ALICE))
    (position,) = await write("alice")
    assert await server.item() == (ALICE, position)
    server.announce(f"unbound jid='{ALICE}'", "unbound jid='nobody@localhost/x'")
    await server.nothing_more()
    await write("alice")
    await server.nothing_more()


async def test_the_same_address_again_is_a_new_client(server: Server) -> None:
    await server.accept(await available(ALICE))
    (first,) = await write("alice")
    assert (await server.item())[1] == first
    server.announce(f"bound jid='{ALICE}'")
    assert await server.answers() == [("at", ALICE, str(first))]
    (second,) = await write("alice")
    server.announce(f"presence jid='{ALICE}' priority='0'")
    assert (await server.item())[1] == second
    await server.nothing_more()


@pytest.mark.parametrize("who", ["nobody", "alice"])
async def test_a_client_that_may_not_sign_in_is_ended(server: Server, cast: Cast, who: str) -> None:
    cast.alice.is_active = False
    await database_sync_to_async(cast.alice.save)()
    await server.accept()
    server.announce(f"bound jid='{who}@localhost/x'")
    # The answer comes at once all the same: the server makes the client wait for it.
    assert (await server.answers())[0][:2] == ("at", f"{who}@localhost/x")
    assert await server.answers() == [("end", f"{who}@localhost/x", "not-authorized")]


async def test_a_client_that_loses_access_is_ended(server: Server, cast: Cast) -> None:
    await server.accept(await available(ALICE))
    (position,) = await write("alice")
    assert (await server.item())[1] == position
    cast.alice.set_password("another")
    await database_sync_to_async(cast.alice.save)()
    await write("bob")
    assert await server.answers() == [("end", ALICE, "not-authorized")]


async def test_the_server_writes_names_in_lower_case(server: Server) -> None:
    await database_sync_to_async(User.objects.create_user)("Zoe.K", "correct horse")
    await server.accept(await available("zoe.k@localhost/a"))
    (position,) = await write("Zoe.K")
    assert await server.item() == ("zoe.k@localhost/a", position)


async def test_a_database_that_is_away_loses_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = iter(range(3))
    readers = component._readers

    def away_twice(names: Any) -> Any:
        if next(attempts, 2) < 2:
            raise ConnectionError("away")
        return readers(names)

    monkeypatch.setattr(component, "_readers", away_twice)
    await server.accept()
    server.announce(f"bound jid='{ALICE}'")
    assert await server.answers()
    (position,) = await write("alice")
    server.announce(f"presence jid='{ALICE}' priority='0'")
    assert await server.item() == (ALICE, position)


async def test_what_fails_in_the_middle_goes_on_there(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await available(ALICE)
    positions = await write("alice", "alice", "alice")
    forward = component.Component.forward
    failures = iter([positions[1]])

    async def fail_once(self: Any, notification: Notification, to: str) -> None:
        if notification.position == positions[1] and next(failures, None):
            raise ConnectionError("away")
        await forward(self, notification, to)

    monkeypatch.setattr(component.Component, "forward", fail_once)
    await server.accept(here)
    assert await server.items(3) == positions
    await server.nothing_more()


# --- requests -----------------------------------------------------------------------------------


async def test_requests_are_answered_in_order(server: Server) -> None:
    (position,) = await write("alice")
    await server.accept(f"bound jid='{ALICE}' position='{position}'")
    for number in range(5):
        server.say(ITEMS.format(number, ALICE, MEDIA.format("alice")))
    for number in range(5):
        answer = await server.read()
        assert (answer.get("id"), answer.get("type")) == (str(number), "result")
        assert (answer.get("from"), answer.get("to")) == ("pubsub.localhost", ALICE)
        *_, item = answer.iter("{http://jabber.org/protocol/pubsub}item")
        assert item.get("id") == str(position)


@pytest.mark.parametrize(
    ("sender", "to"), [("bob@localhost/b", "pubsub.localhost"), (ALICE, "x@pubsub.localhost")]
)
async def test_requests_from_strangers_and_to_unknown_addresses_are_refused(
    server: Server, sender: str, to: str
) -> None:
    await server.accept(f"bound jid='{ALICE}' position='0'")
    iq = ITEMS.format("q", sender, MEDIA.format("alice")).replace("'pubsub.localhost'", f"'{to}'")
    server.say(iq)
    answer = await server.read()
    assert answer.get("type") == "error"
    assert "service-unavailable" in names(answer)


async def test_one_slow_answer_holds_up_only_its_client(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, may_go_on = pubsub.answer, asyncio.Event()

    async def slow_for_alice(session: Any, iq: Element) -> Any:
        if session.login_id == "alice":
            await may_go_on.wait()
        return await answer(session, iq)

    monkeypatch.setattr(pubsub, "answer", slow_for_alice)
    bob = "bob@localhost/b"
    await server.accept(f"bound jid='{ALICE}' position='0'", f"bound jid='{bob}' position='0'")
    too_many = remote.MAX_WAITING_REQUESTS + 2
    for number in range(too_many):
        server.say(ITEMS.format(number, ALICE, MEDIA.format("alice")))
    refused = await server.read()
    assert "resource-constraint" in names(refused)
    server.say(ITEMS.format("of-bob", bob, MEDIA.format("bob")))
    while (reply := await server.read()).get("id") != "of-bob":
        assert "resource-constraint" in names(reply)
    may_go_on.set()
    answered = [await server.read() for _ in range(remote.MAX_WAITING_REQUESTS)]
    assert {one.get("type") for one in answered} == {"result"}
    ids = [int(one.get("id", "")) for one in answered]
    assert ids == sorted(ids)


async def test_a_request_that_fails_is_an_error_and_no_more(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as broken:
        broken.setattr(pubsub, "answer", fail)
        await server.accept(f"bound jid='{ALICE}' position='0'")
        server.say(ITEMS.format("q1", ALICE, MEDIA.format("alice")))
        assert "internal-server-error" in names(await server.read())
    server.say(ITEMS.format("q2", ALICE, MEDIA.format("alice")))
    assert (await server.read()).get("type") == "result"


# --- a server that is slow ----------------------------------------------------------------------


async def test_what_a_slow_server_has_not_read_does_not_pile_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[component.Component] = []

    class Seen(component.Component):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            made.append(self)

    monkeypatch.setattr(component, "MAX_UNREAD_BYTES", 32 * 1024)
    monkeypatch.setattr(component, "Component", Seen)
    clients = [f"alice@localhost/{number}" for number in range(20)]
    await server.accept(*[await available(one) for one in clients])
    (first,) = await write("alice")
    assert {(await server.item())[0] for _ in clients} == set(clients)
    server.stop_reading()
    positions = [*await write(*["alice"] * 400), *await write(*["alice"] * 400)]
    transport = made[-1].transport
    assert transport is not None
    async with asyncio.timeout(30):
        while (most := transport.get_write_buffer_size()) <= 32 * 1024:
            await asyncio.sleep(0.001)
    # More than enough turns for all the rest, if nothing stopped it.
    for _ in range(200):
        await asyncio.sleep(0.001)
        most = max(most, transport.get_write_buffer_size())
    assert most < 64 * 1024
    server.go_on_reading()
    got: dict[str, list[int]] = {one: [] for one in clients}
    for _ in range(len(clients) * len(positions)):
        to, position = await server.item()
        got[to].append(position)
    assert all(of_one == positions for of_one in got.values())
    assert first not in positions
