"""XMPP over WebSocket: what the protocol asks for, and what real clients were seen to do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from channels.db import database_sync_to_async
from defusedxml.ElementTree import fromstring
from django.db import OperationalError, transaction

from finesse.notifications import log, publisher
from finesse.notifications.models import Notification, Subscription
from finesse.presence import stamps
from finesse.users.models import User
from finesse.xmpp import client_session, consumer, items, pubsub
from tests.conftest import PASSWORD, Cast
from tests.kit.deadlines import noted_calls_later
from tests.kit.followers import MEDIA, position_of, write
from tests.kit.xmpp_stream import BIND, CLOSE, LOCAL, OPEN, PUBSUB, Stream, auth, names, plain

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("server_loop")]
Client = Callable[..., Any]
FAR_AWAY = ("192.0.2.7", 50000)
MINE = MEDIA.format("alice")
PING = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"


@pytest.fixture
async def stream() -> AsyncIterator[Client]:
    """Opens connections, and closes them when the test is over."""
    opened: list[Stream] = []

    async def connect(*args: Any, **kwargs: Any) -> Stream:
        opened.append(Stream(*args, **kwargs))
        return await opened[-1].connect()

    yield connect
    for one in opened:
        await one.leave()


@pytest.fixture
async def online(stream: Client) -> Client:
    """Clients that have signed in, bound and sent their presence."""

    async def connect(name: str = "alice", resource: str = "", priority: int = 0) -> Stream:
        client = await (await stream()).sign_in(name)
        return await (await client.bind(resource)).available(priority)

    return connect


def condition(reply: Element) -> list[str]:
    """The conditions of an error."""
    assert reply.get("type") == "error"
    return [name for name in names(reply)[2:] if name != "text"]


def ids(reply: Element) -> list[int]:
    assert reply.get("type") == "result", names(reply)
    found = reply.iter("{http://jabber.org/protocol/pubsub}item")
    return [int(item.get("id", "")) for item in found]


# --- opening and signing in ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/ws", "/ws/"])
async def test_the_socket_is_there_with_and_without_a_slash(
    cast: Cast, stream: Client, path: str
) -> None:
    client = await stream(path)
    features = await client.open()
    assert features.tag == "{http://etherx.jabber.org/streams}features"
    assert names(features) == ["features", "mechanisms", "mechanism"]
    assert [one.text for one in features.iter() if one.text] == ["PLAIN"]


async def test_a_client_that_speaks_something_else_is_not_let_in() -> None:
    client = Stream()
    client.socket.scope["subprotocols"] = ["chat"]
    connected, _ = await client.socket.connect()
    assert not connected


async def test_the_stream_names_its_server_and_itself(cast: Cast, stream: Client) -> None:
    client = await stream()
    opened = await client.ask(OPEN)
    assert (opened.get("from"), opened.get("version")) == ("localhost", "1.0")
    assert opened.get("id")


@pytest.mark.parametrize("acting_as", ["", "alice", "alice@localhost", "ALICE"])
@pytest.mark.parametrize("name", ["alice", "alice@localhost", "Alice"])
async def test_signing_in_as_oneself_however_it_is_written(
    cast: Cast, stream: Client, name: str, acting_as: str
) -> None:
    client = await stream()
    await client.open()
    success = await client.ask(auth(plain(name, acting_as=acting_as)))
    assert names(success) == ["success"]
    assert names(await client.open())[1:] == ["bind", "session", "optional"]
    await client.bind("desktop")
    assert client.jid == "alice@localhost/desktop"


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (auth(plain(password="wrong")), "not-authorized"),
        (auth(plain("nobody")), "not-authorized"),
        (auth(plain(acting_as="bob")), "invalid-authzid"),
        (auth(plain(acting_as="alice@elsewhere.example")), "invalid-authzid"),
        (auth("%%%"), "incorrect-encoding"),
        (auth("/////w=="), "incorrect-encoding"),
        (auth("YWxpY2U="), "malformed-request"),
        (auth(plain(), "SCRAM-SHA-1"), "invalid-mechanism"),
        ("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "aborted"),
        ("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "malformed-request"),
    ],
)
async def test_a_refused_client_gets_the_reason_and_may_try_again(
    cast: Cast, stream: Client, frame: str, why: str
) -> None:
    client = await stream()
    await client.open()
    assert names(await client.ask(frame)) == ["failure", why]
    assert names(await client.ask(auth(plain()))) == ["success"]


async def test_a_client_may_wait_to_be_asked_for_its_password(cast: Cast, stream: Client) -> None:
    client = await stream()
    await client.open()
    assert names(await client.ask(auth(""))) == ["challenge"]
    response = f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{plain()}</response>"
    assert names(await client.ask(response)) == ["success"]


async def test_three_wrong_passwords_end_the_stream(cast: Cast, stream: Client) -> None:
    client = await stream()
    await client.open()
    for _ in range(3):
        assert names(await client.ask(auth(plain(password="no")))) == ["failure", "not-authorized"]
    assert await client.ended() == "policy-violation"


async def test_five_wrong_passwords_block_the_user_as_over_http(cast: Cast, stream: Client) -> None:
    for _ in range(5):
        client = await stream()
        await client.open()
        await client.ask(auth(plain(password="no")))
    client = await stream()
    await client.open()
    assert names(await client.ask(auth(plain()))) == ["failure", "not-authorized"]


@pytest.mark.parametrize(
    ("scope", "offered"),
    [
        ({"peer": FAR_AWAY}, False),
        ({"peer": FAR_AWAY, "scheme": "wss"}, True),
        ({"peer": ("::1", 50000)}, True),
        ({"peer": LOCAL}, True),
    ],
)
async def test_passwords_are_requested_on_safe_connections_only(
    cast: Cast, stream: Client, scope: Any, offered: bool
) -> None:
    client = await stream(**scope)
    assert ("mechanism" in names(await client.open())) is offered
    reply = await client.ask(auth(plain()))
    assert names(reply) == (["success"] if offered else ["failure", "encryption-required"])


async def test_a_setting_allows_passwords_in_the_clear(
    cast: Cast, stream: Client, settings: Any
) -> None:
    settings.FINESSE_XMPP_ALLOW_CLEARTEXT = True
    client = await stream(peer=FAR_AWAY)
    assert "mechanism" in names(await client.open())


@pytest.mark.parametrize(("forwarded", "offered"), [("https", True), ("http", False)])
async def test_a_proxy_says_whether_the_client_is_encrypted(
    cast: Cast, stream: Client, settings: Any, forwarded: str, offered: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"x-forwarded-proto", forwarded.encode())]
    client = await stream(headers=headers)
    assert ("mechanism" in names(await client.open())) is offered


@pytest.mark.parametrize(
    "to",
    [
        "to='127.0.0.1'",
        "to='[::1]'",
        "to='elsewhere.example'",
        "to='LOCALHOST'",
        "to='pubsub.localhost'",
        "to='a b'",
        "to=''",
        "",
    ],
)
async def test_a_stream_may_be_opened_to_any_name_and_is_the_domains(
    cast: Cast, stream: Client, to: str
) -> None:
    client = await stream()
    opening = OPEN.replace("to='localhost'", to)
    assert (await client.ask(opening)).get("from") == "localhost"
    assert names(await client.read())[1] == "mechanisms"
    assert names(await client.ask(auth(plain()))) == ["success"]
    # Even if it names something else this time.
    assert (await client.ask(OPEN)).get("from") == "localhost"
    assert names(await client.read())[1] == "bind"
    assert (await client.bind("desk")).jid == "alice@localhost/desk"


async def test_opening_once_more_after_signing_in_offers_a_resource(
    cast: Cast, stream: Client
) -> None:
    client = await (await stream()).sign_in()
    assert names(await client.open())[1] == "bind"
    await client.bind()


# --- binding ------------------------------------------------------------------------------------


async def test_a_client_gets_the_resource_it_asks_for_or_one_of_its_own(
    cast: Cast, stream: Client
) -> None:
    named = await (await (await stream()).sign_in()).bind("1001")
    assert named.jid == "alice@localhost/1001"
    unnamed = await (await (await stream()).sign_in()).bind()
    assert unnamed.jid.startswith("alice@localhost/")
    assert unnamed.jid not in ("alice@localhost/", named.jid)


async def test_a_resource_that_cannot_be_one_is_refused_and_another_may_follow(
    cast: Cast, stream: Client
) -> None:
    client = await (await stream()).sign_in()
    refused = await client.ask(BIND(f"<resource>{'x' * 2000}</resource>"))
    assert condition(refused) == ["bad-request"]
    await client.bind("x")


async def test_the_same_resource_again_replaces_the_former_client(
    cast: Cast, online: Client
) -> None:
    former = await online(resource="desktop")
    new = await online(resource="desktop")
    assert await former.ended() == "conflict"
    (position,) = await write("alice")
    assert await new.item() == (MINE, position)


async def test_before_binding_nothing_else_is_answered(cast: Cast, stream: Client) -> None:
    client = await (await stream()).sign_in()
    await client.say("<presence/>")
    assert await client.ended() == "not-authorized"


async def test_before_signing_in_nothing_else_is_answered(cast: Cast, stream: Client) -> None:
    client = await stream()
    await client.open()
    await client.say(PING)
    assert await client.ended() == "not-authorized"


# --- notifications ------------------------------------------------------------------------------


async def test_a_notification_comes_as_escaped_text_in_one_item(cast: Cast, online: Client) -> None:
    client = await online(resource="1001")
    (position,) = await write("alice")
    text = await client.socket.receive_from()
    update = await database_sync_to_async(
        Notification.objects.values_list("update", flat=True).get
    )(pk=position_of(position))
    message = fromstring(text)
    assert message.attrib == {
        "from": "pubsub.localhost",
        "to": "alice@localhost/1001",
        "id": f"{MINE}__alice@localhost__{position}",
    }
    assert [one.tag for one in message.iter()] == [
        "{jabber:client}message",
        "{http://jabber.org/protocol/pubsub#event}event",
        "{http://jabber.org/protocol/pubsub#event}items",
        "{http://jabber.org/protocol/pubsub#event}item",
        "{http://jabber.org/protocol/pubsub}notification",
    ]
    assert [one.text for one in message.iter()][-1] == update
    assert "&lt;Update&gt;" in text
    assert "ns0" not in text


async def test_no_client_gets_notifications_of_others(cast: Cast, online: Client) -> None:
    alice, bob = await online("alice"), await online("bob")
    (of_bob,) = await write("bob")
    assert await bob.item() == (MEDIA.format("bob"), of_bob)
    assert await alice.silent()


@pytest.mark.parametrize("name", ["carol", "dave"])
async def test_supervisors_get_only_the_nodes_that_they_subscribed_to(
    cast: Cast, online: Client, name: str
) -> None:
    client = await online(name)
    await write("alice")
    (own,) = await write(name)
    assert await client.item() == (MEDIA.format(name), own)


async def test_every_client_of_a_user_gets_everything(cast: Cast, online: Client) -> None:
    clients = [await online(resource=name) for name in ("desktop", "phone", "bot")]
    positions = await write("alice", "alice")
    for client in clients:
        assert [(await client.item())[1] for _ in positions] == positions


async def test_what_comes_between_binding_and_presence_is_not_lost(
    cast: Cast, stream: Client
) -> None:
    client = await (await (await stream()).sign_in()).bind()
    early = await write("alice", "alice")
    assert await client.silent()
    await client.available()
    (late,) = await write("alice")
    assert [(await client.item())[1] for _ in range(3)] == [*early, late]


async def test_a_priority_below_zero_gets_nothing_until_it_is_raised(
    cast: Cast, online: Client
) -> None:
    client = await online(priority=-1)
    await write("alice")
    assert await client.silent()
    await client.ask("<presence><priority>5</priority></presence>")
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


async def test_an_unavailable_client_gets_nothing_until_it_is_back(
    cast: Cast, online: Client
) -> None:
    client = await online()
    await client.say("<presence type='unavailable'/>")
    await client.ask(PING)
    await write("alice")
    assert await client.silent()
    await client.available()
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


@pytest.mark.parametrize("priority", ["", "high", "1000", "-1000"])
async def test_an_odd_priority_does_no_harm(cast: Cast, online: Client, priority: str) -> None:
    client = await online()
    own = await client.ask(f"<presence><priority>{priority}</priority></presence>")
    assert names(own)[0] == "presence"
    assert (await client.ask(PING)).get("type") == "result"


async def test_presence_to_others_is_not_delivered(cast: Cast, online: Client) -> None:
    alice, bob = await online("alice"), await online("bob")
    for presence in (
        "<presence to='bob@localhost'/>",
        "<presence to='bob@localhost' type='subscribe'/>",
        "<presence type='probe'/>",
    ):
        await alice.say(presence)
    assert await bob.silent()
    assert await alice.silent()


async def test_a_user_who_is_closed_is_cut_off(cast: Cast, online: Client) -> None:
    client = await online()
    cast.alice.is_active = False
    await database_sync_to_async(cast.alice.save)()
    await write("bob")
    assert await client.ended() == "not-authorized"


async def test_a_changed_password_ends_the_stream(cast: Cast, online: Client) -> None:
    client = await online()
    cast.alice.set_password("another horse")
    await database_sync_to_async(cast.alice.save)()
    await write("bob")
    assert await client.ended() == "not-authorized"


# --- the server's own answers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "answered"),
    [
        ("<iq {get}><ping xmlns='urn:xmpp:ping'/></iq>", ["iq"]),
        ("<iq {get} to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>", ["iq"]),
        ("<iq {get} to='alice@localhost'><ping xmlns='urn:xmpp:ping'/></iq>", ["iq"]),
        ("<iq {get} to='pubsub.localhost'><ping xmlns='urn:xmpp:ping'/></iq>", ["iq"]),
        ("<iq {set}><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>", ["iq"]),
        ("<iq {get}><query xmlns='jabber:iq:roster'/></iq>", ["iq", "query"]),
    ],
)
@pytest.mark.parametrize("namespace", ["", " xmlns='jabber:client'"])
async def test_requests_are_answered_with_and_without_the_clients_namespace(
    cast: Cast, online: Client, request_: str, answered: list[str], namespace: str
) -> None:
    client = await online()
    text = request_.format(get="type='get' id='7'", set="type='set' id='7'")
    reply = await client.ask(text.replace("<iq", f"<iq{namespace}", 1))
    assert names(reply) == answered
    assert (reply.get("type"), reply.get("id"), reply.get("to")) == ("result", "7", client.jid)
    assert reply.tag == "{jabber:client}iq"


@pytest.mark.parametrize(
    ("to", "identities", "features"),
    [
        ("localhost", [("server", "im")], {"urn:xmpp:ping"}),
        (
            "pubsub.localhost",
            [("pubsub", "service")],
            {
                "http://jabber.org/protocol/pubsub#retrieve-items",
                "http://jabber.org/protocol/rsm",
            },
        ),
    ],
)
async def test_the_server_and_the_service_say_what_they_are(
    cast: Cast, online: Client, to: str, identities: Any, features: set[str]
) -> None:
    client = await online()
    reply = await client.ask(
        f"<iq type='get' id='1' to='{to}'>"
        "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
    found = [(one.get("category"), one.get("type")) for one in reply.iter() if one.get("category")]
    assert found == identities
    assert features <= {one.get("var") for one in reply.iter()}


async def test_the_service_is_found_from_the_domain_and_the_nodes_from_the_service(
    cast: Cast, online: Client
) -> None:
    client = await online()
    query = "<iq type='get' id='1' to='{}'><query xmlns='{}'{}/></iq>".format
    disco = "http://jabber.org/protocol/disco#{}".format
    reply = await client.ask(query("localhost", disco("items"), ""))
    assert [one.get("jid") for one in reply.iter() if one.get("jid")] == ["pubsub.localhost"]
    reply = await client.ask(query("pubsub.localhost", disco("items"), ""))
    nodes = [one.get("node") for one in reply.iter() if one.get("node")]
    assert nodes == [
        "/finesse/api/User/alice",
        "/finesse/api/User/alice/Media",
        "/finesse/api/User/alice/Dialogs",
        "/finesse/api/User/alice/Dialogs/Media",
        "/finesse/api/User/alice/Queues",
        "/finesse/api/User/alice/ClientLog",
        "/finesse/api/SystemInfo",
    ]
    for node in [*nodes, f"{MINE}/5001", f"{MINE}/1"]:
        reply = await client.ask(query("pubsub.localhost", disco("info"), f" node='{node}'"))
        identity = next(one for one in reply.iter() if one.tag.endswith("identity"))
        assert (identity.get("category"), identity.get("type")) == ("pubsub", "leaf")


@pytest.mark.parametrize(
    ("stanza", "why"),
    [
        ("<message to='bob@localhost' id='1'><body>Hi</body></message>", "service-unavailable"),
        (
            "<iq type='get' id='1' to='bob@localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
            "service-unavailable",
        ),
        ("<iq type='get' id='1'><vCard xmlns='vcard-temp'/></iq>", "service-unavailable"),
        ("<iq type='get' id='1'/>", "bad-request"),
        ("<iq type='walk' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "bad-request"),
        ("<iq type='get' id='1' to='@'><ping xmlns='urn:xmpp:ping'/></iq>", "jid-malformed"),
        ("<iq type='set' id='1'><query xmlns='jabber:iq:roster'/></iq>", "not-allowed"),
    ],
)
async def test_an_unserved_request_is_refused_and_the_stream_goes_on(
    cast: Cast, online: Client, stanza: str, why: str
) -> None:
    client = await online()
    assert condition(await client.ask(stanza)) == [why]
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


@pytest.mark.parametrize(
    "stanza",
    [" ", "\n", "<iq type='result' id='9'/>", "<message type='error'/>", "<iq type='error'/>"],
)
async def test_what_needs_no_answer_gets_none(cast: Cast, online: Client, stanza: str) -> None:
    client = await online()
    await client.say(stanza)
    assert await client.silent()
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


# --- subscriptions ------------------------------------------------------------------------------


def subscribe(node: str, jid: str, verb: str = "subscribe") -> str:
    return PUBSUB("set", f"<{verb} node='{node}' jid='{jid}'/>")


async def subscriptions(client: Stream) -> list[tuple[str | None, str | None]]:
    reply = await client.ask(PUBSUB("get", "<subscriptions/>"))
    return [(one.get("node"), one.get("jid")) for one in reply.iter() if one.get("subscription")]


async def test_the_own_nodes_and_the_services_are_subscribed_without_asking(
    cast: Cast, online: Client
) -> None:
    client = await online()
    assert await subscriptions(client) == [
        ("/finesse/api/User/alice", "alice@localhost"),
        ("/finesse/api/User/alice/Media", "alice@localhost"),
        ("/finesse/api/User/alice/Dialogs", "alice@localhost"),
        ("/finesse/api/User/alice/Dialogs/Media", "alice@localhost"),
        ("/finesse/api/User/alice/Queues", "alice@localhost"),
        ("/finesse/api/User/alice/ClientLog", "alice@localhost"),
        ("/finesse/api/SystemInfo", "alice@localhost"),
    ]


async def test_subscribing_to_what_comes_anyway_brings_nothing_twice(
    cast: Cast, online: Client
) -> None:
    client = await online()
    reply = await client.ask(subscribe(MINE, client.jid))
    assert [one.get("subscription") for one in reply.iter()][-1] == "subscribed"
    positions = await write("alice", "alice")
    assert [(await client.item())[1] for _ in positions] == positions
    assert (await client.ask(subscribe(MINE, client.jid, "unsubscribe"))).get("type") == "result"
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


EMPTY = [f"/finesse/api/User/alice/{name}" for name in ("Dialogs", "Queues", "ClientLog")]
EMPTY.append("/finesse/api/User/alice/Dialogs/Media")


@pytest.mark.parametrize("node", EMPTY)
async def test_a_feed_on_which_nothing_is_published_is_there_and_stays_empty(
    cast: Cast, online: Client, node: str
) -> None:
    client = await online()
    reply = await client.ask(subscribe(node, client.jid))
    assert [one.get("subscription") for one in reply.iter()][-1] == "subscribed"
    assert ids(await client.ask(PUBSUB("get", f"<items node='{node}'/>"))) == []
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)
    assert (await client.ask(subscribe(node, client.jid, "unsubscribe"))).get("type") == "result"
    bob = await online("bob")
    assert condition(await bob.ask(subscribe(node, bob.jid))) == ["forbidden"]


async def test_the_media_feed_has_another_name_and_brings_nothing_twice(
    cast: Cast, online: Client
) -> None:
    client, bob = await online(), await online("bob")
    other_name = f"{MINE}/5001"
    reply = await client.ask(subscribe(other_name, client.jid))
    assert [one.get("subscription") for one in reply.iter()][-1] == "subscribed"
    positions = await write("alice", "alice")
    assert [await client.item() for _ in positions] == [(MINE, one) for one in positions]
    assert await client.silent()
    retrieved = await client.ask(PUBSUB("get", f"<items node='{other_name}'/>"))
    assert ids(retrieved) == ids(await client.ask(PUBSUB("get", f"<items node='{MINE}'/>")))
    assert ids(retrieved)[-2:] == positions
    assert [one.get("node") for one in retrieved.iter() if one.get("node")] == [other_name]
    assert condition(await bob.ask(subscribe(other_name, bob.jid))) == ["forbidden"]
    for unknown in (f"{MINE}/", f"{MINE}/x", f"{MINE}/5001/x", f"{MINE}/05001"):
        assert condition(await client.ask(subscribe(unknown, client.jid))) == ["item-not-found"]


@database_sync_to_async
def notify_team(team: Any) -> int:
    node = f"/finesse/api/Team/{team}/Users"
    with transaction.atomic():
        (written,) = log.append(log.lock(), [log.Entry(node=node, source=node, data={"x": "y"})])
    publisher.publish_all()
    return written.place.number


@pytest.mark.parametrize("name", ["carol", "dave"])
async def test_supervisors_subscribe_to_the_users_of_their_teams(
    cast: Cast, online: Client, name: str
) -> None:
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client, other = await online(name, "one"), await online(name, "two")
    reply = await client.ask(subscribe(node, client.jid))
    assert reply.get("type") == "result"
    position = await notify_team(cast.alice.team_id)
    assert await client.item() == (node, position)
    assert await other.silent()
    assert (node, client.jid) in await subscriptions(other)
    assert (await client.ask(subscribe(node, client.jid, "unsubscribe"))).get("type") == "result"
    await notify_team(cast.alice.team_id)
    assert await client.silent()


async def test_an_explicit_subscription_outlives_its_connection(cast: Cast, online: Client) -> None:
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client = await online("carol", "desktop")
    await client.ask(subscribe(node, client.jid))
    await client.say(CLOSE)
    await client.ended()
    client = await online("carol", "desktop")
    position = await notify_team(cast.alice.team_id)
    assert await client.item() == (node, position)


async def test_a_subscription_of_the_user_is_for_every_client(cast: Cast, online: Client) -> None:
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client, other = await online("carol", "one"), await online("carol", "two")
    await client.ask(subscribe(node, "carol@localhost"))
    position = await notify_team(cast.alice.team_id)
    assert await client.item() == (node, position)
    assert await other.item() == (node, position)
    await other.ask(subscribe(node, "carol@localhost", "unsubscribe"))
    await notify_team(cast.alice.team_id)
    assert await client.silent()
    assert await other.silent()


async def test_a_client_subscribes_another_one_of_its_user_at_once(
    cast: Cast, online: Client
) -> None:
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client, other = await online("carol", "one"), await online("carol", "two")
    await client.ask(subscribe(node, other.jid))
    position = await notify_team(cast.alice.team_id)
    assert await other.item() == (node, position)
    await client.ask(subscribe(node, other.jid, "unsubscribe"))
    await notify_team(cast.alice.team_id)
    assert await other.silent()
    assert await client.silent()


async def test_a_subscription_to_a_team_that_was_lost_can_be_cancelled_and_does_not_revive(
    cast: Cast, online: Client
) -> None:
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    client = await online("carol", "desktop")
    await client.ask(subscribe(node, client.jid))
    team = await database_sync_to_async(lambda: cast.alice.team)()
    assert team is not None
    await database_sync_to_async(team.supervisors.remove)(cast.carol)
    assert (await client.item())[0] == "/finesse/api/User/carol"
    assert (await client.ask(subscribe(node, client.jid, "unsubscribe"))).get("type") == "result"
    assert condition(await client.ask(subscribe(node, client.jid, "unsubscribe"))) == ["forbidden"]
    await database_sync_to_async(team.supervisors.add)(cast.carol)
    assert (await client.item())[0] == "/finesse/api/User/carol"
    await notify_team(cast.alice.team_id)
    assert await client.silent()


async def test_a_former_supervisor_gets_nothing_of_the_team(cast: Cast, online: Client) -> None:
    client = await online("carol")
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    await client.ask(subscribe(node, client.jid))
    team = await database_sync_to_async(lambda: cast.alice.team)()
    assert team is not None
    await database_sync_to_async(team.supervisors.remove)(cast.carol)
    await notify_team(cast.alice.team_id)
    (own,) = await write("carol")
    # That carol supervises one team fewer is what her own User shows.
    assert (await client.item())[0] == "/finesse/api/User/carol"
    assert await client.item() == (MEDIA.format("carol"), own)


@pytest.mark.parametrize(
    ("node", "jid", "why"),
    [
        (MEDIA.format("bob"), "alice@localhost", ["forbidden"]),
        ("/finesse/api/User/bob", "alice@localhost", ["forbidden"]),
        (MEDIA.format("nobody"), "alice@localhost", ["forbidden"]),
        ("/finesse/api/Team/1/Users", "alice@localhost", ["forbidden"]),
        ("/finesse/api/Team/999999/Users", "alice@localhost", ["forbidden"]),
        ("/finesse/api/Queue/1", "alice@localhost", ["item-not-found"]),
        ("", "alice@localhost", ["bad-request", "nodeid-required"]),
        (MINE, "bob@localhost", ["bad-request", "invalid-jid"]),
        (MINE, "", ["bad-request", "invalid-jid"]),
    ],
)
async def test_what_may_not_be_subscribed_to_is_refused(
    cast: Cast, online: Client, node: str, jid: str, why: list[str]
) -> None:
    client = await online()
    for verb in ("subscribe", "unsubscribe"):
        assert condition(await client.ask(subscribe(node, jid, verb))) == why
    assert not await database_sync_to_async(Subscription.objects.exists)()


async def test_not_even_a_supervisor_subscribes_to_another_users_node(
    cast: Cast, online: Client
) -> None:
    for name in ("carol", "dave"):
        client = await online(name)
        assert condition(await client.ask(subscribe(MINE, client.jid))) == ["forbidden"]


async def test_unsubscribing_from_what_was_never_subscribed_to_is_an_error(
    cast: Cast, online: Client
) -> None:
    client = await online("carol")
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    reply = await client.ask(subscribe(node, client.jid, "unsubscribe"))
    assert condition(reply) == ["unexpected-request", "not-subscribed"]


async def test_subscriptions_of_one_user_are_bounded(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "MAX_SUBSCRIPTIONS_PER_USER", 2)
    client = await online("dave")
    for team in (1, 2):
        await client.ask(subscribe(f"/finesse/api/Team/{team}/Users", client.jid))
    reply = await client.ask(subscribe("/finesse/api/Team/3/Users", client.jid))
    assert condition(reply) == ["policy-violation", "too-many-subscriptions"]
    again = await client.ask(subscribe("/finesse/api/Team/2/Users", client.jid))
    assert again.get("type") == "result"


async def test_subscriptions_of_clients_that_never_cancelled_them_give_way(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "MAX_SUBSCRIPTIONS_PER_USER", 2)
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    for _ in range(4):
        client = await online("carol")
        assert (await client.ask(subscribe(node, client.jid))).get("type") == "result"
    position = await notify_team(cast.alice.team_id)
    assert await client.item() == (node, position)


async def test_those_of_a_client_with_a_name_of_its_own_give_way_last(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "MAX_SUBSCRIPTIONS_PER_USER", 2)
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    wall = await online("carol", "wall")
    await wall.ask(subscribe(node, wall.jid))
    for _ in range(3):
        client = await online("carol")
        assert (await client.ask(subscribe(node, client.jid))).get("type") == "result"
    await database_sync_to_async(log.count_access_change)()
    position = await notify_team(cast.alice.team_id)
    assert await wall.item() == (node, position)


async def test_those_to_what_one_may_not_see_any_more_give_way_first(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "MAX_SUBSCRIPTIONS_PER_USER", 1)
    lost = Subscription(login_id="carol", node="/finesse/api/Team/999/Users")
    await database_sync_to_async(lost.save)()
    client = await online("carol")
    node = f"/finesse/api/Team/{cast.alice.team_id}/Users"
    assert (await client.ask(subscribe(node, client.jid))).get("type") == "result"
    assert await database_sync_to_async(Subscription.objects.get)(login_id="carol", node=node)


async def test_a_request_that_fails_is_an_error_and_ends_no_stream(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the database is restarted."""
    client = await online()

    async def fail(*_: Any) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(client_session, "renewed", fail)
        reply = await client.ask(PUBSUB("get", f"<items node='{MINE}'/>"))
    assert condition(reply) == ["internal-server-error"]
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)


