"""Hostile peers of the XMPP WebSocket: each gets its error, and no other client notices.

Against a real server from outside, while an innocent client goes on getting its notifications in
time and the server's memory stays where it was.
"""

import contextlib
import itertools
import re
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import httpx
import pytest

from finesse.client_networks import origin_of
from finesse.server import protocols
from finesse.xmpp import consumer, stanzas
from tests.kit.hostile_peer import (
    BINARY,
    COMPRESSED,
    CONTINUATION,
    ERROR,
    FINAL,
    PING,
    PONG,
    TEXT,
    Closed,
    Peer,
    frame,
)
from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.xmpp_stream import BIND, OPEN, PUBSUB, auth, names, plain

STRANGERS = 60
"""As many may wait at one address in the installation of these tests."""
NOTIFIED_WITHIN_SECONDS = 120.0
"""On a machine that is busy. The hostile peers are still connected then."""
MEGABYTES = 30
"""By which the server may grow for a moment."""

ONLINE = "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"
ITEMS = PUBSUB("get", "<items node='/finesse/api/User/{}/Media'/>").format
LOGIN = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>"
)
STATES = (
    "<Media><state>NOT_READY</state><reasonCodeId>1004</reasonCodeId></Media>",
    "<Media><state>READY</state></Media>",
)


class Innocent:
    """A client that changes its state again and again, and waits for each notification.

    It rests where no test needs it: otherwise it would keep the machine busy."""

    def __init__(self, installation: Installation) -> None:
        self.peer = Peer(installation.port)
        self.peer.upgrade()
        self.peer.sign_in("1300").bind()
        self.peer.say("<presence/>")
        self.url = f"{installation.url}/finesse/api/User/1300/Media/5002"
        self.error: BaseException | None = None
        self.active = threading.Event()
        self._stop = threading.Event()
        self._notified = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def is_notified(self) -> None:
        """Wait until it has received the notification of a request that it sends from now on."""
        for _ in range(2):
            self._notified.clear()
            assert self._notified.wait(NOTIFIED_WITHIN_SECONDS), (
                "An innocent client got no notification"
            )

    def end(self) -> None:
        self._stop.set()
        self.active.set()
        self._thread.join()
        self.peer.socket.close()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            with httpx.Client(auth=("1300", "finesse"), timeout=TIMEOUT_SECONDS) as http:
                self._change(http, LOGIN, "innocent-login")
                for number in itertools.count():
                    self.active.wait()
                    if self._stop.is_set():
                        break
                    self._change(http, STATES[number % 2], f"innocent-{number}")
                    time.sleep(0.02)
        except BaseException as error:
            self.error = error

    def _change(self, http: httpx.Client, body: str, request: str) -> None:
        headers = {"Content-Type": "application/xml", "requestId": request}
        assert http.put(self.url, content=body, headers=headers).status_code == 202
        while isinstance(message := self.peer.read(), Element):
            if f"<requestId>{request}<" in "".join(message.itertext()):
                break
        else:
            raise AssertionError(message)
        self._notified.set()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("hostile"))
    made.environment["FINESSE_XMPP_STRANGERS_PER_ADDRESS"] = str(STRANGERS)
    # A late heartbeat is an error in the log, and no peer's doing.
    made.environment["FINESSE_HEARTBEAT_SECONDS"] = "60"
    made.start()
    yield made
    made.end()
    # Nothing that a peer does may fill the log either.
    assert "ERROR finesse" not in made.logs()


@pytest.fixture(scope="module")
def innocent(installation: Installation) -> Iterator[Innocent]:
    made = Innocent(installation)
    yield made
    made.end()


Connect = Callable[..., Peer]


@pytest.fixture
def peer(installation: Installation, innocent: Innocent) -> Iterator[Callable[..., Peer]]:
    """Opens WebSockets, and closes them when the test is over."""
    with contextlib.ExitStack() as opened:

        def connect(**options: Any) -> Peer:
            made = opened.enter_context(Peer(installation.port, **options))
            made.upgrade()
            return made

        yield connect


@pytest.fixture
def undisturbed(installation: Installation, innocent: Innocent, peer: Connect) -> Iterator[None]:
    """Around a test: another client is served while the test's peers are still connected, and the
    server's memory does not grow."""
    pid = installation.processes["server"].pid
    innocent.active.set()
    innocent.is_notified()
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = memory(pid, "VmRSS")
    yield
    innocent.is_notified()
    innocent.active.clear()
    assert memory(pid, "VmHWM") - before < MEGABYTES


