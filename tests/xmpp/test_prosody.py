"""The XMPP server's side: a real Prosody with this project's modules."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as product_settings
from django.core.management import CommandError, call_command
from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from finesse.commands import xmpp_server
from finesse.tls.own_certificate import make_or_renew
from finesse.users import passwords
from finesse.xmpp import bosh
from finesse.xmpp.prosody import child_process
from finesse.xmpp.prosody.configuration import Configuration, lua
from tests.conftest import PASSWORD, Cast
from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation, free_port
from tests.kit.prosody_server import (
    BOSH,
    SECRET,
    SESSIONS,
    Component,
    Desk,
    Server,
    Wire,
    condition,
    names,
    require_prosody,
    serve,
)

Start = Callable[..., Any]
only_embedded = pytest.mark.skipif(ON_SERVICES, reason="There, the operator runs Prosody")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk().open() as opened:
        yield opened


@pytest.fixture
async def start(desk: Desk, settings: Any, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts servers with other options than usual."""
    async with AsyncExitStack() as stack:

        async def started(options: str = "", **changes: Any) -> Server:
            return await stack.enter_async_context(
                serve(tmp_path / "xmpp", settings, desk, options, **changes)
            )

        yield started


@pytest.fixture
async def server(start: Start, request: pytest.FixtureRequest) -> Server:
    has_component = "component" in request.fixturenames
    started: Server = await start(bind_timeout=60 if has_component else 0.1)
    return started


@pytest.fixture
async def component(server: Server) -> AsyncIterator[Component]:
    async with Component().connected() as connected:
        assert await connected.hears() == ("synced", {})
        yield connected


# --- Signing in ----------------------------------------------------------------------------------


async def test_only_plain_is_offered_on_this_machine_and_over_tls(server: Server) -> None:
    assert await (await server.wire()).open() == ["PLAIN"]

    upgraded = await server.wire()
    await upgraded.open()
    await upgraded.start_tls(server.trusted)
    assert await upgraded.open() == ["PLAIN"]

    direct = await server.wire(product_settings.FINESSE_XMPP_SECURE_PORT, tls=server.trusted)
    assert await direct.open() == ["PLAIN"]
    assert await direct.auth() == ["success"]


NAMES = ["localhost", "LOCALHOST", "127.0.0.1", "::1", "elsewhere.example", "pubsub.localhost"]
NAMES += ["a b", ""]


@pytest.mark.parametrize("name", [*NAMES, None])
async def test_a_stream_may_be_opened_to_any_name_and_is_the_domains(
    server: Server, component: Component, name: str | None
) -> None:
    wire = await server.wire()
    wire.to = name
    assert await wire.open() == ["PLAIN"]
    assert wire.opened["from"] == "localhost"
    await wire.start_tls(server.trusted)
    await wire.sign_in()
    assert (wire.opened["from"], wire.jid) == ("localhost", "alice@localhost/desktop")
    assert await component.hears() == ("bound", {"jid": "alice@localhost/desktop"})


async def test_a_stream_may_name_something_else_when_it_is_opened_anew(server: Server) -> None:
    wire = await server.wire()
    wire.to = "127.0.0.1"
    await wire.open()
    assert await wire.auth() == ["success"]
    wire.to = "elsewhere.example"
    await wire.open()
    assert "alice@localhost/desktop" in (await wire.bind("desktop")).itertext()


