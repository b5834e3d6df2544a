"""Clients of a real XMPP server: slixmpp over TCP with STARTTLS, Prosody, and the component."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from slixmpp.exceptions import IqError

from tests.kit.followers import position_of
from tests.kit.installation import ON_SERVICES, ROOT, TIMEOUT_SECONDS, Installation
from tests.kit.socket_client import watch
from tests.kit.xmpp_client import Desk, desk, media, put

LUNCH = "<state>NOT_READY</state><reasonCodeId>1001</reasonCodeId>"
MEETING = "<state>NOT_READY</state><reasonCodeId>1002</reasonCodeId>"
READY = "<state>READY</state>"
SIGN_IN = "<User><state>LOGIN</state><extension>1001</extension></User>"
LOGIN = (
    "<state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>IGNORE</interruptAction>"
)
needs_processes = pytest.mark.skipif(not ON_SERVICES, reason="The component is the server's task")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("xmpp"), xmpp=True)
    try:
        made.start()
        yield made
    finally:
        made.end()


@pytest.fixture(autouse=True)
def at_work(served: Installation) -> None:
    """1234 is READY for e-mails at the beginning of each test; what a failed one killed is back."""
    served.start()
    url = f"{served.url}/finesse/api/User/1234/Media/5001"
    with httpx.Client(auth=("1234", "finesse"), timeout=TIMEOUT_SECONDS) as http:
        asyncio.run(put(url, "1234", f"<Media>{READY}</Media>"))
        while "<state>READY</state>" not in http.get(url).text:
            time.sleep(0.05)


async def started(served: Installation) -> None:
    await asyncio.to_thread(served.start)


CONNECTED, STANDS_BY = "is connected, with", "Stands by"


def said(served: Installation, role: str, text: str) -> int:
    """How often a process has logged this."""
    log = served.folder / f"{role}.log"
    return log.read_text().count(text) if log.exists() else 0


async def until_said(served: Installation, role: str, text: str, before: int) -> None:
    """Once more than before."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while said(served, role, text) <= before:
            await asyncio.sleep(0.05)


async def component_is_back(served: Installation) -> None:
    """Start it, and wait until it is connected: `start` returns at once while nobody has missed
    it yet, and one that is killed before it has connected was never there."""
    before = said(served, "component", CONNECTED)
    await started(served)
    await until_said(served, "component", CONNECTED, before)


async def change(one: Desk, *states: str, mrd: int = 5001) -> None:
    """As 1234, an agent at work in that MRD."""
    for state in states:
        await one.put(state, mrd)


# --- what an agent gets -------------------------------------------------------------------------


async def test_a_change_comes_with_its_reason_code(served: Installation) -> None:
    async with desk(served, "1234") as ana:
        await change(ana, LUNCH)
        item = await ana.next()
    assert item.node == media("1234")
    assert item.text("source") == "/finesse/api/User/1234/Media/5001"
    assert item.text("event") == "PUT"
    assert item.text("data/Media/state") == "NOT_READY"
    assert item.text("data/Media/reasonCodeId") == "1001"
    assert item.text("data/Media/ReasonCode/label") == "Lunch"


async def test_an_error_after_the_202_comes_with_its_request_id(served: Installation) -> None:
    async with desk(served, "1300") as chi:
        await chi.put(READY, 5002, "r-17")
        item = await chi.next()
    assert item.node == media("1300")
    assert item.text("requestId") == "r-17"
    error = "data/apiErrors/apiError/"
    assert item.text(error + "errorMessage") == "E_ARM_STAT_AGENT_NOT_LOGGED_IN"
    assert item.text(error + "errorMedia") == "5002"


async def test_what_was_missed_is_retrieved_after_the_last_item(served: Installation) -> None:
    async with desk(served, "1234") as ana:
        await change(ana, LUNCH, MEETING)
        await ana.next()
        last = (await ana.next()).id
    # Away, and the world goes on.
    await change(ana, READY, LUNCH, READY)
    async with desk(served, "1234") as ana:
        # Requests that were accepted before may be published only now.
        await change(ana, MEETING)
        while (live := await ana.next()).text("data/Media/reasonCodeId") != "1002":
            pass
        missed = await ana.after(media("1234"), last)
    codes = [one.text("data/Media/reasonCodeId") for one in missed]
    assert codes == ["-1", "1001", "-1", "1002"]
    assert missed[-1].id == live.id