def memory(pid: int, name: str) -> float:
    """Megabytes: VmRSS is what the process has, VmHWM the most it had since that was reset."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


# --- bytes other than stanzas -------------------------------------------------------------------

LAUGHS = "".join(f"<!ENTITY l{number} '{f'&l{number - 1};' * 10}'>" for number in range(1, 30))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<iq", "not-well-formed"),
        ("<iq/><iq/>", "not-well-formed"),
        ("<iq a='1' a='2'/>", "not-well-formed"),
        ("<iq>&nothing;</iq>", "not-well-formed"),
        ("<iq id='&#0;'/>", "not-well-formed"),
        ("<iq id='&#xD800;'/>", "not-well-formed"),
        ("<iq id='\x0b'/>", "not-well-formed"),
        ("<iq><![CDATA[</iq>", "not-well-formed"),
        ("<x:iq/>", "not-well-formed"),
        (f"<!DOCTYPE a [<!ENTITY l0 'ha'>{LAUGHS}]><a>&l29;</a>", "restricted-xml"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "restricted-xml"),
        ("<!DOCTYPE a SYSTEM 'http://127.0.0.1/a.dtd'><a/>", "restricted-xml"),
        ("<iq><!-- --></iq>", "restricted-xml"),
        ("<iq><?a b?></iq>", "restricted-xml"),
        ("<iq><?xml version='1.0'?></iq>", "restricted-xml"),
        ("<iq>" * 1000 + "</iq>" * 1000, "policy-violation"),
        (f"<iq id='{'x' * consumer.MAX_FRAME_CHARACTERS}'/>", "policy-violation"),
        (f"<iq id='{'x' * 60_000}'/>", "policy-violation"),
        (
            "<a" + "".join(f" xmlns:a{n}='{n}'" for n in range(500)) + "/>",
            "unsupported-stanza-type",
        ),
        ("<presence xmlns='jabber:server'/>", "unsupported-stanza-type"),
        ("<presence xmlns='jabber:client}x'/>", "not-well-formed"),
        ("<open xmlns='http://etherx.jabber.org/streams'/>", "unsupported-stanza-type"),
    ],
)
def test_bytes_other_than_stanzas_end_their_stream_only(peer: Connect, text: str, why: str) -> None:
    stranger = peer().open()
    stranger.say(text)
    assert stranger.ended() == why


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([frame(b"<iq>\xff\xfe</iq>")], 1007),
        ([frame(b"<iq>\xed\xa0\x80</iq>")], 1007),
        ([frame("x" * 70_000)], 1009),
        ([frame("x" * 40_000, bits=0), frame("x" * 40_000, CONTINUATION)], 1009),
        ([frame("x" * 1_000_000)], 1009),
        ([frame("<iq/>", TEXT, FINAL | COMPRESSED)], 1002),
        ([frame("<iq/>", CONTINUATION)], 1002),
        ([frame("x" * 200, PING)], 1002),
        ([frame("", 5)], 1002),
    ],
)
def test_bytes_other_than_frames_close_their_socket_only(
    peer: Connect, frames: list[bytes], code: int
) -> None:
    stranger = peer().open()
    stranger.push(*frames)
    assert stranger.ended() == code


def test_a_binary_frame_is_not_xmpp(peer: Connect) -> None:
    stranger = peer().open()
    stranger.send(frame(OPEN, BINARY))
    assert stranger.ended() == "bad-format"


def test_a_stanza_in_fragments_is_one(peer: Connect) -> None:
    client = peer().sign_in("1234").bind()
    first, *middle, last = ONLINE
    client.send(frame(first, bits=0))
    client.send(*(frame(letter, CONTINUATION, bits=0) for letter in middle))
    client.send(frame(last, CONTINUATION))
    assert isinstance(answer := client.read(), Element)
    assert answer.get("type") == "result"


def test_nothing_is_compressed_so_that_nothing_can_burst(
    installation: Installation, undisturbed: None
) -> None:
    with Peer(installation.port) as stranger:
        head = stranger.upgrade("Sec-WebSocket-Extensions: permessage-deflate")
        assert "permessage-deflate" not in head
        small = zlib.compressobj(9, wbits=-15)
        bomb = small.compress(bytes(10_000_000)) + small.flush(zlib.Z_SYNC_FLUSH)
        stranger.push(frame(bomb[:-4], TEXT, FINAL | COMPRESSED))
        assert stranger.ended() == 1002


def full(start: str, piece: str, end: str, length: int = consumer.MAX_FRAME_CHARACTERS) -> str:
    """As many numbered pieces as a frame of this length takes."""
    pieces: list[str] = []
    room = length - len(start) - len(end)
    while (room := room - len(numbered := piece.format(len(pieces)))) >= 0:
        pieces.append(numbered)
    return start + "".join(pieces) + end


@pytest.mark.parametrize(
    ("start", "piece", "end"),
    [
        ("<a>", " ", "</a>"),
        ("", " ", ""),
        ("", " ", "<?xml "),
        ("", "<?xml ", ""),
        ("", "<![CDATA[", ""),
        ("<a", " a{}=''", "/>"),
        ("<a", " xmlns:a{0}='{0}'", "/>"),
        ("", "<a>", ""),
        ("<a>", "&#65;", "</a>"),
    ],
)
def test_the_time_to_read_a_frame_grows_with_its_length_alone(
    start: str, piece: str, end: str
) -> None:
    # Larger than it may be, so that the square of its length shows.
    text = full(start, piece, end, 50_000)
    # The time of this thread, which nothing else on the machine makes longer.
    began = time.thread_time()
    with contextlib.suppress(stanzas.StanzaError):
        stanzas.parse(text)
    assert time.thread_time() - began < 0.5


LONG_NAMESPACE = "u" * (consumer.MAX_FRAME_CHARACTERS // 2)


@pytest.mark.parametrize(
    "text",
    [
        full(f"<a xmlns:b='{LONG_NAMESPACE}'", " b:a{}=''", "/>"),
        full(f"<a xmlns:b='{LONG_NAMESPACE}'>", "<b:a{}/>", "</a>"),
        full("<a", " a{}=''", "/>"),
        full("<a>", "<b/>", "</a>"),
    ],
    ids=["attributes of one", "elements of one", "attributes", "elements"],
)
def test_a_frame_becomes_no_more_than_some_megabytes(text: str) -> None:
    tracemalloc.start()
    try:
        with contextlib.suppress(stanzas.StanzaError):
            stanzas.parse(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2_000_000


@pytest.mark.usefixtures("undisturbed")
def test_frames_made_to_be_slow_disturb_no_other_client(peer: Connect) -> None:
    slow = "<a>" + "<![CDATA[" * 1100
    for _ in range(5):
        stranger = peer().open()
        stranger.push(*[frame(" " * consumer.MAX_FRAME_CHARACTERS)] * 15, frame(slow))
        assert stranger.ended() == "not-well-formed"


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ['"/><evil/>', "'", "<![CDATA[", "]]>", "&lt;", "ü😀\u202e", "x" * 9000]
)
def test_an_id_comes_back_as_what_it_was(peer: Connect, text: str) -> None:
    client = peer().sign_in("1234").bind()
    written = text.translate({ord("<"): "&lt;", ord("&"): "&amp;", ord("'"): "&apos;"})
    answer = client.ask(f"<iq type='get' id='{written}'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert (answer.get("id"), answer.get("type"), len(answer)) == (text, "result", 0)


@pytest.mark.parametrize("resource", ['a"b', "&lt;evil/&gt;", "it's", "a/b@c", "]]&gt;", "x" * 200])
def test_a_resource_comes_back_as_what_it_was(peer: Connect, resource: str) -> None:
    client = peer().sign_in("1234").bind(resource)
    plain_text = resource.replace("&lt;", "<").replace("&gt;", ">")
    assert client.jid == f"1234@localhost/{plain_text}"
    presence = client.ask("<presence/>")
    assert presence.attrib == {"from": client.jid, "to": client.jid}


@pytest.mark.parametrize(
    "resource",
    ["a&#10;b", "&#x7f;", "\u202e", "\ufdfa" * 20, "\ue000", "x" * 201, "x" * 5000],
)
def test_a_resource_that_is_none_is_refused(peer: Connect, resource: str) -> None:
    client = peer().sign_in("1234")
    refused = client.ask(BIND(f"<resource>{resource}</resource>"))
    assert names(refused) == ["iq", "error", "bad-request"]
    client.bind()


def test_a_presence_comes_back_without_what_others_may_not_have_written(peer: Connect) -> None:
    client = peer().sign_in("1234").bind()
    forged = "a&quot;/&gt;&lt;message/&gt;&lt;b c=&quot;"
    own = client.ask(
        f"<presence from='finesse@localhost/finesse' id='p1'><x xmlns='{forged}'/>"
        f"<status>&lt;evil/&gt;<x xmlns='{forged}'/></status><priority>1</priority></presence>"
    )
    assert own.attrib == {"from": client.jid, "to": client.jid, "id": "p1"}
    assert [(one.tag, one.text) for one in own] == [
        ("{jabber:client}status", "<evil/>"),
        ("{jabber:client}priority", "1"),
    ]


# --- out of turn --------------------------------------------------------------------------------


def test_signing_in_twice_ends_the_stream(peer: Connect) -> None:
    for client in (peer().sign_in("1234"), peer().sign_in("1234").bind()):
        client.say(auth(plain("1234", "finesse")))
        assert client.ended() == "policy-violation"


def test_binding_twice_is_refused_and_changes_nothing(peer: Connect) -> None:
    client = peer().sign_in("1234").bind("first")
    refused = client.ask(BIND("<resource>second</resource>"))
    assert refused.get("type") == "error"
    assert client.ask(ONLINE).get("to") == "1234@localhost/first"


def test_a_whole_session_in_one_packet_is_answered_in_its_order(peer: Connect) -> None:
    client = peer()
    client.say(
        OPEN,
        auth(plain("1234", "finesse")),
        OPEN,
        BIND(""),
        "<presence/>",
        ONLINE,
        "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        "<presence/>",
        ONLINE,
    )
    answers = []
    while isinstance(element := client.read(), Element):
        answers.append(names(element)[0])
    assert answers == [
        "open",
        "features",
        "success",
        "open",
        "features",
        "iq",
        "presence",
        "presence",
        "iq",
        "close",
    ]
    assert element == Closed(1000)


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (plain("%" * 3000), "not-authorized"),
        (plain("x" * 6000), "not-authorized"),
        (plain("_" * 4), "not-authorized"),
        (plain("\x01\x7f\u202e"), "not-authorized"),
        (plain("1234", "x" * 6000), "not-authorized"),
        (plain("1234", "finesse\0"), "malformed-request"),
        (plain("1234", "finesse", "1235"), "invalid-authzid"),
        ("AO2ggAB4", "incorrect-encoding"),
        ("AMCAAHg=", "incorrect-encoding"),
        ("A A A A", "incorrect-encoding"),
        ("=" * 4, "incorrect-encoding"),
    ],
)
def test_odd_credentials_are_refused(peer: Connect, response: str, why: str) -> None:
    stranger = peer().open()
    assert names(stranger.ask(auth(response))) == ["failure", why]
    stranger.sign_in("1234")


@pytest.mark.parametrize(
    ("jid", "why"),
    [
        ("2001@localhost/" + "x" * 201, "invalid-jid"),
        ("2001@localhost/" + "\ufdfa" * 20, "invalid-jid"),
        ("2001@localhost/" + "x" * 5000, "invalid-jid"),
        ("2001@localhost/", "invalid-jid"),
        ("@" * 500, "invalid-jid"),
    ],
)
def test_an_address_that_is_none_subscribes_to_nothing(peer: Connect, jid: str, why: str) -> None:
    client = peer().sign_in("2001").bind()
    node = "/finesse/api/Team/1/Users"
    answer = client.ask(PUBSUB("set", f"<subscribe node='{node}' jid='{jid}'/>"))
    assert names(answer) == ["iq", "error", "bad-request", why]


# --- floods -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize(
    "flood",
    [
        [frame("<iq>", bits=0), frame("", CONTINUATION, bits=0) * 300_000],
        [frame("x" * 125, PING) * 30_000],
        [frame("", PONG) * 300_000],
    ],
    ids=["fragments", "pings", "pongs"],
)
def test_frames_that_say_nothing_end_the_connection(peer: Connect, flood: list[bytes]) -> None:
    for _ in range(3):
        stranger = peer(reads_little=True).open()
        stranger.push(*flood)
        # It may have been cut off so early that it cannot read why.
        assert stranger.ended() in {1008, None}


@pytest.mark.usefixtures("undisturbed")
def test_strangers_say_little(peer: Connect) -> None:
    stranger = peer()
    stranger.push(frame(" ") * 100_000)
    assert stranger.ended() in {"policy-violation", None}


def test_signs_of_life_are_no_flood(peer: Connect) -> None:
    client = peer().sign_in("1234").bind()
    for _ in range(protocols.EMPTY_FRAMES_BURST // 2):
        client.send(frame("", PING), frame(" "))
    assert client.ask(ONLINE).get("type") == "result"


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize(
    "request_",
    [
        ONLINE,
        "<presence/>",
        ITEMS("1234"),
        ITEMS("1234").replace("/>", "/><set xmlns='http://jabber.org/protocol/rsm'/>", 1),
    ],
    ids=["ping", "presence", "newest", "pages"],
)
def test_a_user_with_endless_requests_blocks_no_other(peer: Connect, request_: str) -> None:
    clients = [peer().sign_in("1234").bind() for _ in range(15)]
    asked = frame(request_) * 200
    ends = time.monotonic() + 1
    while time.monotonic() < ends:
        for client in clients:
            # Bytes that neither side reads wait in the client's own memory.
            client.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.socket.send(asked)
            with contextlib.suppress(BlockingIOError):
                client.socket.recv(1_000_000)


@pytest.mark.usefixtures("undisturbed")
def test_a_supervisor_with_endless_subscriptions_blocks_no_other(peer: Connect) -> None:
    asked = "<{} node='/finesse/api/Team/1/Users' jid='2001@localhost'/>".format
    client = peer().sign_in("2001").bind()
    for _ in range(30):
        for verb in ("subscribe", "unsubscribe"):
            answer = client.ask(PUBSUB("set", asked(verb)))
            assert answer.get("type") == "result", names(answer)


@pytest.mark.usefixtures("undisturbed")
def test_clients_that_never_read_block_no_other(peer: Connect) -> None:
    """Each is due more than the system keeps for it, and asks for more."""
    request = ITEMS("1234").replace("id='q'", f"id='{'x' * 9000}'")
    for _ in range(15):
        client = peer(reads_little=True).sign_in("1234").bind()
        client.say("<presence/>")
        client.socket.settimeout(0.1)
        client.push(frame(request) * 800)


# --- half-open ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("undisturbed")
def test_strangers_who_say_nothing_are_bounded(installation: Installation, peer: Connect) -> None:
    strangers = [peer() for _ in range(STRANGERS * 2)]
    refused = [one for one in strangers[STRANGERS:] if one.ended() == "policy-violation"]
    assert len(refused) == STRANGERS
    for one in strangers[:STRANGERS]:
        one.socket.close()
    while "error" in names((late := peer()).open().features):
        pass
    assert names(late.ask(auth(plain("1234", "finesse")))) == ["success"]


def test_connections_that_ask_for_nothing_are_closed_where_there_are_many(
    installation: Installation, undisturbed: None
) -> None:
    crowd = protocols.MAX_SILENT_CONNECTIONS_PER_ADDRESS + 60
    with contextlib.ExitStack() as opened:
        silent = [opened.enter_context(Peer(installation.port)) for _ in range(crowd)]
        for number, one in enumerate(silent[-50:]):
            if number % 2:
                one.push(b"GET /ws/ HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
            assert one.read() == Closed(None)


@pytest.mark.usefixtures("undisturbed")
def test_coming_and_going_leaves_nothing_behind(installation: Installation, peer: Connect) -> None:
    """A user may have twenty connections: one that has ended frees its place."""
    steps: list[Callable[[Peer], object]] = [
        lambda one: one.say(OPEN),
        lambda one: one.say(OPEN, auth(plain("admin", "finesse"))),
        lambda one: one.sign_in("admin"),
        lambda one: one.sign_in("admin").say(BIND("")),
        lambda one: one.sign_in("admin").bind().say("<presence/>"),
        lambda one: one.sign_in("admin").bind().say(*["<presence/>", ONLINE] * 20),
        lambda one: one.sign_in("admin").bind().say("</iq>"),
    ]
    for step in steps * 6:
        one = peer()
        step(one)
        one.vanish()
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        clients = []
        with contextlib.suppress(AssertionError):
            for _ in range(20):
                clients.append(peer().sign_in("admin").bind())
            break
        assert time.monotonic() < deadline, f"Only {len(clients)} places are free"
        for client in clients:
            client.socket.close()
    over = peer().open()
    over.say(auth(plain("admin", "finesse")))
    assert over.ended() == "resource-constraint"


@pytest.mark.usefixtures("undisturbed")
def test_of_many_clients_with_one_address_one_keeps_it(peer: Connect) -> None:
    clients: list[Peer] = []

    def want(connect: Connect) -> None:
        for _ in range(5):
            clients.append(connect().sign_in("1235").bind("same"))

    threads = [threading.Thread(target=want, args=[peer]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(clients) == 20
    for client in clients:
        client.push(frame(ONLINE))
    assert sorted(map(answer_or_end, clients)) == ["conflict"] * 19 + ["result"]


def answer_or_end(client: Peer) -> str:
    """The type of the answer to a request, or the error with which the stream ends before it."""
    while isinstance(heard := client.read(), Element):
        if heard.get("id") == "1":
            return heard.get("type", "")
        if heard.tag == ERROR:
            return names(heard)[1]
    raise AssertionError(heard)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("a-socket", "a-socket"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, origin: str) -> None:
    assert origin_of(address) == origin
