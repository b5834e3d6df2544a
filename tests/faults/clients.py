"""Clients that record what they did and were told, and followers that record what came."""

import asyncio
import contextlib
import itertools
import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from media.models import VOICE_MRD
from tests.conftest import basic
from tests.faults.history import ACCEPTED, OUT_OF_SERVICE, Followed, Key, Operation, source_of
from tests.faults.reading import PASSWORD, row_of_action
from tests.faults.set_up import SetUp
from tests.kit.xmpp_good_client import TCP, GoodClient

CHAT = ("1234", "1235", "1236", "1237", "1238")
"""The agents of team 1 of the demo, whom 2001 supervises."""
REFUSED = 400
PATIENCE_SECONDS = 5.0
"""A client that has no answer for so long gives up, and knows nothing of its request."""
PAUSE_SECONDS = 0.2
"""Between two requests of one client, on average."""
BODIES = (
    "<Media><state>LOGIN</state><maxDialogLimit>5</maxDialogLimit>"
    "<interruptAction>ACCEPT</interruptAction></Media>",
    "<Media><state>READY</state></Media>",
    "<Media><state>READY</state></Media>",
    "<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
    "<Media><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></Media>",
    "<Media><routable>false</routable></Media>",
    "<Media><routable>true</routable></Media>",
    "<Media><state>LOGOUT</state></Media>",
    # Refused with 400 wherever the agent is.
    "<Media><state>NOT_READY</state><reasonCodeId>2001</reasonCodeId></Media>",
)
DESKTOP_PAUSE_SECONDS = 1.0
"""A desktop that signs out takes all MRDs along: not so often that nothing else happens."""
DESKTOP_BODIES = (
    "<User><state>LOGIN</state><extension>1001</extension></User>",
    "<User><state>READY</state></User>",
    "<User><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></User>",
    "<User><state>NOT_READY</state><reasonCodeId>1002</reasonCodeId></User>",
    "<User><state>LOGOUT</state></User>",
)
SUPERVISOR = "2001"
OF_SUPERVISORS = (
    "<User><state>READY</state></User>",
    "<User><state>NOT_READY</state></User>",
    "<User><state>NOT_READY</state></User>",
    "<User><state>LOGOUT</state></User>",
    # Refused: nobody signs another one in.
    "<User><state>LOGIN</state><extension>1001</extension></User>",
)
ON_THE_BOARD = ("READY", "NOT_READY", "ROUTABLE", "NOT_ROUTABLE", "LOGOUT")
"""For Media; those of a desktop are the first two."""
BOARD_SUPERVISOR = "2002"
_numbers = itertools.count()


