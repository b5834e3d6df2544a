"""Many sockets of one process: sending to all of them, the cost of each, and all reconnecting."""

import json
import statistics
import subprocess
import time
from collections.abc import Callable

from redis import Redis

from benchmarks.bench import Bench
from benchmarks.contenders import Contender, Ours, program
from benchmarks.crowd import Listener, Loop, listen
from benchmarks.figures import Figure, Target, percentile, percentiles
from benchmarks.machine import Meter, memory
from benchmarks.people import EVERYBODY, agent
from benchmarks.stage import ROOT
from benchmarks.tap import Tap

ARRIVAL_TIMEOUT_SECONDS = 30.0
FRAME_BYTES = 860
"""About the size of the frame that the service sends for the announcer's notification."""


class Crowd:
    """A growing number of sockets of one contender, and the time until all have a notification."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.loop = Loop()
        self.sockets: list[Listener] = []
        self.heard = 0

    def grow(self, size: int) -> None:
        names = [agent(number) for number in range(len(self.sockets), size)]
        port, path = self.contender.socket_port, self.contender.socket_path
        self.sockets += listen(self.loop, port, path, names, self._count, at_once=8)

    def _count(self, listener: Listener, frame: bytes) -> None:
        self.heard += 1

    def measure(self, announce: Callable[[], float]) -> tuple[float, float, float]:
        """Seconds until the last socket received it; CPU seconds of the server and this process."""
        self.heard = 0
        self.loop.turn(0)
        meter = Meter({"sockets": self.contender.meters()["sockets"]})
        cpu = time.process_time()
        began = announce()
        if not self.loop.until(lambda: self.heard == len(self.sockets), ARRIVAL_TIMEOUT_SECONDS):
            raise RuntimeError(f"{self.heard} of {len(self.sockets)} sockets received it")
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        return took, meter.read()["sockets"], cpu

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()


def fan_out(bench: Bench) -> list[Figure]:
    """One notification for all users: from its delivery to Redis until the last socket has it."""
    sizes = (100, 400) if bench.short else (100, 1000, 2000)
    contenders: list[Contender] = [bench.ours, bench.ceiling]
    bench.play(["http", "sockets"], *contenders)
    with bench.beating(*contenders):
        for contender in contenders:
            bench.warm(contender)
        with subprocess.Popen(
            program("announcer"),
            cwd=ROOT,
            env=bench.ours.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as announcer:
            try:
                figures = _fan_out(bench, sizes, contenders, announcer)
            finally:
                announcer.kill()
    return figures


def _fan_out(
    bench: Bench,
    sizes: tuple[int, ...],
    contenders: list[Contender],
    announcer: "subprocess.Popen[str]",
) -> list[Figure]:
    assert announcer.stdin is not None
    assert announcer.stdout is not None
    to_announcer, from_announcer = announcer.stdin, announcer.stdout
    redis = Redis.from_url(bench.stage.services.redis)
    channel = f"{bench.ceiling.instance}:ceiling:published"
    length = [FRAME_BYTES]

    def announce_ours() -> float:
        to_announcer.write("\n")
        to_announcer.flush()
        began, size = from_announcer.readline().split()
        length[0] = int(size)
        return float(began)

    def announce_ceiling() -> float:
        frame = json.dumps({"type": "notification", "update": "x" * (length[0] - 40)})
        message = json.dumps([[0, EVERYBODY, frame]])
        began = time.monotonic()
        redis.publish(channel, message)
        return began

    announce = {"ours": announce_ours, "ceiling": announce_ceiling}
    crowds = {one.name: Crowd(one) for one in contenders}
    idle = {one.name: memory(one.roles["sockets"].pid) for one in contenders}
    figures = []
    for size in sizes:
        for contender in contenders:
            bench.say(f"{contender.name}: {size:,} sockets")
            crowds[contender.name].grow(size)
        samples: dict[str, list[float]] = {one.name: [] for one in contenders}
        cpu: dict[str, list[float]] = {one.name: [] for one in contenders}
        shares: dict[str, list[float]] = {one.name: [] for one in contenders}
        for number in range(11 if bench.short else 41):
            for contender in contenders:
                name = contender.name
                took, spent, own = crowds[name].measure(announce[name])
                if number:
                    samples[name].append(took * 1e3)
                    cpu[name].append(spent * 1e3)
                    shares[name].append(own / took)
        figures.append(
            Figure(
                name=f"fan-out to {size:,} sockets",
                unit="ms",
                ours=samples["ours"],
                ceiling=samples["ceiling"],
                better="less",
                target=Target("ratio", 0.4),
                percentiles={name: percentiles(of_one) for name, of_one in samples.items()},
                cpu={name: {"sockets": sum(of_one) / len(of_one)} for name, of_one in cpu.items()},
                notes=[
                    f"{name}: the generator was busy for {statistics.median(share):.0%} of the time"
                    for name, share in shares.items()
                ],
            )
        )
    each = {
        one.name: (memory(one.roles["sockets"].pid) - idle[one.name]) / sizes[-1] / 1024
        for one in contenders
    }
    for crowd in crowds.values():
        crowd.close()
    redis.close()
    figures.append(
        Figure(
            name="memory of an idle socket",
            unit="KiB",
            ours=[each["ours"]],
            ceiling=[each["ceiling"]],
            better="less",
        )
    )
    return figures


MISSED = 50


def replay(bench: Bench) -> list[Figure]:
    """All users reconnect at once, each so many notifications behind, to a server that has just
    started."""
    agents = bench.agents
    database = bench.population(agents, agents * MISSED)
    contender = Ours(bench.stage, database, "replay")
    times: list[float] = []
    last: list[float] = []
    cpu: list[dict[str, float]] = []
    bench.play(["http"], contender)
    with bench.beating(contender):
        bench.warm(contender)
        for number in range(1, 1 + (1 if bench.short else 3)):
            bench.say(f"{agents:,} sockets reconnect: round {number}")
            contender.start("sockets")
            meter = Meter(contender.meters())
            arrived = _come_back(contender, agents)
            cpu.append({role: spent * 1e3 / agents for role, spent in meter.read().items()})
            times.append(arrived[-1])
            last += arrived
            contender.end("sockets")
        bench.play(())
        reads = _reads_of_one(bench, contender)
    return [
        Figure(
            name=f"{agents:,} sockets come back, each {MISSED} behind: until the last has all",
            unit="s",
            ours=times,
            better="less",
            percentiles={"ours": percentiles([one * 1e3 for one in last])},
            cpu={"ours": cpu[-1]},
            notes=[f"half of them had all after {percentile(last, 50):.1f} s"],
        ),
        Figure(name="database reads of a socket that comes back", unit="reads", ours=[reads]),
    ]


def _come_back(contender: Contender, agents: int, at_once: int = 1 << 30) -> list[float]:
    """Seconds from the first connection until each had everything."""
    loop = Loop()
    left = dict.fromkeys(map(agent, range(agents)), MISSED)
    arrived: list[float] = []
    began = time.monotonic()

    def heard(listener: Listener, frame: bytes) -> None:
        left[listener.login_id] -= 1
        if not left[listener.login_id]:
            arrived.append(time.monotonic() - began)

    path, port = contender.socket_path, contender.socket_port
    sockets = listen(loop, port, path, left, heard, after=0, at_once=at_once)
    if not loop.until(lambda: len(arrived) == agents, 120):
        raise RuntimeError(f"{agents - len(arrived)} of {agents} did not get everything")
    for socket in sockets:
        socket.close()
    return arrived


def _reads_of_one(bench: Bench, contender: Ours) -> float:
    """Reads of one socket, its handshake included: the mean of some, one after the other."""
    counted = 20
    with Tap.database(contender.stage.services.database) as tap:
        contender.through(tap)
        contender.start("sockets")
        _come_back(contender, 1, at_once=1)
        tap.heard.clear()
        _come_back(contender, counted, at_once=1)
        reads = sum(one.startswith("SELECT") for one in tap.heard)
        contender.end("sockets")
    return reads / counted