async def test_a_presence_that_cannot_be_noted_is_noted_later(
    cast: Cast, stream: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []
    watch = stamps.watch

    def fail_twice(login_id: str) -> None:
        if len(failures) < 2:
            failures.append(login_id)
            raise OperationalError
        watch(login_id)

    monkeypatch.setattr(stamps, "watch", fail_twice)
    monkeypatch.setattr(consumer, "RETRY_SECONDS", 0.01)
    client = await (await (await stream()).sign_in("alice")).bind("desktop")
    await client.available(0)
    (position,) = await write("alice")
    assert await client.item() == (MINE, position)
    assert failures == ["alice", "alice"]


async def test_a_deleted_user_leaves_no_subscription(cast: Cast, online: Client) -> None:
    client = await online("carol")
    await client.ask(subscribe(f"/finesse/api/Team/{cast.alice.team_id}/Users", client.jid))
    assert await database_sync_to_async(Subscription.objects.exists)()
    await database_sync_to_async(cast.carol.delete)()
    assert not await database_sync_to_async(Subscription.objects.exists)()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (PUBSUB("set", f"<publish node='{MINE}'><item/></publish>"), ["forbidden"]),
        (PUBSUB("set", f"<retract node='{MINE}'><item id='1'/></retract>"), ["forbidden"]),
        (PUBSUB("set", "<create node='mine'/>"), ["forbidden"]),
        (
            PUBSUB("set", f"<delete node='{MINE}'/>").replace("pubsub'>", "pubsub#owner'>"),
            ["forbidden"],
        ),
        (PUBSUB("get", "<affiliations/>"), ["feature-not-implemented", "unsupported"]),
        (PUBSUB("set", "<items/>"), ["feature-not-implemented", "unsupported"]),
        (PUBSUB("get", ""), ["bad-request"]),
        ("<iq type='get' id='1' to='pubsub.localhost'/>", ["bad-request"]),
        (
            "<iq type='get' id='1' to='pubsub.localhost'><time xmlns='urn:xmpp:time'/></iq>",
            ["service-unavailable"],
        ),
    ],
)
async def test_only_the_service_publishes(
    cast: Cast, online: Client, request_: str, why: list[str]
) -> None:
    client = await online()
    there = await database_sync_to_async(Notification.objects.count)()
    assert condition(await client.ask(request_)) == why
    assert await database_sync_to_async(Notification.objects.count)() == there