@dataclass
class Load:
    """Clients until `end`: one for each Media and each desktop, a second one for some Media, a
    supervisor who changes desktops of team 1, and one who acts on the board."""

    set_up: SetUp
    keys: list[Key]
    operations: list[Operation] = field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self) -> None:
        media = [key for key in self.keys if key[1] != VOICE_MRD]
        desktops = [key for key in self.keys if key[1] == VOICE_MRD]
        of_chat = [key for key in desktops if key[0] in CHAT]
        work = [
            *(self._ask(key[0], [key], BODIES, PAUSE_SECONDS) for key in [*media, *media[::4]]),
            *(self._ask(key[0], [key], DESKTOP_BODIES, DESKTOP_PAUSE_SECONDS) for key in desktops),
            self._ask(SUPERVISOR, of_chat, OF_SUPERVISORS, DESKTOP_PAUSE_SECONDS),
            self._act(),
        ]
        self._tasks = [asyncio.create_task(one) for one in work]

    async def end(self) -> None:
        """Return when each client has its last answer."""
        self._ended.set()
        await asyncio.gather(*self._tasks)

    async def _ask(
        self, login_id: str, keys: Sequence[Key], bodies: Sequence[str], pause: float
    ) -> None:
        chance = random.Random()
        async with httpx.AsyncClient(
            base_url=self.set_up.url,
            timeout=PATIENCE_SECONDS,
            auth=(login_id, PASSWORD),
            headers={"Content-Type": "application/xml"},
        ) as client:
            while not self._ended.is_set():
                name, key = f"f-{next(_numbers)}", chance.choice(keys)
                invoked, answered, status = time.monotonic(), float("inf"), None
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.put(
                        source_of(key), content=chance.choice(bodies), headers={"requestId": name}
                    )
                    status, answered = answer.status_code, time.monotonic()
                self._note(name, key, invoked, answered, status)
                await self._pause(chance, pause)

    async def _act(self) -> None:
        """On the board, where an action that got no answer is sent again, with its id."""
        chance = random.Random()
        async with httpx.AsyncClient(base_url=self.set_up.url, timeout=PATIENCE_SECONDS) as client:
            headers = None
            while headers is None and not self._ended.is_set():
                with contextlib.suppress(httpx.HTTPError):
                    headers = await self._sign_in(client)
                if headers is None:
                    await self._pause(chance, PAUSE_SECONDS)
            while not self._ended.is_set():
                action = str(uuid.uuid4())
                keys = chance.sample(self.keys, 2)
                is_of_media = all(mrd_id != VOICE_MRD for _, mrd_id in keys)
                possible = ON_THE_BOARD if is_of_media else ON_THE_BOARD[:2]
                rows = [
                    {"agentId": login_id, "mrdId": None if mrd_id == VOICE_MRD else mrd_id}
                    for login_id, mrd_id in keys
                ]
                sent = {"id": action, "requested": chance.choice(possible), "rows": rows}
                invoked = time.monotonic()
                answer = None
                while answer is None and not self._ended.is_set():
                    with contextlib.suppress(httpx.HTTPError):
                        answer = await client.post(
                            "/supervision/actions/", json=sent, headers=headers
                        )
                        if answer.status_code == OUT_OF_SERVICE:
                            answer = None
                    if answer is None:
                        await self._pause(chance, PAUSE_SECONDS)
                answered = float("inf") if answer is None else time.monotonic()
                self._note_action(action, keys, invoked, answered, answer)
                await self._pause(chance, DESKTOP_PAUSE_SECONDS)

    async def _sign_in(self, client: httpx.AsyncClient) -> dict[str, str] | None:
        """The headers of a signed-in page; None: out of service. Cookies are for TLS alone, so they
        are sent by hand."""
        origin = {
            "X-Forwarded-Proto": "https",
            "Host": "localhost",
            "Referer": "https://localhost/",
        }
        page = await client.get("/login/", headers=origin)
        if page.status_code == OUT_OF_SERVICE:
            return None
        assert page.status_code == 200, page.text
        cookies = _cookies(page)
        form = {
            "username": BOARD_SUPERVISOR,
            "password": PASSWORD,
            "csrfmiddlewaretoken": cookies["csrftoken"].value,
        }
        sent = {**origin, "Cookie": cookies.output([], header="", sep=";")}
        answer = await client.post("/login/", data=form, headers=sent)
        if answer.status_code == OUT_OF_SERVICE:
            return None
        assert answer.status_code == 302, answer.text
        cookies = _cookies(answer)
        return {
            **origin,
            "Cookie": cookies.output([], header="", sep=";"),
            "X-CSRFToken": cookies["csrftoken"].value,
        }

    def _note(
        self, name: str, key: Key, invoked: float, answered: float, status: int | None
    ) -> None:
        self.operations.append(
            Operation(request_id=name, key=key, invoked=invoked, answered=answered, status=status)
        )

    def _note_action(
        self,
        action: str,
        keys: Sequence[Key],
        invoked: float,
        answered: float,
        answer: httpx.Response | None,
    ) -> None:
        """Each row is an operation; one that the rules refuse is answered so in its place."""
        status = None if answer is None else answer.status_code
        results = {}
        if answer is not None and status == ACCEPTED:
            for row in answer.json()["rows"]:
                results[row["agentId"], row["mrdId"] or VOICE_MRD] = row["result"]
        for key in keys:
            is_refused = results.get(key) == "refused"
            told = REFUSED if is_refused else status
            self._note(row_of_action(action, key), key, invoked, answered, told)

    async def _pause(self, chance: random.Random, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), chance.uniform(0.5, 1.5) * seconds)

    def accepted(self) -> Iterator[Operation]:
        return (one for one in self.operations if one.status == ACCEPTED)


def _cookies(answer: httpx.Response) -> SimpleCookie:
    found = SimpleCookie()
    for one in answer.headers.get_list("set-cookie"):
        found.load(one)
    return found