async def test_all_clients_of_a_user_get_everything(served: Installation) -> None:
    async with desk(served, "1234", "one") as one, desk(served, "1234", "two") as two:
        await change(one, LUNCH, MEETING, READY)
        of_one = [(await one.next()).id for _ in range(3)]
        of_two = [(await two.next()).id for _ in range(3)]
    assert of_one == of_two == sorted(set(of_one))


async def test_a_client_of_negative_priority_gets_nothing_until_that_changes(
    served: Installation,
) -> None:
    async with desk(served, "1234", "one") as one, desk(served, "1234", "shy", -1) as shy:
        await change(one, LUNCH, MEETING)
        await one.next()
        await one.next()
        await shy.be_available(0)
        await change(one, READY)
        assert (await shy.next()).id == (await one.next()).id


async def test_an_unavailable_client_gets_nothing_until_that_changes(served: Installation) -> None:
    async with desk(served, "1234", "one") as one, desk(served, "1234", "away") as away:
        away.send_presence(ptype="unavailable")
        await away.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        await change(one, LUNCH, MEETING)
        await one.next()
        await one.next()
        await away.be_available(0)
        await change(one, READY)
        assert (await away.next()).id == (await one.next()).id


async def test_what_comes_between_binding_and_presence_is_kept(served: Installation) -> None:
    async with desk(served, "1235", priority=None) as ben, desk(served, "1235", "other") as other:
        # As samples do it: the sign-in is asked for before there is any presence.
        await ben.put(LOGIN)
        published = await other.next()
        assert ben.arrived.empty()
        await ben.be_available()
        item = await ben.next()
        assert (item.id, item.text("data/Media/state")) == (published.id, "NOT_READY")
        await ben.put("<state>LOGOUT</state><reasonCodeId>2001</reasonCodeId>")
        assert (await ben.next()).text("data/Media/state") == "LOGOUT"


# --- permissions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("set", "<subscribe node='{node}' jid='{jid}'/>"),
        ("get", "<items node='{node}'/>"),
        ("set", "<publish node='{own}'><item><x xmlns='y'/></item></publish>"),
        ("set", "<retract node='{own}'><item id='1'/></retract>"),
    ],
)
async def test_others_nodes_and_publishing_are_forbidden(
    served: Installation, kind: str, content: str
) -> None:
    async with desk(served, "1234") as ana:
        jid = ana.boundjid.full
        asked = content.format(node=media("1235"), own=media("1234"), jid=jid)
        with pytest.raises(IqError) as refused:
            await ana.ask_pubsub(kind, asked)
    assert refused.value.condition == "forbidden"


async def test_a_feed_on_which_nothing_is_published_is_there_and_stays_empty(
    served: Installation,
) -> None:
    async with desk(served, "1234") as ana, desk(served, "1235") as ben:
        for name in ("Dialogs", "Dialogs/Media", "Queues", "ClientLog", "Media/5001"):
            node = f"/finesse/api/User/1234/{name}"
            query = f"<query xmlns='http://jabber.org/protocol/disco#info' node='{node}'/>"
            answer = await ana.ask("get", query)
            (identity,) = answer.iter("{http://jabber.org/protocol/disco#info}identity")
            assert (identity.get("category"), identity.get("type")) == ("pubsub", "leaf")
            await ana.subscribe(node)
            with pytest.raises(IqError) as refused:
                await ben.subscribe(node)
            assert refused.value.condition == "forbidden"
        await ana.put(LUNCH, 5001, "r-once")
        await ana.put(MEETING, 5001, "r-last")
        said = [(await ana.next()) for _ in range(2)]
        assert [(one.node, one.text("requestId")) for one in said] == [
            (media("1234"), "r-once"),
            (media("1234"), "r-last"),
        ]


