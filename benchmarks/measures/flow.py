"""A request from its PUT to the sockets: applying alone, whole cycles, and their latency."""

import json
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.bench import Bench
from benchmarks.contenders import Ceiling, Contender, Embedded, Ours, Plain
from benchmarks.crowd import Caller, EndedError, Listener, Loop, listen
from benchmarks.figures import Figure, Target, percentiles
from benchmarks.machine import Meter
from benchmarks.people import (
    ADMINISTRATOR,
    AGENTS_OF_A_TEAM,
    REASON_CODES,
    agent,
    supervisor,
)

ROLES = ("http", "sockets", "worker", "beat")
ARRIVAL_TIMEOUT_SECONDS = 15.0
"""All notifications have to arrive within this time after the last request."""
_LOGIN_ID = re.compile(rb'"node": ?"/finesse/api/User/([^/"]+)/Media"')
_POSITION = re.compile(rb'"position": ?(\d+)')

# --- the writer alone -----------------------------------------------------------------------------

PENDING = f"""INSERT INTO media_mediarequest (login_id, mrd_id, requested, reason_code_id,
  interrupt_action, dialog_logout_action, extension, request_id, cause, actor, accepted_at, error)
SELECT login, 5000, CASE WHEN is_away THEN 'NOT_READY' ELSE 'READY' END,
  CASE WHEN is_away THEN {REASON_CODES.start} END, '', '', '', 'r-' || n, 'self', login, now(), ''
FROM (SELECT n, ({agent(0)} + n % {{agents}} * {{step}})::text AS login,
    n / {{agents}} % 2 = 0 AS is_away
  FROM generate_series(0, {{requests}} - 1) n ORDER BY n) AS numbered"""