# --- items --------------------------------------------------------------------------------------


def retrieve(node: str = MINE, attributes: str = "", inside: str = "", beside: str = "") -> str:
    if beside:
        beside = f"<set xmlns='http://jabber.org/protocol/rsm'>{beside}</set>"
    return PUBSUB("get", f"<items node='{node}' {attributes}>{inside}</items>{beside}")


async def test_everything_after_an_id_is_retrieved_page_by_page(cast: Cast, online: Client) -> None:
    first, *rest = await write(*["alice"] * 6)
    await write("bob")
    client = await online()
    seen: list[int] = []
    last = first
    while page := ids(await client.ask(retrieve(beside=f"<max>2</max><after>{last}</after>"))):
        assert len(page) <= 2
        seen += page
        last = page[-1]
    assert seen == rest


async def test_an_id_of_any_node_says_where_one_stands(cast: Cast, online: Client) -> None:
    _, of_bob, third = await write("alice", "bob", "alice")
    client = await online()
    assert ids(await client.ask(retrieve(beside=f"<after>{of_bob}</after>"))) == [third]


async def test_the_newest_items_come_oldest_first(cast: Cast, online: Client) -> None:
    positions = await write(*["alice"] * 5)
    client = await online()
    assert ids(await client.ask(retrieve(attributes="max_items='2'"))) == positions[-2:]
    assert ids(await client.ask(retrieve(beside="<max>2</max><before/>"))) == positions[-2:]
    before = f"<max>2</max><before>{positions[3]}</before>"
    assert ids(await client.ask(retrieve(beside=before))) == positions[1:3]
    # Before them are the notifications of the memberships.
    assert ids(await client.ask(retrieve()))[-5:] == positions