async def test_a_supervisor_watches_a_team_and_stops(served: Installation) -> None:
    node = "/finesse/api/Team/1/Users"
    user = f"{served.url}/finesse/api/User/1234"
    async with desk(served, "2001") as dana, desk(served, "1234") as ana:
        await dana.subscribe(node)
        await put(user, "1234", SIGN_IN)
        item = await dana.next()
        assert item.node == node
        assert item.text("data/user/loginId") == "1234"
        assert item.text("data/user/state") == "NOT_READY"
        await dana.subscribe(node, verb="unsubscribe")
        with pytest.raises(IqError) as refused:
            await ana.subscribe(node)
        assert refused.value.condition == "forbidden"
        await put(user, "1234", f"<User>{READY}</User>")
        while (await ana.next()).text("data/user/state") != "READY":
            pass
        # Dana's own are what still comes.
        await put(f"{served.url}/finesse/api/User/2001", "2001", SIGN_IN)
        assert (await dana.next()).node == "/finesse/api/User/2001"


async def test_a_client_cannot_speak_for_the_server(served: Installation) -> None:
    """Announcements of clients are accepted from the server only."""
    async with desk(served, "1234") as ana, desk(served, "1235") as ben:
        sessions = "urn:finesse-media:sessions"
        ana.send_raw(
            "<message to='pubsub.localhost'>"
            f"<unbound xmlns='{sessions}' jid='{ben.boundjid.full}'/>"
            f"<bound xmlns='{sessions}' jid='admin@localhost/x' priority='0'/></message>"
        )
        await ana.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        await ben.put(READY, 5001, "r-1")
        assert (await ben.next()).text("requestId") == "r-1"


async def test_a_flood_of_requests_is_answered_each_once(served: Installation) -> None:
    async with desk(served, "1234") as ana, desk(served, "1235") as ben:
        asked = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub>"
        flood = [asyncio.ensure_future(ana.ask("get", asked)) for _ in range(60)]
        await ben.ask("get", asked)
        answers = await asyncio.gather(*flood, return_exceptions=True)
        refused = [one for one in answers if isinstance(one, IqError)]
        assert {one.condition for one in refused} <= {"resource-constraint"}
        assert len(answers) - len(refused) >= 20
        await ana.ask("get", asked)


async def test_a_client_without_access_is_disconnected(served: Installation) -> None:
    def set_active(active: bool) -> None:
        served.query(
            "from finesse.users.models import User; user = User.objects.get(pk='1300')\n"
            f"user.is_active = {active}; user.save(); print(1)"
        )

    async with desk(served, "1300") as chi:
        await asyncio.to_thread(set_active, False)
        try:
            async with asyncio.timeout(60):
                await chi.is_gone.wait()
        finally:
            await asyncio.to_thread(set_active, True)


async def outage(one: Desk) -> None:
    """Wait until it has received an outage and its end."""
    status = "data/systemInfo/status"
    while (await one.next()).text(status) != "OUT_OF_SERVICE":
        pass  # The end of an earlier outage is published a moment later.
    assert (await one.next()).text(status) == "IN_SERVICE"


def out_of_service_is_published(served: Installation) -> None:
    """Wait until a viewer's socket has received it."""
    with watch(served.url, "1234") as viewer:
        viewer.subscribe()
        assert "OUT_OF_SERVICE" in viewer.receive(30)["update"]


# --- kill -9 ------------------------------------------------------------------------------------


class Stream:
    """1234 goes to lunch and comes back, again and again, until `stop`."""

    def __init__(self, ana: Desk) -> None:
        self.ana = ana
        self.sent = 0
        self._stop = False
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self._stop:
            await change(self.ana, (READY, LUNCH, MEETING)[self.sent % 3])
            self.sent += 1

    async def goes_on(self, count: int) -> None:
        """Until there are so many more."""
        upto = self.sent + count
        while self.sent < upto:
            assert not self._task.done(), self._task.result()
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        self._stop = True
        await self._task


async def in_log(served: Installation, after: int) -> list[int]:
    """The ids of 1234's items after this one, when all accepted requests have their outcomes."""
    code = (
        "import json, time\n"
        "from media.models import MediaRequest\n"
        "from finesse.notifications.models import Notification\n"
        "while MediaRequest.objects.filter(outcome=None): time.sleep(0.1)\n"
        "nodes = ['/finesse/api/SystemInfo', '/finesse/api/User/1234/Media']\n"
        f"found = Notification.objects.filter(position__gt={position_of(after)}, node__in=nodes)\n"
        "print(json.dumps([one.place.number for one in found.order_by('position')]))"
    )
    found: list[int] = await asyncio.to_thread(served.query, code)
    return found


async def upto(one: Desk, last: int) -> list[int]:
    got: list[int] = []
    while not got or got[-1] < last:
        got.append((await one.next()).id)
    return got