def writer(bench: Bench) -> list[Figure]:
    """Applying pending requests in batches, each a change, without publishing."""
    contenders: list[Ours | Ceiling] = [bench.ours, bench.ceiling]
    rates: dict[str, list[float]] = {one.name: [] for one in contenders}
    cpu: dict[str, list[float]] = {one.name: [] for one in contenders}
    # An even number of requests of each agent: afterwards all are READY again.
    turns = 2 * round(bench.seconds(20_000, 4_000) / 2 / bench.agents)
    requests = turns * bench.agents

    def one_round(contender: Ours | Ceiling) -> None:
        bench.reset(contender)
        fill(bench, contender, requests)
        printed = bench.stage.run(contender.drain(), contender.environment())
        result = json.loads(printed)
        if result["requests"] != requests:
            raise RuntimeError(f"{contender.name} applied {result['requests']} of {requests}")
        rates[contender.name].append(requests / result["seconds"])
        cpu[contender.name].append(result["cpu"] * 1e3 / requests)

    bench.play(())
    bench.alternate("the writer alone", contenders, one_round)
    measured = {"unit": "requests/s", "ours": rates["ours"], "ceiling": rates["ceiling"]}
    medians = {name: {"worker": sorted(rounds)[len(rounds) // 2]} for name, rounds in cpu.items()}
    return [
        Figure(
            name="applied by the writer alone",
            target=Target("ratio", 0.4),
            cpu=medians,
            **measured,  # type: ignore[arg-type]
        )
    ]


def fill(bench: Bench, contender: Contender, requests: int) -> None:
    """Insert so many pending requests, each a change."""
    statement = PENDING.format(agents=bench.agents, step=1, requests=requests)
    bench.stage.sql(contender.database, statement, "ANALYZE media_mediarequest")


# --- whole cycles ---------------------------------------------------------------------------------


@dataclass
class Cycles:
    """Counts of one contender's rounds."""

    accepted: int = 0
    received: int = 0
    doubled: int = 0
    swapped: int = 0
    """Notifications at the administrator's socket that did not have the next position."""
    latencies: list[float] = field(default_factory=list)
    """Seconds from sending the PUT until both its 202 and its notification arrived."""


class Agent:
    """Requests NOT_READY and READY in turns, each after the last notification has arrived."""

    def __init__(self, contender: Contender, number: int, caller: Caller, cycles: Cycles) -> None:
        self._name = agent(number)
        self._contender = contender
        self._caller = caller
        self._cycles = cycles
        self.waits_for = 0
        """A bit for the 202, another for the notification."""
        self.stopped = False

    def ask(self) -> None:
        self.waits_for = 3
        self._began = time.perf_counter()
        self._caller.ask(self._contender.change(self._name), self._answered)

    def _answered(self, status: int) -> None:
        if status != 202:
            raise RuntimeError(f"A PUT was answered {status}")
        self._cycles.accepted += 1
        self._seen(1)

    def receive(self) -> None:
        self._cycles.received += 1
        if not self.waits_for & 2:
            self._cycles.doubled += 1
            return
        self._seen(2)

    def _seen(self, what: int) -> None:
        self.waits_for &= ~what
        if not self.waits_for:
            self._cycles.latencies.append(time.perf_counter() - self._began)
            if not self.stopped:
                self.ask()


def login_id_of(frame: bytes) -> str:
    found = _LOGIN_ID.search(frame)
    return found[1].decode() if found else ""


def cycles(bench: Bench) -> list[Figure]:
    """As many agents as keep the machine busy. Each sends its next request when the notification
    of the last has arrived."""
    contenders: list[Contender] = [bench.ours, bench.ceiling, bench.plain]
    rates: dict[str, list[float]] = {one.name: [] for one in contenders}
    seen: dict[str, Cycles] = {one.name: Cycles() for one in contenders}
    cpu: dict[str, dict[str, float]] = {}
    busy: list[float] = []

    failed: list[str] = []

    def one_round(contender: Contender) -> None:
        try:
            rate, spent, share = one_cycle(bench, contender, seen[contender.name])
        except EndedError:
            if not isinstance(contender, Plain):
                raise
            # It does not promise to keep sockets when it is overloaded.
            failed.append("plain DRF: its server ended sockets in a round, which does not count")
            return
        rates[contender.name].append(rate)
        cpu[contender.name] = spent
        busy.append(share)

    bench.play((), *contenders)
    for contender in contenders:
        bench.reset(contender)
    bench.play(ROLES, *contenders)
    for contender in contenders:
        bench.warm(contender)
    bench.alternate("whole cycles", contenders, one_round, 1 if bench.short else 3)
    return [
        Figure(
            name="whole cycles, PUT to socket",
            unit="cycles/s",
            ours=rates["ours"],
            ceiling=rates["ceiling"],
            plain=rates["plain DRF"],
            target=Target("ratio", 0.55),
            percentiles={
                name: percentiles([one * 1e3 for one in of_one.latencies])
                for name, of_one in seen.items()
            },
            cpu=cpu,
            notes=[
                *(_account(name, of_one) for name, of_one in seen.items()),
                f"the generator was busy for at most {max(busy):.0%} of the time",
                *failed,
            ],
        )
    ]


def _account(name: str, seen: Cycles) -> str:
    lost = seen.accepted - seen.received + seen.doubled
    return (
        f"{name}: {seen.accepted:,} accepted, {lost} lost, {seen.doubled} doubled, "
        f"{seen.swapped} out of order"
    )


def one_cycle(
    bench: Bench, contender: Contender, seen: Cycles
) -> tuple[float, dict[str, float], float]:
    """One round: cycles a second, CPU ms a cycle by role, and how busy the generator was."""
    loop, number = Loop(), min(128, bench.agents)
    agents: dict[str, Agent] = {}
    expected = [0]

    def heard(listener: Listener, frame: bytes) -> None:
        agents[listener.login_id].receive()

    def watched(listener: Listener, frame: bytes) -> None:
        if found := _POSITION.search(frame):
            position = int(found[1]) // contender.numbers_per_position
            seen.swapped += expected[0] not in (0, position)
            expected[0] = position + 1

    callers = [Caller(loop, contender.port) for _ in range(number)]
    for index, caller in enumerate(callers):
        agents[agent(index)] = Agent(contender, index, caller, seen)
    path = contender.socket_path
    sockets = listen(loop, contender.socket_port, path, agents, heard)
    sockets += listen(loop, contender.socket_port, path, [ADMINISTRATOR], watched)
    for one in agents.values():
        one.ask()
    loop.until(lambda: False, 1.0)
    before, meter, cpu = len(seen.latencies), Meter(contender.meters()), time.process_time()
    began = time.perf_counter()
    # Overloaded for a whole minute, the server of plain DRF has ended sockets for unknown reasons.
    loop.until(lambda: False, bench.seconds(20 if isinstance(contender, Plain) else 60, 4))
    took, done = time.perf_counter() - began, len(seen.latencies) - before
    share = (time.process_time() - cpu) / took
    spent = {role: seconds * 1e3 / max(1, done) for role, seconds in meter.read().items()}
    for one in agents.values():
        one.stopped = True
    loop.until(lambda: not any(one.waits_for for one in agents.values()), ARRIVAL_TIMEOUT_SECONDS)
    for connection in [*callers, *sockets]:
        connection.close()
    return done / took, spent, share


# --- latency --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Waiting:
    """A request whose notification is to arrive at so many more sockets."""

    due: float
    sockets: int


class Schedule:
    """Sends requests at fixed times, even while earlier ones are under way; the latency of each
    counts from its due time."""

    def __init__(self, contender: Contender, loop: Loop, agents: int) -> None:
        self.latencies: list[float] = []
        self.skipped = 0
        """Requests left out, since the same agent's last had not arrived when they were due."""
        self._loop = loop
        self._contender = contender
        self._names = deque(map(agent, range(agents)))
        self._free: deque[Caller] = deque(Caller(loop, contender.port) for _ in range(32))
        self._queue: deque[bytes] = deque()
        self._on_their_way: dict[str, Waiting] = {}

    def run(self, rate: float, seconds: float) -> None:
        start = time.perf_counter()
        for index in range(int(rate * seconds)):
            due = start + index / rate
            while (left := due - time.perf_counter()) > 0:
                self._loop.turn(left)
            self._ask(due)
        self._loop.until(lambda: not self._on_their_way, ARRIVAL_TIMEOUT_SECONDS)

    @property
    def lost(self) -> int:
        return len(self._on_their_way)

    def heard(self, listener: Listener, frame: bytes) -> None:
        name = login_id_of(frame)
        if waiting := self._on_their_way.get(name):
            waiting.sockets -= 1
            if not waiting.sockets:
                self.latencies.append(time.perf_counter() - waiting.due)
                del self._on_their_way[name]

    def close(self) -> None:
        for caller in self._free:
            caller.close()

    def _ask(self, due: float) -> None:
        name = self._names[0]
        self._names.rotate(-1)
        if name in self._on_their_way:
            self.skipped += 1
            return
        self._on_their_way[name] = Waiting(due, SOCKETS_OF_EACH)
        self._queue.append(self._contender.change(name))
        self._send()

    def _send(self) -> None:
        while self._queue and self._free:
            caller = self._free.popleft()
            caller.ask(self._queue.popleft(), partial(self._answered, caller))

    def _answered(self, caller: Caller, status: int) -> None:
        if status != 202:
            raise RuntimeError(f"A PUT was answered {status}")
        self._free.append(caller)
        self._send()


SOCKETS_OF_EACH = 2
"""The agent's socket and that of the team's supervisor."""
RATE = 170.0
"""Cycles a second, as 2,000 agents make them on a busy day."""


def latency(bench: Bench) -> list[Figure]:
    """A PUT every 6 ms, with a socket for every agent and for every supervisor; the time until both
    the agent's and the supervisor's socket have it."""
    contenders: list[Contender] = [bench.ours, bench.ceiling]
    teams = -(-bench.agents // AGENTS_OF_A_TEAM)
    names = [*map(agent, range(bench.agents)), *map(supervisor, range(teams))]
    samples: dict[str, list[list[float]]] = {one.name: [] for one in contenders}
    notes = [f"{bench.agents:,} agents and their sockets, {teams} supervisors' sockets"]
    bench.play((), *contenders)
    for contender in contenders:
        bench.reset(contender)
    bench.play(ROLES, *contenders)
    for contender in contenders:
        bench.warm(contender)

    def one_round(contender: Contender) -> None:
        bench.say(f"{contender.name}: {len(names):,} sockets")
        latencies, more = _scheduled(contender, bench.agents, names, RATE, bench.seconds(30, 4))
        samples[contender.name].append(latencies)
        notes.extend(more)

    bench.alternate("latency", contenders, one_round, 1 if bench.short else 3)
    return [
        _latency_figure(
            f"PUT to sockets at {RATE:.0f} cycles/s, {percent}", samples, percent, bound, notes
        )
        for percent, bound in (("p50", 30.0), ("p99", 250.0))
    ]


def _scheduled(
    contender: Contender, agents: int, names: Sequence[str], rate: float, seconds: float
) -> tuple[list[float], list[str]]:
    """The latencies in milliseconds, and notes about requests that were left out or lost."""
    loop = Loop()
    schedule = Schedule(contender, loop, agents)
    path, port = contender.socket_path, contender.socket_port
    sockets = listen(loop, port, path, names, schedule.heard, at_once=8)
    loop.until(lambda: False, 1.0)
    schedule.run(rate, seconds)
    for socket in sockets:
        socket.close()
    schedule.close()
    notes = []
    if schedule.skipped:
        notes.append(
            f"{contender.name} is overloaded: {schedule.skipped} requests were left out, since the "
            "same agent's last had not arrived when they were due"
        )
    if schedule.lost:
        late = f"did not arrive within {ARRIVAL_TIMEOUT_SECONDS:.0f} s"
        notes.append(f"{contender.name}: {schedule.lost} notifications {late}")
    return [one * 1e3 for one in schedule.latencies], notes


def _latency_figure(
    name: str,
    samples: dict[str, list[list[float]]],
    percent: str,
    bound: float,
    notes: Sequence[str],
) -> Figure:
    rounds = {
        contender: [percentiles(of_round)[percent] for of_round in of_one]
        for contender, of_one in samples.items()
    }
    every = {
        contender: percentiles([one for of_round in of_one for one in of_round])
        for contender, of_one in samples.items()
    }
    return Figure(
        name=name,
        unit="ms",
        ours=rounds["ours"],
        ceiling=rounds.get("ceiling", ()),
        better="less",
        target=Target("ours", bound, at_most=True),
        percentiles=every,
        notes=notes,
    )


def default(bench: Bench) -> list[Figure]:
    """The same on the default set-up: one process, SQLite, ten agents."""
    agents = 10
    embedded = Embedded(bench.stage)
    embedded.prepare(agents)
    bench.play(["http"], embedded)
    bench.warm(embedded, agents)
    samples: list[list[float]] = []
    notes = [f"{agents} agents, each changing its state twice a second"]

    def one_round(contender: Contender) -> None:
        names = [*map(agent, range(agents)), supervisor(0)]
        latencies, more = _scheduled(contender, agents, names, 20.0, bench.seconds(20, 4))
        samples.append(latencies)
        notes.extend(more)

    bench.alternate("latency of the default set-up", [embedded], one_round)
    figure = _latency_figure(
        "PUT to sockets on the default set-up, p50",
        {"ours": samples},
        "p50",
        25.0,
        notes,
    )
    return [figure]