async def test_certain_items_are_retrieved_by_their_ids(cast: Cast, online: Client) -> None:
    positions = await write(*["alice"] * 3)
    (of_bob,) = await write("bob")
    client = await online()
    wanted = "".join(f"<item id='{one}'/>" for one in (positions[0], of_bob, 99999, "x"))
    assert ids(await client.ask(retrieve(inside=wanted))) == positions[:1]


async def test_an_answer_has_the_update_as_a_notification_has_it(
    cast: Cast, online: Client
) -> None:
    client = await online()
    (position,) = await write("alice")
    sent = await client.read()
    reply = await client.ask(retrieve(attributes="max_items='1'"))
    texts = [
        [one.text for one in element.iter("{http://jabber.org/protocol/pubsub}notification")]
        for element in (sent, reply)
    ]
    assert texts[0] == texts[1]
    assert texts[0][0] is not None
    assert [one.text for one in reply.iter("{http://jabber.org/protocol/rsm}last")] == [
        str(position)
    ]


async def test_a_page_is_bounded(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "ITEMS_PER_PAGE", 3)
    positions = await write(*["alice"] * 5)
    client = await online()
    assert ids(await client.ask(retrieve(attributes="max_items='1000'"))) == positions[-3:]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (retrieve(MEDIA.format("bob")), ["forbidden"]),
        (retrieve("/finesse/api/Queue/1"), ["item-not-found"]),
        (retrieve(""), ["bad-request", "nodeid-required"]),
        (retrieve(attributes="max_items='many'"), ["bad-request"]),
        (retrieve(beside="<max>x</max>"), ["bad-request"]),
        (retrieve(beside="<after>x</after>"), ["bad-request"]),
        (retrieve(beside="<after>-1</after>"), ["bad-request"]),
        (retrieve(beside="<after>999999</after>"), ["item-not-found"]),
        (retrieve(beside=f"<after>{'9' * 40}</after>"), ["bad-request"]),
    ],
)
async def test_items_that_cannot_be_had_are_refused(
    cast: Cast, online: Client, request_: str, why: list[str]
) -> None:
    await write("alice", "bob")
    client = await online()
    assert condition(await client.ask(request_)) == why