@needs_processes
async def test_clients_do_not_notice_that_the_component_was_killed(served: Installation) -> None:
    async with desk(served, "1234", "one") as one, desk(served, "1234", "two") as two:
        await change(one, LUNCH, MEETING)
        await one.next()
        start = (await one.next()).id
        await upto(two, start)
        stream = Stream(one)
        for _ in range(3):
            await stream.goes_on(10)
            served.kill("component")
            # On a slow machine it is missed before, and nothing is accepted any more.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(4):
                    await stream.goes_on(3)
            await component_is_back(served)
        await stream.goes_on(10)
        await stream.end()
        published = await in_log(served, start)
        assert len(published) >= 40
        assert await upto(one, published[-1]) == published
        assert await upto(two, published[-1]) == published
        assert one.connections == two.connections == 1
        assert one.arrived.empty()
        assert two.arrived.empty()


@needs_processes
async def test_a_second_component_stands_by_and_goes_on_when_the_first_one_ends(
    served: Installation,
) -> None:
    """Killed, or ended in order. The one that is started anew stands by behind the other."""
    turns = (("component", "second", signal.SIGKILL), ("second", "component", signal.SIGTERM))
    async with desk(served, "1234") as ana:
        await change(ana, LUNCH)
        start = (await ana.next()).id
        stream = Stream(ana)
        for first, next_one, how in turns:
            waits, connects = (said(served, next_one, text) for text in (STANDS_BY, CONNECTED))
            served.start_component(next_one)
            await until_said(served, next_one, STANDS_BY, waits)
            await stream.goes_on(5)
            assert said(served, next_one, CONNECTED) == connects
            process = served.processes.pop(first)
            process.send_signal(how)
            await until_said(served, next_one, CONNECTED, connects)
            await stream.goes_on(5)
            assert process.wait(60) == {signal.SIGKILL: -9, signal.SIGTERM: 0}[how]
        await stream.end()
        published = await in_log(served, start)
        assert await upto(ana, published[-1]) == published
        assert ana.connections == 1


@needs_processes
async def test_a_client_that_binds_without_a_component_gets_later_notifications(
    served: Installation,
) -> None:
    async with desk(served, "1234", "before") as before:
        served.kill("component")
        late = await Desk(served, "1234", "late").sign_in()
        try:
            late.send_presence(ppriority=0)
            # Beside the start: once the component is missed, nothing is accepted any more.
            changed = asyncio.create_task(change(before, LUNCH, MEETING))
            await started(served)
            await changed
            last = [await before.next(), await before.next()][-1].id
            # Slightly earlier ones may be among them: no component was there to give a position.
            got = await upto(late, last)
            assert got == sorted(set(got))
            assert [one for one in await in_log(served, 0) if got[0] <= one <= last] == got
            assert len(got) >= 2
        finally:
            await late.leave()


@needs_processes
async def test_a_client_that_binds_before_any_component_gets_all_since_the_last_one(
    served: Installation,
) -> None:
    served.kill("component")
    served.kill("xmpp")
    served.start_xmpp_server()
    late = Desk(served, "1234", "late")
    try:
        # It is made to wait for the component, but not for ever.
        await late.sign_in()
        late.send_presence(ppriority=0)
        await asyncio.to_thread(out_of_service_is_published, served)
        await started(served)
        await outage(late)
    finally:
        await late.leave()


async def test_clients_recover_when_the_xmpp_server_was_killed(served: Installation) -> None:
    clients = [Desk(served, "1234", name) for name in ("one", "two")]
    try:
        for client in clients:
            await client.sign_in()
            await client.be_available()
        await change(clients[0], LUNCH, MEETING)
        seen: dict[Desk, list[int]] = {}
        for client in clients:
            await client.next()
            seen[client] = [(await client.next()).id]
        start = seen[clients[0]][0]
        stream = Stream(clients[0])
        await stream.goes_on(10)
        await asyncio.to_thread(served.kill, "xmpp")
        for client in clients:
            await client.is_gone.wait()
        await started(served)
        for client in clients:
            while not client.arrived.empty():
                seen[client].append(client.arrived.get_nowait().id)
            await come_back(client)
            missed = [*await client.after(media("1234"), seen[client][-1])]
            missed += await client.after("/finesse/api/SystemInfo", seen[client][-1])
            seen[client] += sorted(one.id for one in missed)
        await stream.goes_on(10)
        await stream.end()
        published = await in_log(served, start)
        for client in clients:
            while seen[client][-1] < published[-1]:
                item = await client.next()
                if item.id > seen[client][-1]:
                    seen[client].append(item.id)
            assert seen[client] == [start, *published]
    finally:
        for client in clients:
            await client.leave()