@pytest.fixture
def other_address() -> str:
    """An address of this machine under which it is not itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        with contextlib.suppress(OSError):
            probe.connect(("192.0.2.1", 9))
        found: str = probe.getsockname()[0]
    if found in ("0.0.0.0", "127.0.0.1"):
        pytest.skip("This machine has no address but its own")
    return found


async def test_from_elsewhere_passwords_are_for_tls_only(start: Start, other_address: str) -> None:
    server = await start(interfaces=[other_address])
    wire = await server.wire(host=other_address)
    assert await wire.open() == []
    assert await wire.auth() == ["failure", "encryption-required"]
    await wire.start_tls(server.trusted)
    assert await wire.open() == ["PLAIN"]
    assert await wire.auth() == ["success"]


async def test_a_setting_allows_passwords_in_the_clear(
    start: Start, settings: Any, other_address: str
) -> None:
    settings.FINESSE_XMPP_ALLOW_CLEARTEXT = True
    server = await start(interfaces=[other_address])
    wire = await server.wire(host=other_address)
    assert await wire.open() == ["PLAIN"]
    assert await wire.auth() == ["success"]


async def test_the_password_is_asked_for_with_the_secret(server: Server, desk: Desk) -> None:
    wire = await server.wire()
    await wire.open()
    assert await wire.auth("alice", "ä & %20=+") == ["failure", "not-authorized"]
    assert await wire.auth("alice", "right") == ["success"]
    bearer = f"Bearer {SECRET}"
    assert desk.asked == [(bearer, "alice", "ä & %20=+"), (bearer, "alice", "right")]


@pytest.mark.parametrize("acting_as", ["", "alice", "ALICE", "alice@localhost", "alice@LOCALHOST"])
async def test_a_client_may_name_its_own_user_once_more(server: Server, acting_as: str) -> None:
    wire = await server.wire()
    await wire.open()
    assert await wire.auth("alice", acting_as=acting_as) == ["success"]


@pytest.mark.parametrize("acting_as", ["bob", "bob@localhost", "alice@elsewhere", "a@b@localhost"])
async def test_no_user_acts_as_another(server: Server, desk: Desk, acting_as: str) -> None:
    wire = await server.wire()
    await wire.open()
    assert await wire.auth("alice", acting_as=acting_as) == ["failure", "invalid-authzid"]
    assert desk.asked == []


@pytest.mark.parametrize("name", ["Agent.007", "Agent.007@localhost"])
async def test_the_desk_hears_what_was_typed_and_the_address_is_small(
    server: Server, desk: Desk, name: str
) -> None:
    wire = await server.sign_in(name, "r")
    assert [user for _, user, _ in desk.asked] == ["Agent.007"]
    assert wire.jid == "agent.007@localhost/r"


async def test_a_client_may_wait_to_be_asked(server: Server) -> None:
    wire = await server.wire()
    await wire.open()
    sasl = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
    challenge = await wire.ask(f"<auth {sasl} mechanism='PLAIN'/>")
    assert names(challenge) == ["challenge"]
    answer = await wire.ask(f"<response {sasl}>AGFsaWNlAHJpZ2h0</response>")
    assert names(answer) == ["success"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("<auth {} mechanism='SCRAM-SHA-1'>biws</auth>", "invalid-mechanism"),
        ("<auth {} mechanism='PLAIN'>!!!</auth>", "incorrect-encoding"),
        ("<auth {} mechanism='PLAIN'>YWxpY2U=</auth>", "malformed-request"),
        ("<auth {} mechanism='PLAIN'>AAAA</auth>", "malformed-request"),
        ("<response {}>AAAA</response>", "not-authorized"),
        ("<abort {}/>", "aborted"),
    ],
)
async def test_odd_attempts_to_sign_in_are_refused(
    server: Server, said: str, expected: str
) -> None:
    wire = await server.wire()
    await wire.open()
    answer = await wire.ask(said.format("xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"))
    assert names(answer)[:2] == ["failure", expected]


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_what_cannot_be_checked_is_a_temporary_failure(
    server: Server, desk: Desk, status: int
) -> None:
    desk.status = status
    wire = await server.wire()
    await wire.open()
    assert await wire.auth() == ["failure", "temporary-auth-failure"]
    desk.status = None
    assert await wire.auth() == ["success"]


async def test_a_service_that_is_away_is_a_temporary_failure(start: Start) -> None:
    server = await start(password_url="http://127.0.0.1:1/finesse/xmpp/password")
    wire = await server.wire()
    await wire.open()
    assert await wire.auth() == ["failure", "temporary-auth-failure"]


async def test_a_slow_check_keeps_no_other_client_waiting(server: Server, desk: Desk) -> None:
    waiting = await server.wire()
    await waiting.open()
    slow = asyncio.create_task(waiting.auth("slow"))
    for _ in range(5):
        await server.sign_in("alice")
    assert not slow.done()
    desk.go.set()
    assert await slow == ["success"]


async def test_a_client_that_leaves_during_the_check_of_its_password_leaves_nothing(
    server: Server, desk: Desk
) -> None:
    gone = await server.wire()
    await gone.open()
    asked = asyncio.create_task(gone.auth("slow"))
    async with asyncio.timeout(30):
        while not desk.asked:
            await asyncio.sleep(0.01)
    asked.cancel()
    await gone.drop()
    desk.go.set()
    assert (await (await server.sign_in()).ping()).get("type") == "result"


async def test_three_wrong_passwords_end_the_connection(server: Server) -> None:
    wire = await server.wire()
    await wire.open()
    for _ in range(3):
        assert await wire.auth(password="wrong") == ["failure", "not-authorized"]
    assert await wire.ended() == "policy-violation"


# --- Announcements to the component --------------------------------------------------------------


async def test_a_session_is_announced_from_its_bind_to_its_end(
    server: Server, component: Component
) -> None:
    jid = "alice@localhost/desktop"
    wire = await server.sign_in()
    assert await component.hears() == ("bound", {"jid": jid})
    for priority, heard in (
        ("", "0"),
        ("<priority>5</priority>", "5"),
        ("<priority> -1 </priority>", "-1"),
        ("<priority>1000</priority>", "127"),
        ("<priority>high</priority>", "0"),
    ):
        await wire.say(f"<presence>{priority}</presence>")
        assert await component.hears() == ("presence", {"jid": jid, "priority": heard})
    await wire.say("<presence type='unavailable'/>")
    assert await component.hears() == ("presence", {"jid": jid})
    await wire.say("</stream:stream>")
    assert await component.hears() == ("unbound", {"jid": jid})


async def test_a_client_that_vanishes_is_announced_unavailable_and_gone(
    server: Server, component: Component
) -> None:
    jid = "alice@localhost/desktop"
    wire = await server.sign_in()
    await wire.ask("<presence/>")
    wire.writer.transport.abort()
    heard = [await component.hears() for _ in range(4)]
    assert heard == [
        ("bound", {"jid": jid}),
        ("presence", {"jid": jid, "priority": "0"}),
        ("presence", {"jid": jid}),
        ("unbound", {"jid": jid}),
    ]


async def test_a_client_hears_that_it_is_bound_once_its_place_is_known(
    server: Server, component: Component
) -> None:
    other = await server.sign_in("bob")
    assert (await component.hears())[0] == "bound"
    component.answers.clear()
    wire = await (await server.wire()).authenticate()
    binding = asyncio.create_task(wire.bind("desktop"))
    assert await component.hears() == ("bound", {"jid": "alice@localhost/desktop"})
    assert (await other.ping()).get("type") == "result"
    assert not binding.done()
    component.answers.set()
    assert (await binding).get("type") == "result"


async def test_a_component_that_says_nothing_keeps_clients_waiting_for_a_while_only(
    start: Start,
) -> None:
    server = await start(bind_timeout=0.2)
    async with Component().connected() as component:
        component.answers.clear()
        await server.sign_in()


async def test_the_first_clients_wait_for_the_component_to_come(start: Start) -> None:
    server = await start(bind_timeout=60)
    wire = await (await server.wire()).authenticate()
    binding = asyncio.create_task(wire.bind("desktop"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(binding), 0.3)
    async with Component(position=3).connected() as component:
        assert await component.hears() == ("bound", {"jid": "alice@localhost/desktop"})
        assert (await binding).get("type") == "result"


async def test_a_component_that_goes_keeps_no_client_waiting(start: Start) -> None:
    server = await start(bind_timeout=60)
    async with Component().connected() as component:
        component.answers.clear()
        wire = await (await server.wire()).authenticate()
        binding = asyncio.create_task(wire.bind("desktop"))
        assert await component.hears() == ("synced", {})
        assert (await component.hears())[0] == "bound"
    async with asyncio.timeout(50):
        assert (await binding).get("type") == "result"


async def test_a_component_that_comes_back_hears_where_each_session_stands(
    server: Server,
) -> None:
    jid = "alice@localhost/{}".format
    async with Component(position=7).connected() as component:
        _, b, c = [await server.sign_in(resource=name) for name in "abc"]
        await b.available("<priority>3</priority>")
        await c.available()
        component.notify(jid("c"), 9)
        component.place(jid("b"), 11)
        component.place(jid("b"), 10)  # Only ever forward.
        component.notify(jid("c"), 12)
        await c.hear()  # Of b.
        assert [await c.item(), await c.item()] == [9, 12]
        await c.ask("<presence type='unavailable'/>")
    late = await server.sign_in(resource="late")
    await late.ask("<presence/>")
    async with Component().connected() as component:
        heard = [await component.hears() for _ in range(5)]
    assert heard[-1] == ("synced", {})
    assert sorted(heard[:-1], key=lambda one: one[1]["jid"]) == [
        ("bound", {"jid": jid("a"), "position": "7"}),
        ("bound", {"jid": jid("b"), "position": "11", "priority": "3"}),
        ("bound", {"jid": jid("c"), "position": "12"}),
        # Bound while no component was here: after the notifications before.
        ("bound", {"jid": jid("late"), "position": "12", "priority": "0"}),
    ]


async def test_nothing_comes_twice_or_backwards(server: Server, component: Component) -> None:
    wire = await (await server.sign_in()).available()
    for position in (1, 2, 2, 1, 3):
        component.notify(wire.jid, position)
    assert [await wire.item() for _ in range(3)] == [1, 2, 3]
    assert (await wire.ping()).get("type") == "result"


async def test_notifications_for_a_client_that_has_gone_reach_no_other(
    server: Server, component: Component
) -> None:
    other = await (await server.sign_in(resource="other")).available()
    component.notify("alice@localhost/gone", 1)
    component.notify(other.jid, 2)
    assert await other.item() == 2


async def test_a_client_that_takes_an_address_gets_nothing_of_the_former_client(
    server: Server, component: Component
) -> None:
    former = await (await server.sign_in()).available()
    component.answers.clear()
    wire = await (await server.wire()).authenticate()
    binding = asyncio.create_task(wire.bind("desktop"))
    assert await former.ended() == "conflict"
    heard = [(await component.hears())[0] for _ in range(5)]
    assert heard == ["bound", "presence", "presence", "unbound", "bound"]
    component.notify(former.jid, 20)
    component.next_position = 30
    component.answers.set()
    assert (await binding).get("type") == "result"
    component.notify(former.jid, 31)
    assert await wire.item() == 31


async def test_the_answers_to_clients_that_took_one_address_in_a_row_are_not_mixed_up(
    server: Server, component: Component
) -> None:
    component.answers.clear()
    wires = [await (await server.wire()).authenticate() for _ in range(2)]
    bindings = []
    for wire in wires:
        bindings.append(asyncio.create_task(wire.bind("desktop")))
        while (await component.hears())[0] != "bound":
            pass
    component.place("alice@localhost/desktop", 5)
    await component.pong()
    assert not bindings[1].done()
    component.place("alice@localhost/desktop", 9)
    assert (await bindings[1]).get("type") == "result"
    component.notify("alice@localhost/desktop", 9)
    component.notify("alice@localhost/desktop", 10)
    assert await wires[1].item() == 10
    bindings[0].cancel()


async def test_a_component_takes_the_place_of_another(server: Server, component: Component) -> None:
    """A connection whose other end has vanished must not keep the new one out."""
    replaced: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    component.add_event_handler("stream_error", replaced.set_result)
    wire = await (await server.sign_in()).available()
    async with Component().connected() as second:
        assert (await replaced)["condition"] == "conflict"
        jid = wire.jid
        assert await second.hears() == ("bound", {"jid": jid, "position": "0", "priority": "0"})
        assert await second.hears() == ("synced", {})
        second.notify(jid, 1)
        assert await wire.item() == 1


async def test_a_component_without_the_secret_disturbs_no_client(
    server: Server, component: Component
) -> None:
    stranger = Component(secret="guess")
    refused: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    stranger.add_event_handler("stream_error", refused.set_result)
    stranger.connect()
    async with asyncio.timeout(30):
        assert (await refused)["condition"] == "not-authorized"
    stranger.abort()
    wire = await (await server.sign_in()).available()
    assert (await component.hears())[0] == "bound"
    component.notify(wire.jid, 1)
    assert await wire.item() == 1


async def test_a_session_without_access_is_closed(server: Server, component: Component) -> None:
    other = await server.sign_in("bob")
    wire = await server.sign_in()
    component.say("message", "localhost", f"<end xmlns='{SESSIONS}' jid='{wire.jid}'/>")
    assert await wire.ended() == "not-authorized"
    component.answers.clear()
    binding = await (await server.wire()).authenticate()
    bound = asyncio.create_task(binding.bind("late"))
    while (await component.hears())[1]["jid"] != "alice@localhost/late":
        pass
    component.say("message", "localhost", f"<end xmlns='{SESSIONS}' jid='alice@localhost/late'/>")
    await bound
    assert await binding.ended() == "not-authorized"
    assert (await other.ping()).get("type") == "result"


async def test_after_a_restore_a_session_is_closed_and_positions_begin_again(
    server: Server,
) -> None:
    async with Component(position=100).connected() as component:
        wire = await server.sign_in()
        reset = f"<end xmlns='{SESSIONS}' jid='{wire.jid}' condition='reset'/>"
        component.say("message", "localhost", reset)
        assert await wire.ended() == "reset"
    # The highest position of before is worth nothing now: who binds waits for the component.
    binding = asyncio.create_task(server.sign_in(resource="late"))
    async with Component(position=3).connected() as component:
        late = await binding
        await late.available()
        component.notify(late.jid, 4)
        assert await late.item() == 4


# --- The user `Finesse` --------------------------------------------------------------------------


async def test_the_presence_of_finesse_is_the_components(start: Start, settings: Any) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 0.3
    server = await start()
    hidden = await server.sign_in(resource="hidden")
    wire = await server.sign_in(resource="shown")
    await wire.ask("<presence/>")
    for _ in range(2):
        async with Component().connected():
            finesse = await wire.hear()
            assert (finesse.get("from"), finesse.get("type")) == ("finesse@localhost/finesse", None)
            assert finesse.get("to") == wire.jid
        assert (await wire.hear()).get("type") == "unavailable"
    # A client without presence gets none.
    assert (await hidden.ping()).get("type") == "result"


async def test_a_component_that_comes_back_at_once_was_never_away(
    start: Start, settings: Any
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 10.0
    server = await start()
    async with Component().connected():
        wire = await (await server.sign_in()).available()
    async with Component().connected():
        with pytest.raises(TimeoutError):
            await wire.hear(11)


async def test_each_time_that_it_goes_the_component_has_all_the_time_to_come_back(
    start: Start, settings: Any
) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = 10.0
    server = await start()
    loop = asyncio.get_running_loop()
    async with Component().connected():
        wire = await (await server.sign_in()).available()
    for _ in range(3):
        async with Component().connected() as component:
            assert (await component.hears())[0] == "bound"
            # Long enough that the time of the first goes out early, if it is the time of all.
            await asyncio.sleep(2.5)
            went = loop.time()
    assert (await wire.hear(60)).get("type") == "unavailable"
    assert loop.time() - went > 7.5


# --- Walls ---------------------------------------------------------------------------------------


async def test_users_do_not_reach_each_other(server: Server, component: Component) -> None:
    alice = await (await server.sign_in("alice")).available()
    bob = await (await server.sign_in("bob")).available()
    for to in ("bob@localhost", "bob@localhost/desktop", "bob@localhost/none", "bob@elsewhere"):
        await alice.say(f"<presence to='{to}'/><presence to='{to}' type='subscribe'/>")
        await alice.say(f"<message type='error' to='{to}'><a/></message>")
        await alice.say(f"<iq type='result' id='1' to='{to}'/>")
        message = await alice.ask(f"<message to='{to}'><body>Hello</body></message>")
        assert condition(message) == "service-unavailable"
        assert condition(await alice.ping(to)) == "service-unavailable"
    assert (await bob.ping()).get("type") == "result"


async def test_the_component_gets_questions_from_users_and_nothing_else(
    server: Server, component: Component
) -> None:
    alice = await (await server.sign_in("alice")).available()
    forged = f"<unbound xmlns='{SESSIONS}' jid='bob@localhost/desktop'/>"
    for to in ("pubsub.localhost", "x@pubsub.localhost", "localhost"):
        answer = await alice.ask(f"<message to='{to}'>{forged}</message>")
        assert condition(answer) == "service-unavailable"
        await alice.say(f"<presence to='{to}'/>")
    forged = f"<at xmlns='{SESSIONS}' jid='{alice.jid}' position='99'/>"
    assert condition(await alice.ask(f"<message to='localhost'>{forged}</message>"))
    await alice.say(
        "<iq type='get' id='q' to='pubsub.localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    async with asyncio.timeout(30):
        asked = await component.others.get()
    assert (asked.get("from"), asked.get("id")) == (alice.jid, "q")
    component.say("iq", alice.jid, "", "type='result' id='q'")
    assert (await alice.hear()).get("type") == "result"
    assert component.others.empty()
    assert [(await component.hears())[0] for _ in range(2)] == ["bound", "presence"]
    assert component.announced.empty()
    component.notify(alice.jid, 5)
    assert await alice.item() == 5


async def test_users_may_talk_where_an_option_allows_it(start: Start) -> None:
    server = await start(users_may_talk=True)
    alice, bob = await server.sign_in("alice"), await server.sign_in("bob")
    await bob.ask("<presence/>")
    await alice.say("<message to='bob@localhost'><body>Hello</body></message>")
    assert "Hello" in (await bob.hear()).itertext()
    answer = await alice.ask("<message to='pubsub.localhost'><body>Hello</body></message>")
    assert condition(answer) == "service-unavailable"


async def test_a_user_reaches_its_own_clients(server: Server) -> None:
    one, two = [await server.sign_in(resource=name) for name in ("one", "two")]
    await one.say(f"<message to='{two.jid}'><body>Hello</body></message>")
    assert "Hello" in (await two.hear()).itertext()


async def test_the_roster_is_empty_and_stays_so(server: Server) -> None:
    wire = await server.sign_in()
    query = "<query xmlns='jabber:iq:roster'>{}</query>".format
    got = await wire.ask(f"<iq type='get' id='1'>{query('')}</iq>")
    assert (got.get("type"), names(got)) == ("result", ["iq", "query"])
    contact = query("<item jid='bob@localhost'/>")
    assert condition(await wire.ask(f"<iq type='set' id='2'>{contact}</iq>")) == "not-allowed"


async def test_the_server_says_what_it_is(server: Server) -> None:
    wire = await server.sign_in()
    ask = "<iq type='get' id='1' to='localhost'><query xmlns='{}'/></iq>".format
    info = await wire.ask(ask("http://jabber.org/protocol/disco#info"))
    identities = [one.attrib for one in info.iter() if one.tag.endswith("}identity")]
    assert identities == [{"category": "server", "type": "im", "name": "Finesse Media"}]
    features = {one.get("var") for one in info.iter() if one.tag.endswith("}feature")}
    assert {"urn:xmpp:ping", "http://jabber.org/protocol/disco#info"} <= features
    items = await wire.ask(ask("http://jabber.org/protocol/disco#items"))
    assert [one.get("jid") for one in items.iter() if one.tag.endswith("}item")] == [
        "pubsub.localhost"
    ]
    for to in ("", "localhost", "alice@localhost"):
        assert (await wire.ping(to)).get("type") == "result"
    for unknown in ("vcard-temp", "jabber:iq:private", "jabber:iq:register", "urn:xmpp:mam:2"):
        answer = await wire.ask(f"<iq type='get' id='1'><query xmlns='{unknown}'/></iq>")
        assert condition(answer) == "service-unavailable"


# --- Limits --------------------------------------------------------------------------------------


async def test_before_signing_in_a_client_can_send_little(server: Server) -> None:
    for text in ("<iq type='get' id='1'>" + "a" * 20_000, "<a" + " b='c'" * 5_000):
        wire = await server.wire()
        await wire.open()
        await wire.say(text)
        assert await wire.ended() == "policy-violation"
    wire = await server.wire()
    await wire.open()
    await wire.say("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>" * 30)
    assert await wire.ended() == "policy-violation"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<message to='pubsub.localhost'>" + "a" * 70_000, "policy-violation"),
        ("<iq type='get' id='1'>" + "<a>" * 25 + "</a>" * 25 + "</iq>", "policy-violation"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]>", "not-well-formed"),
        ("<!-- -->", "not-well-formed"),
        ("<?php ?>", "not-well-formed"),
        ("<message>&amp;&unknown;</message>", "not-well-formed"),
        ("</message>", "not-well-formed"),
        ("<unknown xmlns='urn:x'/>", "unsupported-stanza-type"),
    ],
    ids=["large", "deep", "DTD", "comment", "instruction", "entity", "stray end", "unknown"],
)
async def test_bytes_other_than_stanzas_end_the_stream_and_disturb_no_other(
    server: Server, text: str, expected: str
) -> None:
    other = await server.sign_in("bob")
    wire = await server.sign_in()
    await wire.say(text)
    assert await wire.ended() == expected
    assert (await other.ping()).get("type") == "result"


async def test_a_session_without_a_timely_bind_is_closed(start: Start) -> None:
    server = await start("finesse_seconds_before_bind = 5")
    bound = await server.sign_in()
    silent, idle = await server.wire(), await server.wire()
    await idle.authenticate()
    assert await idle.ended() == "connection-timeout"
    assert await silent.ended() == "connection-timeout"
    assert (await bound.ping()).get("type") == "result"


async def test_an_address_has_so_many_strangers_and_no_more(start: Start, settings: Any) -> None:
    settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS = 3
    server = await start()
    # Signed-in clients do not count.
    for _ in range(4):
        await server.sign_in(resource="")
    strangers = [await server.wire() for _ in range(3)]
    refused = await server.wire()
    assert await refused.ended() == "policy-violation"
    assert await strangers[0].open() == ["PLAIN"]
    # One has signed in, and makes room.
    await strangers[0].auth()
    assert await (await server.wire()).open() == ["PLAIN"]


async def test_a_user_has_so_many_connections_and_no_more(start: Start, settings: Any) -> None:
    settings.FINESSE_XMPP_CONNECTIONS_PER_USER = 2
    server = await start()
    first, _ = [await server.sign_in(resource=name) for name in ("a", "b")]
    third = await (await server.wire()).authenticate()
    await third.bind("c")
    assert await third.ended() == "resource-constraint"
    # Other users have theirs, and a client may come back under the address that it had.
    await server.sign_in("bob")
    again = await server.sign_in(resource="a")
    assert await first.ended() == "conflict"
    assert (await again.ping()).get("type") == "result"


async def test_a_client_that_does_not_read_loses_its_own_connection_only(
    start: Start,
) -> None:
    server = await start("finesse_unread_bytes = 100000")
    async with Component().connected() as component:
        slow, other = await server.sign_in("slow_reader"), await server.sign_in("bob")
        slow.writer.transport.pause_reading()
        body = "a" * 50_000
        heard = [await component.hears() for _ in range(3)]
        position = 0
        async with asyncio.timeout(60):
            while heard[-1][0] != "unbound":
                for _ in range(20):
                    position += 1
                    component.say("message", slow.jid, f"<body>{body}</body>")
                component.notify(other.jid, position)
                assert await other.item() == position
                while not component.announced.empty():
                    heard.append(component.announced.get_nowait())
        slow.writer.transport.resume_reading()
        assert await slow.ended() == "policy-violation"


async def test_a_quiet_client_is_pinged_and_one_that_stays_quiet_is_closed(start: Start) -> None:
    server = await start("finesse_quiet_seconds = 3")
    answered: asyncio.Queue[str | None] = asyncio.Queue()

    async def whisper() -> None:
        while True:
            await whispering.say(" ")
            await asyncio.sleep(0.1)

    async def live() -> None:
        while True:
            ping = await living.hear()
            assert names(ping) == ["iq", "ping"]
            await living.say(f"<iq type='result' id='{ping.get('id')}' to='localhost'/>")
            answered.put_nowait(ping.get("id"))

    # Each from its first moment on.
    whispering = await server.sign_in("w")
    tasks = [asyncio.create_task(whisper())]
    living = await server.sign_in("living")
    tasks.append(asyncio.create_task(live()))
    dead = await server.sign_in("dead")
    assert names(await dead.hear()) == ["iq", "ping"]
    assert await dead.ended() == "connection-timeout"
    # Its answer counts: it is asked again, instead of being closed.
    async with asyncio.timeout(60):
        for _ in range(answered.qsize() + 2):
            await answered.get()
    for task in tasks:
        assert not task.done()
        task.cancel()
    assert (await whispering.ping()).get("type") == "result"
    await living.say("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert (await living.hear()) is not None


# --- BOSH ----------------------------------------------------------------------------------------


@pytest.fixture
async def http(settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Asks this service, as a client on this machine; its own transport is closed, too."""
    transport = httpx.ASGITransport(bosh.BOSHForwarder(nothing_here), client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
    if opened := bosh._transports.pop(asyncio.get_running_loop(), None):
        await opened.aclose()


async def nothing_here(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing here"})


@pytest.mark.parametrize("name", [*NAMES, None])
async def test_bosh_may_name_any_server(
    server: Server, component: Component, http: httpx.AsyncClient, name: str | None
) -> None:
    client = BOSH(http, "/http-bind")
    client.to = name
    assert "alice@localhost/desktop" in (await client.sign_in()).itertext()
    assert await component.hears() == ("bound", {"jid": "alice@localhost/desktop"})


@pytest.mark.parametrize("version", ["1.6", "1.9"])
@pytest.mark.parametrize("path", ["/http-bind", "/http-bind/"])
async def test_bosh_at_the_origin_of_the_api(
    server: Server, component: Component, http: httpx.AsyncClient, path: str, version: str
) -> None:
    client = BOSH(http, path, version)
    bound = await client.sign_in()
    assert "alice@localhost/desktop" in bound.itertext()
    assert await component.hears() == ("bound", {"jid": "alice@localhost/desktop"})
    answer = await client.post("<presence xmlns='jabber:client'/>")
    assert names(answer).count("presence") == 2
    waiting = asyncio.create_task(client.post())
    component.notify("alice@localhost/desktop", 5)
    assert "item" in names(await waiting)
    assert (await client.post(type="terminate")).get("type") == "terminate"
    assert [(await component.hears())[0] for _ in range(3)] == ["presence", "presence", "unbound"]


@pytest.mark.parametrize("path", ["/http-bind", "/http-bind/"])
async def test_the_server_itself_sends_no_redirects(server: Server, path: str) -> None:
    async with httpx.AsyncClient(
        base_url=server.bosh.removesuffix("/http-bind"), timeout=TIMEOUT_SECONDS
    ) as http:
        assert (await http.get(path)).status_code == 200
        assert "alice@localhost/r" in (await BOSH(http, path).sign_in(resource="r")).itertext()


async def test_pages_of_other_origins_may_use_bosh(server: Server, http: httpx.AsyncClient) -> None:
    headers = {
        "Origin": "https://gadget.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    asked = await http.options("/http-bind", headers=headers)
    assert asked.status_code == 200
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["Access-Control-Allow-Origin"] == "https://gadget.example"
    assert "Access-Control-Allow-Credentials" not in asked.headers
    assert (await http.get("/http-bind")).status_code == 200


@pytest.mark.parametrize(
    ("scheme", "address", "offered"),
    [
        ("https", "192.0.2.7", ["PLAIN"]),
        ("http", "192.0.2.7", []),
        ("http", "127.0.0.1", ["PLAIN"]),
    ],
)
async def test_passwords_over_http_are_for_this_machine_only(
    server: Server, http: httpx.AsyncClient, scheme: str, address: str, offered: list[str]
) -> None:
    transport = httpx.ASGITransport(bosh.BOSHForwarder(nothing_here), client=(address, 5))
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
    async with httpx.AsyncClient(
        transport=transport, base_url=f"{scheme}://service", headers=forged
    ) as client:
        assert await BOSH(client, "/http-bind").open() == offered


async def test_bosh_has_the_limits_of_the_others(
    start: Start, settings: Any, http: httpx.AsyncClient
) -> None:
    settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS = 2
    await start("finesse_seconds_before_bind = 5")
    one, two, three = [BOSH(http, "/http-bind") for _ in range(3)]
    for each in (one, two, three):
        await each.open()
    waiting = asyncio.create_task(one.post())
    refused = await three.post("<iq type='get' id='1' xmlns='jabber:client'/>")
    assert names(refused)[:3] == ["body", "error", "policy-violation"]
    assert names(await waiting)[:3] == ["body", "error", "connection-timeout"]


async def test_a_bosh_client_that_asks_for_nothing_is_closed(
    start: Start, http: httpx.AsyncClient
) -> None:
    await start("finesse_unread_stanzas = 20")
    async with Component().connected() as component:
        client = BOSH(http, "/http-bind")
        await client.sign_in()
        for position in range(1, 20):
            component.notify("alice@localhost/desktop", position)
        await component.pong()
        got = await client.post()
        assert names(got).count("item") == 19
        for position in range(20, 50):
            component.notify("alice@localhost/desktop", position)
        while (await component.hears())[0] != "unbound":
            pass
        assert (await client.post()).get("condition") == "item-not-found"


async def test_without_an_address_bosh_is_not_here(settings: Any, http: httpx.AsyncClient) -> None:
    settings.FINESSE_XMPP_BOSH_URL = ""
    assert (await http.post("/http-bind")).text == "nothing here"
    settings.FINESSE_XMPP_BOSH_URL = "http://127.0.0.1:1/http-bind"
    assert (await http.post("/http-bindings")).text == "nothing here"


async def test_bosh_says_that_the_server_is_away(settings: Any, http: httpx.AsyncClient) -> None:
    settings.FINESSE_XMPP_BOSH_URL = f"http://127.0.0.1:{free_port()}/http-bind"
    answer = await http.post("/http-bind", content="<body/>")
    assert (answer.status_code, answer.text) == (503, "The XMPP server is not running.\n")


class Upstream:
    """Takes a request and hangs up, or waits for that."""

    def __init__(self) -> None:
        self.asked, self.left = asyncio.Event(), asyncio.Event()
        self.hangs_up = False

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"<body/>")
        self.asked.set()
        if not self.hangs_up:
            assert await reader.read() == b""
            self.left.set()
        writer.close()


@pytest.fixture
async def upstream(settings: Any) -> AsyncIterator[Upstream]:
    made = Upstream()
    listener = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    settings.FINESSE_XMPP_BOSH_URL = f"http://127.0.0.1:{port}/http-bind"
    yield made
    listener.close()
    await listener.wait_closed()


async def test_bosh_says_that_the_server_did_not_answer(
    upstream: Upstream, http: httpx.AsyncClient
) -> None:
    upstream.hangs_up = True
    answer = await http.post("/http-bind", content="<body/>")
    assert (answer.status_code, answer.text) == (502, "The XMPP server did not answer.\n")


async def test_a_bosh_client_that_leaves_waits_no_longer(
    upstream: Upstream, http: httpx.AsyncClient
) -> None:
    scope = {"type": "http", "path": "/http-bind", "method": "POST", "scheme": "http"}
    messages = [{"type": "http.request", "body": b"<body/>"}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await upstream.asked.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await bosh.BOSHForwarder(nothing_here)({**scope, "headers": []}, receive, send)
    async with asyncio.timeout(30):
        await upstream.left.wait()


async def test_a_large_body_stays_outside(upstream: Upstream, http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    for content in (b" " * 70_000, chunks()):
        assert (await http.post("/http-bind", content=content)).status_code == 413
    assert (await http.put("/http-bind")).status_code == 405
    assert not upstream.asked.is_set()


# --- The password view ---------------------------------------------------------------------------


@pytest.fixture
def ask(client: Any, settings: Any) -> Callable[..., int]:
    settings.FINESSE_XMPP_SECRET = SECRET

    def asked(
        user: str = "alice",
        password: str = PASSWORD,
        secret: str = SECRET,
        address: str = "203.0.113.7",
    ) -> int:
        form = {"user": user, "password": password, "address": address}
        headers = {"Authorization": f"Bearer {secret}"}
        status: int = client.post("/finesse/xmpp/password", form, headers=headers).status_code
        return status

    return asked


def test_the_view_says_whether_a_password_is_right(cast: Cast, ask: Callable[..., int]) -> None:
    # Also out of service: there is no heartbeat here.
    assert ask() == 200
    assert ask("ALICE") == 200
    assert ask(password="wrong") == 401
    assert ask("nobody") == 401
    assert ask("") == 401
    assert ask("ali\0ce") == 401


def test_the_view_needs_the_secret(
    cast: Cast, ask: Callable[..., int], client: Any, settings: Any
) -> None:
    for secret in ("", "wrong", f"{SECRET} ", "ä"):
        assert ask(secret=secret) == 403
    assert client.post("/finesse/xmpp/password").status_code == 403
    assert client.get("/finesse/xmpp/password").status_code == 403
    headers = {"Authorization": f"Bearer {SECRET}"}
    assert client.get("/finesse/xmpp/password", headers=headers).status_code == 405
    settings.FINESSE_XMPP_SECRET = ""
    assert ask(secret="") == 404
    assert ask() == 404


def test_the_view_shares_the_lock_out_of_the_api(cast: Cast, ask: Callable[..., int]) -> None:
    for _ in range(5):
        assert ask("Alice", "wrong") == 401
    assert ask() == 401
    assert passwords.verify("alice", PASSWORD, "203.0.113.7") is None
    # Elsewhere the user goes on.
    assert ask(address="203.0.113.8") == 200


def test_the_view_cannot_say_while_the_checks_are_overrun(
    cast: Cast, ask: Callable[..., int], settings: Any
) -> None:
    settings.FINESSE_PASSWORD_PLACES = 0
    assert ask() == 503


def test_a_user_who_does_not_exist_takes_as_long_as_one_who_does(
    cast: Cast, ask: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = []
    monkeypatch.setattr(passwords, "make_password", hashed.append)
    assert ask("nobody", "guess") == 401
    assert hashed == ["guess"]


# --- Real clients --------------------------------------------------------------------------------


@pytest.mark.parametrize("direct", [False, True], ids=["STARTTLS", "TLS"])
async def test_slixmpp_signs_in_over_tls_and_gets_what_is_for_it(
    server: Server, component: Component, settings: Any, direct: bool
) -> None:
    client = ClientXMPP("alice@localhost/desktop", "right")
    client.ca_certs = str(server.folder / "tls" / "authority.pem")
    client.enable_direct_tls, client.enable_starttls = direct, not direct
    began: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    client.add_event_handler("session_start", began.set_result)
    got: asyncio.Queue[Any] = asyncio.Queue()
    path = MatchXPath("{jabber:client}message")
    client.register_handler(Callback("every message", path, got.put_nowait))
    port = settings.FINESSE_XMPP_SECURE_PORT if direct else settings.FINESSE_XMPP_PORT
    client.connect("127.0.0.1", port)
    async with asyncio.timeout(30):
        await began
        client.send_presence(ppriority=0)
        component.notify("alice@localhost/desktop", 1)
        message = await got.get()
    assert "item" in names(message.xml)
    await client.disconnect()


# --- As a child ----------------------------------------------------------------------------------


def children_of(parent: int) -> list[int]:
    """The Prosodys that a process has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            is_one = b"prosody.cfg.lua" in status.with_name("cmdline").read_bytes()
            if is_one and f"\nPPid:\t{parent}\n" in status.read_text():
                found.append(int(status.parent.name))
    return found


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


async def eventually(what: Callable[[], Any], seconds: float = 60) -> Any:
    async with asyncio.timeout(seconds):
        while not (found := what()):
            await asyncio.sleep(0.02)
    return found


async def test_a_child_that_dies_is_started_again(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(child_process, "RESTART_PAUSE_SECONDS", 0.1)
    (pid,) = children_of(os.getpid())
    os.kill(pid, signal.SIGKILL)
    (again,) = await eventually(lambda: [p for p in children_of(os.getpid()) if p != pid])
    assert again != pid
    await server.listens()
    assert (await (await server.sign_in()).ping()).get("type") == "result"
    assert [r.getMessage() for r in caplog.records if "started again" in r.getMessage()] == [
        "Prosody has ended (status -9) and is started again"
    ]


async def test_a_line_of_any_length_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    program = tmp_path / "prosody"
    program.write_text(
        "#!/bin/sh\nhead -c 200000 /dev/zero | tr '\\0' x; echo\n"
        "printf 'general warn\\tgoes on\\n'; exec cat\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    pair = make_or_renew(tmp_path / "tls", ["localhost"])
    configuration = Configuration(
        certificate=pair.certificate, key=pair.key, password_url="http://a/", folder=tmp_path / "x"
    )
    keeping = asyncio.create_task(child_process.keep_running(configuration, lambda: None))
    await eventually(lambda: keeping.done() or "Prosody, general: goes on" in caplog.text)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_a_child_that_does_not_stop_is_stopped(
    start: Start, settings: Any, monkeypatch: pytest.MonkeyPatch, desk: Desk, tmp_path: Path
) -> None:
    monkeypatch.setattr(child_process, "STOP_TIMEOUT_SECONDS", 0.2)
    async with serve(tmp_path / "stuck", settings, desk):
        (pid,) = children_of(os.getpid())
        os.kill(pid, signal.SIGSTOP)
    assert not is_running(pid)


async def test_a_renewed_certificate_is_shown_without_a_restart(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(child_process, "CERTIFICATE_CHECK_SECONDS", 0.3)
    hosts = ["localhost"]
    server = await start(renew=lambda: make_or_renew(tmp_path / "xmpp" / "tls", hosts))
    client = await server.sign_in()

    async def show(direct: bool) -> set[str]:
        names: set[str] = set()
        # The authority may be a new one, too.
        trusting = ssl.create_default_context(cafile=str(tmp_path / "xmpp" / "tls/authority.pem"))
        if direct:
            wire = await server.wire(settings.FINESSE_XMPP_SECURE_PORT, tls=trusting)
        else:
            wire = await server.wire()
            await wire.open()
            await wire.start_tls(trusting)
        shown = wire.writer.get_extra_info("ssl_object").getpeercert()
        names.update(name for kind, name in shown["subjectAltName"] if kind == "DNS")
        return names

    for direct in (False, True):
        assert "localhost" in await show(direct)
    hosts.append("later.example")
    for direct in (False, True):
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(ssl.SSLError):
                    if "later.example" in await show(direct):
                        break
                await asyncio.sleep(0.1)
    assert (await client.ping()).get("type") == "result"


async def test_what_prosody_complains_about_is_logged_here(
    server: Server, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.status = 500
    wire = await server.wire()
    await wire.open()
    await wire.auth()
    complaint = f"Cannot check a password at {desk.url}: 500"
    await eventually(lambda: [r for r in caplog.records if complaint in r.getMessage()])


async def test_why_a_child_does_not_start_is_logged_here(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = asyncio.create_task(start("This is no Lua."))
    monkeypatch.setattr(child_process, "RESTART_PAUSE_SECONDS", 0.1)
    await eventually(lambda: caplog.text.count("(status 1) and is started again") >= 3)
    assert caplog.text.count("A problem occurred while reading the config file") == 1
    assert "syntax error" in caplog.text
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)


async def test_an_ordinary_start_has_nothing_to_complain_about(
    server: Server, component: Component, caplog: pytest.LogCaptureFixture
) -> None:
    await (await server.sign_in()).available()
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    require_prosody()
    made = Installation(tmp_path, xmpp=True)
    yield made
    made.end()


def output_of(installation: Installation) -> str:
    return (installation.folder / "server.log").read_text()


@only_embedded
async def test_run_with_xmpp_serves_every_path_and_leaves_nothing_behind(
    installation: Installation,
) -> None:
    await asyncio.to_thread(installation.start)
    output = await eventually(
        lambda: "Demo logins" in output_of(installation) and output_of(installation)
    )
    assert f"127.0.0.1:{installation.xmpp_port}" in output
    assert f"{installation.url}/http-bind" in output
    assert "WARNING" not in output

    wire = await Wire.connect(installation.xmpp_port)
    authority = installation.folder / "tls" / "authority.pem"
    await wire.open()
    await wire.start_tls(ssl.create_default_context(cafile=str(authority)))
    await wire.open()
    assert await wire.auth("1234", "wrong") == ["failure", "not-authorized"]
    assert await wire.auth("1234", "finesse") == ["success"]
    await wire.open()
    await wire.bind("desktop")
    wire.jid = "1234@localhost/desktop"
    await wire.available()
    async with httpx.AsyncClient(base_url=installation.url, timeout=30) as http:
        body = "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>"
        path, auth = "/finesse/api/User/1234/Media/5001", ("1234", "finesse")
        headers = {"Content-Type": "application/xml"}
        assert (await http.put(path, content=body, auth=auth, headers=headers)).status_code == 202
        update = "".join((await wire.hear()).itertext())
        assert "<label>Lunch</label>" in update
        client = BOSH(http, "/http-bind/")
        assert await client.open() == ["PLAIN"]
        waiting = asyncio.create_task(client.post())

        process = installation.processes["server"]
        (child,) = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        assert await wire.ended() == "system-shutdown"
        with pytest.raises(AssertionError, match="XMPP server"):
            await waiting
    await wire.drop()
    await asyncio.to_thread(process.wait, 60)
    assert not is_running(child)
    assert "Traceback" not in output_of(installation)
    assert "Cancel" not in output_of(installation)


@only_embedded
async def test_a_child_ends_with_its_parent_however_that_ends(installation: Installation) -> None:
    await asyncio.to_thread(installation.start)
    process = installation.processes["server"]
    (child,) = children_of(process.pid)
    process.kill()
    await eventually(lambda: not is_running(child))
    # Nothing is in the way of the next.
    await asyncio.to_thread(installation.start)
    (again,) = children_of(installation.processes["server"].pid)

    os.kill(again, signal.SIGKILL)
    await eventually(lambda: children_of(installation.processes["server"].pid) not in ([], [again]))
    await asyncio.to_thread(installation.await_status, 200)


def test_run_reports_obstacles_of_xmpp(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FINESSE_DATA_DIR = tmp_path
    settings.FINESSE_XMPP_PORT = free_port()
    settings.FINESSE_XMPP_SECURE_PORT = free_port()
    settings.FINESSE_XMPP_COMPONENT = f"127.0.0.1:{free_port()}"
    settings.FINESSE_XMPP_BOSH_URL = f"http://127.0.0.1:{free_port()}/http-bind"
    program = tmp_path / "prosody"
    program.touch(0o755)

    def says() -> str:
        with socket.create_server(("127.0.0.1", 0)) as service:
            with pytest.raises(CommandError) as caught:
                xmpp_server.prepare("127.0.0.1", "http", service)
            return str(caught.value)

    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install prosody" in says()
    monkeypatch.setenv("PATH", str(tmp_path))
    for port in (settings.FINESSE_XMPP_PORT, settings.FINESSE_XMPP_SECURE_PORT):
        with socket.create_server(("127.0.0.1", port)):
            assert f"Prosody cannot listen on 127.0.0.1:{port}" in says()
    settings.FINESSE_XMPP_COMPONENT = "somewhere"
    assert "FINESSE_XMPP_COMPONENT must name a host and a port" in says()


# --- The configuration of one that the operator runs ---------------------------------------------


def test_xmpp_config_prints_what_prosody_accepts(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.FINESSE_XMPP_SECRET = SECRET
    settings.FINESSE_XMPP_DOMAIN = "Finesse.Example"
    pair = make_or_renew(tmp_path, ["finesse.example"])
    options = {"certificate": pair.certificate, "key": pair.key}
    url = "https://finesse.example/finesse/xmpp/password"
    call_command("xmpp_config", **options, password_url=url)
    text = capsys.readouterr().out
    file = tmp_path / "prosody.cfg.lua"
    file.write_text(text)
    read = "for line in io.lines(arg[1]) do end; assert(loadfile(arg[1]))"
    (tmp_path / "read.lua").write_text(read)
    subprocess.run(["lua5.4", tmp_path / "read.lua", file], check=True)
    assert 'VirtualHost "Finesse.Example"' in text
    assert 'Component "pubsub.Finesse.Example"' in text
    assert "finesse_child" not in text
    assert "run_as_root" not in text
    assert "finesse_trust_password_url = false" in text
    assert 'c2s_interfaces = { "*", "::" }' in text


def test_xmpp_config_needs_a_secret(settings: Any) -> None:
    settings.FINESSE_XMPP_SECRET = ""
    with pytest.raises(CommandError, match="FINESSE_XMPP_SECRET is not set"):
        call_command("xmpp_config", certificate="c", key="k", password_url="u")


def test_texts_reach_lua_unharmed() -> None:
    odd = 'a"b\\c\nd\0e\x7f ü ]] --'
    script = f"io.write({lua(odd)})"
    done = subprocess.run(["lua5.4", "-e", script], check=True, capture_output=True)
    assert done.stdout.decode() == odd
    assert lua([True, 1, 0.5, "x"]) == '{ true, 1, 0.5, "x" }'