async def test_a_client_that_was_away_too_long_is_informed(cast: Cast, online: Client) -> None:
    positions = await write(*["alice"] * 4)
    client = await online()
    pruned = Notification.objects.filter(position__lte=position_of(positions[1]))
    await database_sync_to_async(pruned.delete)()
    for gone in positions[:2]:
        reply = await client.ask(retrieve(beside=f"<after>{gone}</after>"))
        assert condition(reply) == ["item-not-found"]
    reply = await client.ask(retrieve(beside=f"<after>{positions[2]}</after>"))
    assert ids(reply) == positions[3:]


async def test_items_and_live_notifications_meet_without_a_gap(
    cast: Cast, online: Client, stream: Client
) -> None:
    first = await online(resource="desktop")
    (seen,) = await write("alice")
    await first.item()
    await first.say(CLOSE)
    await first.ended()
    missed = await write("alice", "alice")
    back = await online(resource="desktop")
    (live,) = await write("alice")
    assert await back.item() == (MINE, live)
    retrieved = ids(await back.ask(retrieve(beside=f"<after>{seen}</after>")))
    assert retrieved == [*missed, live]


async def test_a_closed_user_retrieves_nothing(cast: Cast, stream: Client) -> None:
    client = await (await (await stream()).sign_in()).bind()
    # Without a notification: the request comes before the hub knows.
    alice = User.objects.filter(pk="alice")
    await database_sync_to_async(alice.update)(is_active=False)
    reply = await client.ask(retrieve())
    assert condition(reply) == ["not-authorized"]