async def come_back(client: Desk) -> None:
    """As slixmpp's users do: again and again."""
    for _ in range(50):
        # Where the server is back but not the component, the client is asked to wait.
        with contextlib.suppress(TimeoutError, IqError):
            async with asyncio.timeout(15):
                await client.sign_in()
                await client.be_available()
                return
        client.abort()
        client.cancel_connection_attempt()
    raise AssertionError("It did not come back")


# --- the service is as sound as its XMPP path ---------------------------------------------------


@needs_processes
async def test_without_the_component_the_service_is_out_of_service(served: Installation) -> None:
    served.kill("component")
    health = await asyncio.to_thread(served.await_status, 503)
    assert "not seen to work" in health["parts"].pop("xmpp")
    assert set(health["parts"].values()) == {"ok"}
    await started(served)


async def test_an_xmpp_server_that_stands_still_is_out_of_service_until_it_goes_on(
    served: Installation,
) -> None:
    server = served.pid("xmpp")
    async with desk(served, "1234") as ana:
        await change(ana, LUNCH)
        await ana.next()
        os.kill(server, signal.SIGSTOP)
        try:
            health = await asyncio.to_thread(served.await_status, 503)
            assert "not seen to work" in health["parts"]["xmpp"]
            # For so long that the component has given the connection up.
            async with asyncio.timeout(30):
                while "no answer within" not in served.logs():
                    await asyncio.sleep(0.1)
        finally:
            os.kill(server, signal.SIGCONT)
        await asyncio.to_thread(served.await_status, 200)
        # Its clients have not noticed, and get the notifications of the outage, as all do.
        await outage(ana)
        assert ana.connections == 1


async def test_the_cursor_follows_the_log(served: Installation) -> None:
    async with desk(served, "1234") as ana:
        await change(ana, LUNCH, MEETING)
        await ana.next()
        last = (await ana.next()).id
        code = (
            "import time\n"
            "from finesse.notifications.models import TransportCursor\n"
            "at = lambda: TransportCursor.objects.get(name='xmpp').place.number\n"
            f"while at() < {last}: time.sleep(0.1)\n"
            "print(1)"
        )
        await asyncio.to_thread(served.query, code)


# --- the command --------------------------------------------------------------------------------


def run_command(served: Installation, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "xmpp_component"],
        cwd=ROOT,
        env=served.environment | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"FINESSE_XMPP_SECRET": "another"}, "refuses the secret: FINESSE_XMPP_SECRET"),
        ({"FINESSE_XMPP_DOMAIN": "another"}, "knows no component pubsub.another"),
        ({"FINESSE_XMPP_COMPONENT": "127.0.0.1:9"}, "No XMPP server at 127.0.0.1:9"),
        ({"FINESSE_XMPP_COMPONENT": "nowhere"}, "FINESSE_XMPP_COMPONENT must name a host"),
    ],
)
@needs_processes
def test_a_wrong_configuration_is_logged_and_tried_again(
    served: Installation, changed: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    # As on another machine, or it would stand by.
    process = run_command(served, **changed, FINESSE_RUN_DIR=str(tmp_path))
    try:
        assert process.stdout is not None
        assert any(complaint in line for line in process.stdout)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert served.await_status(200)


EMBEDDED = {
    "REDIS_URL": "",
    "CELERY_BROKER_URL": "memory://",
    "FINESSE_DEMO": "0",
    "FINESSE_XMPP_SECRET": "secret",
}


@pytest.mark.parametrize(
    ("changed", "missing"),
    [({"FINESSE_XMPP_SECRET": ""}, "FINESSE_XMPP_SECRET"), (EMBEDDED, "REDIS_URL")],
)
def test_the_command_says_what_it_needs(
    served: Installation, changed: dict[str, str], missing: str
) -> None:
    process = run_command(served, **changed)
    output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 1
    assert f"{missing} is not set" in output