class Viewer:
    """A follower by WebSocket, which comes back with the last position that it has seen.

    With `restless` it also leaves by itself, after so many notifications.
    """

    def __init__(
        self,
        set_up: SetUp,
        login_id: str,
        nodes: frozenset[str] | None,
        *,
        restless: int | None = None,
    ) -> None:
        self.name = f"{login_id}{' (restless)' if restless else ''}"
        self.got: list[tuple[int, float]] = []
        """Numbers, and when they came."""
        self._until_reset: Followed | None = None
        self.losses: list[str] = []
        """What has ended its connections."""
        self.connections = 0
        self.ready = asyncio.Event()
        self.first = 0
        self._begun = 0
        """How many it had got when it was told `reset`."""
        self._url = set_up.sockets_url.replace("http", "ws", 1) + "/ws/notifications/"
        self._login_id, self._nodes, self._restless = login_id, nodes, restless
        self._last: int | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def last(self) -> int:
        return self._last or 0

    async def end(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def followed(self) -> Followed:
        numbers = [number for number, _ in self.got]
        return Followed(
            name=self.name,
            after=self.first,
            nodes=self._nodes,
            numbers=numbers[self._begun :],
            until_reset=self._until_reset,
        )

    async def _run(self) -> None:
        headers = {"Authorization": basic(self._login_id, PASSWORD)}
        while True:
            try:
                async with connect(
                    self._url, additional_headers=headers, open_timeout=5, ping_interval=2
                ) as socket:
                    await self._live(socket)
            except (OSError, WebSocketException) as error:
                self.losses.append(repr(error))
            await asyncio.sleep(0.2)

    async def _live(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "subscribe", "after": self._last}))
        taken = 0
        async for text in socket:
            frame = json.loads(text)
            if frame["type"] == "subscribed":
                self._subscribed(frame)
            elif frame["type"] == "notification":
                self._last = frame["position"]
                self.got.append((frame["position"], time.monotonic()))
                taken += 1
                if taken == self._restless:
                    # Without a word, as when a laptop is closed. A close in order would wait until
                    # all is read that the server has sent already.
                    socket.transport.abort()
                    return

    def _subscribed(self, frame: dict[str, object]) -> None:
        self.connections += 1
        if self._last is None:
            self._last = self.first = int(str(frame["position"]))
            self.ready.set()
        elif frame["resume"] != "replayed":
            self._until_reset = replace(self.followed(), name=f"{self.name} until its reset")
            self._begun = len(self.got)
            self._last = self.first = int(str(frame["position"]))


class XMPP:
    """A follower by Prosody, for the whole run; each round looks at what came since `begin`."""

    def __init__(self, set_up: SetUp, login_id: str, nodes: frozenset[str]) -> None:
        self._set_up, self.login_id, self._nodes = set_up, login_id, nodes
        self.client: GoodClient | None = None
        self._first = 0

    async def begin(self, head: int) -> None:
        """Sign in if that is not done yet; what comes after `head`, a number, is of this round."""
        self._first = head
        if self.client is not None:
            self.client.until_reset.clear()
        if self.client is None:
            self.client = GoodClient(
                self._set_up, self.login_id, "faults", TCP, sorted(self._nodes)
            )
        async with asyncio.timeout(60):
            await self.client.ready.wait()

    async def end(self) -> None:
        if self.client is not None:
            await self.client.end()

    @property
    def last(self) -> int:
        return self.client.last if self.client else 0

    @property
    def failure(self) -> str:
        """What has ended the client, which only a broken promise does."""
        task = self.client._task if self.client else None
        return repr(task.exception()) if task and task.done() else ""

    def followed(self) -> Followed:
        assert self.client is not None
        parts = [self._part(got) for got in (*self.client.until_reset, self.client.got)]
        followed = parts[0]
        for part in parts[1:]:
            # It is told no number with which it begins anew.
            first = min(part.numbers, default=1)
            followed = replace(part, after=first - 1, until_reset=followed)
        return followed

    def _part(self, got: Mapping[str, Sequence[int]]) -> Followed:
        pairs = [
            (node, number)
            for node, numbers in got.items()
            for number in numbers
            if number > self._first
        ]
        return Followed(
            name=f"{self.login_id} by XMPP",
            after=self._first,
            nodes=self._nodes,
            numbers=[number for _, number in pairs],
            by_node=True,
            seen_nodes=[node for node, _ in pairs],
        )