# --- ends and limits ----------------------------------------------------------------------------


async def test_a_client_that_closes_is_answered(cast: Cast, online: Client) -> None:
    client = await online()
    await client.say(CLOSE)
    assert await client.ended() == ""


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("<iq", "not-well-formed"),
        ("<a/><b/>", "not-well-formed"),
        ("nonsense", "not-well-formed"),
        ("<stream:stream xmlns='jabber:client' to='localhost'>", "not-well-formed"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "restricted-xml"),
        ("<a><!-- hello --></a>", "restricted-xml"),
        ("<?php x?><a/>", "restricted-xml"),
        ("<iq>" * 30 + "</iq>" * 30, "policy-violation"),
        ("<x>" + "y" * consumer.MAX_FRAME_CHARACTERS + "</x>", "policy-violation"),
        ("<x xmlns='urn:x'/>", "unsupported-stanza-type"),
        ("<walk/>", "unsupported-stanza-type"),
        ("<walk xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "bad-format"),
    ],
)
async def test_bytes_other_than_a_stanza_end_the_stream_with_their_error(
    cast: Cast, online: Client, frame: str, why: str
) -> None:
    client = await online()
    await client.say(frame)
    assert await client.ended() == why


async def test_a_stanza_before_the_stream_is_opened_ends_it(cast: Cast, stream: Client) -> None:
    client = await stream()
    await client.say("<presence/>")
    assert await client.ended() == "bad-format"


async def test_a_binary_frame_ends_the_stream(cast: Cast, stream: Client) -> None:
    client = await stream()
    await client.socket.send_to(bytes_data=b"\x00\x01")
    assert await client.ended() == "bad-format"


async def test_an_xml_declaration_is_let_pass(cast: Cast, stream: Client) -> None:
    client = await stream()
    assert names(await client.ask("<?xml version='1.0'?>" + OPEN)) == ["open"]


async def test_text_that_looks_like_markup_is_text(cast: Cast, online: Client) -> None:
    client = await online()
    stanza = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'><![CDATA[<!-- x -->]]></ping></iq>"
    assert (await client.ask(stanza)).get("type") == "result"


async def test_a_client_without_a_timely_sign_in_is_cut_off(
    cast: Cast, stream: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "BIND_TIMEOUT_SECONDS", 0.1)
    client = await stream()
    assert await client.ended() == "connection-timeout"


async def test_a_bound_client_may_be_quiet(
    cast: Cast, stream: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines = noted_calls_later(monkeypatch, seconds=1234.5)
    monkeypatch.setattr(consumer, "BIND_TIMEOUT_SECONDS", 1234.5)
    client = await (await stream()).sign_in()
    (deadline,) = deadlines
    assert not deadline.cancelled()
    await client.bind()
    assert deadline.cancelled()
    assert (await client.ask(PING)).get("type") == "result"


async def test_frames_before_binding_are_bounded(cast: Cast, stream: Client) -> None:
    client = await stream()
    for _ in range(consumer.MAX_FRAMES_BEFORE_BIND):
        await client.say(" ")
    await client.say(" ")
    assert await client.ended() == "policy-violation"


async def test_the_connections_of_one_user_are_bounded(
    cast: Cast, stream: Client, settings: Any
) -> None:
    settings.FINESSE_XMPP_CONNECTIONS_PER_USER = 2
    for _ in range(2):
        await (await stream()).sign_in()
    client = await stream()
    await client.open()
    await client.say(auth(plain()))
    assert await client.ended() == "resource-constraint"
    await (await stream()).sign_in("bob")


async def test_an_end_makes_room_for_another_connection(
    cast: Cast, stream: Client, settings: Any
) -> None:
    settings.FINESSE_XMPP_CONNECTIONS_PER_USER = 1
    for _ in range(3):
        client = await (await stream()).sign_in()
        await client.say(CLOSE)
        await client.ended()


async def test_strangers_at_one_address_are_bounded_and_others_come_in(
    cast: Cast, stream: Client, settings: Any
) -> None:
    settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS = 2
    first, _ = await stream(), await stream()
    refused = await stream()
    assert await refused.ended() == "policy-violation"
    await (await stream(peer=("::1", 1))).sign_in()
    await first.sign_in()
    await (await stream()).open()


async def test_a_client_that_does_not_read_is_cut_off(
    cast: Cast, online: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await online()
    monkeypatch.setattr(consumer, "SEND_TIMEOUT_SECONDS", 0.1)
    held = asyncio.Event()

    async def stuck(self: Any, *args: Any, **kwargs: Any) -> None:
        held.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(consumer.XMPPConsumer, "send", stuck)
    await write("alice")
    await asyncio.wait_for(held.wait(), 60)
    monkeypatch.undo()
    assert await client.ended() == "policy-violation"


async def test_the_users_password_is_the_one_of_the_api(cast: Cast, stream: Client) -> None:
    user = await database_sync_to_async(User.objects.get)(pk="alice")
    assert await database_sync_to_async(user.check_password)(PASSWORD)
    await (await stream()).sign_in("alice", PASSWORD)
