"""`python benchmarks/xmpp.py` measures XMPP. README.md says what is compared, and how fairly."""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if not __package__:
    # Run as a file: the package is found from one folder up.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.xmpp_load import Crowd, Round, memory, sign_in
from benchmarks.xmpp_servers import (
    AGENT,
    PASSWORD,
    BareProsody,
    Contender,
    Service,
)

RESULTS = Path(__file__).resolve().parent / "results" / "xmpp.json"
RUN_TIMEOUT_SECONDS = 240
SETTLING_SECONDS = 1.5
"""Time for a server to finish its work after many clients have connected or disconnected."""
WARM_UP_NOTIFICATIONS = 10
"""Those to the one client that are not measured."""
OPEN_FILES = 8192
"""Limit of a process: one for each client, and some more."""
MIB = 2**20

Samples = dict[str, dict[str, list[float]]]
"""Figures by what was measured, then by contender."""


class Benchmark:
    def __init__(self, contenders: Sequence[Contender], options: argparse.Namespace) -> None:
        self.contenders = contenders
        self.options = options
        self.samples: Samples = defaultdict(lambda: defaultdict(list))
        self.idle: dict[str, dict[str, int]] = {}
        self.crowded: dict[str, dict[str, int]] = {}
        self._began = time.monotonic()
        self._marks = 0

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:5.0f} s  {text}", file=sys.stderr, flush=True)

    def mark(self) -> str:
        self._marks += 1
        return f"mark-{self._marks}-"

    async def run(self) -> None:
        try:
            for contender in self.contenders:
                self.say(f"starting {contender.name}")
                await contender.start()
            await self._latencies()
            for cycle in range(1, self.options.cycles + 1):
                for contender in self.contenders:
                    self.say(f"crowd {cycle} of {self.options.cycles}: {contender.name}")
                    await self._crowd(contender)
        except Exception:
            for contender in self.contenders:
                print(f"--- {contender.name}\n{contender.log()}", file=sys.stderr)
            raise
        finally:
            for contender in self.contenders:
                contender.end()

    # --- one client -----------------------------------------------------------------------------

    async def _latencies(self) -> None:
        agents = {}
        for contender in self.contenders:
            agents[contender.name] = await sign_in(contender.address, AGENT, PASSWORD)
        for block in range(self.options.blocks + 1):
            self.say(f"one client: block {block} of {self.options.blocks}")
            for contender in self.contenders:
                agent, times = agents[contender.name], []
                for _ in range(self.options.puts if block else WARM_UP_NOTIFICATIONS):
                    mark = self.mark()
                    waited = Round(mark.encode(), 1)
                    agent.expect(waited)
                    began = time.perf_counter()
                    await contender.notify_one(mark)
                    times.append(await waited.complete() - began)
                if block:
                    self._add("one client p50, ms", contender, statistics.median(times) * 1e3)
                    self._add("one client p99, ms", contender, percentile(times, 99) * 1e3)
        for agent in agents.values():
            agent.close()

    # --- many clients ---------------------------------------------------------------------------

    async def _crowd(self, contender: Contender) -> None:
        await asyncio.sleep(SETTLING_SECONDS)
        self.idle.setdefault(contender.name, memory(contender.pid()))
        crowd = Crowd(contender.address, PASSWORD)
        names = crowd_names(self.options.clients)
        began = time.perf_counter()
        await crowd.join(names)
        self._add("sign-ins/s", contender, len(names) / (time.perf_counter() - began))
        await asyncio.sleep(SETTLING_SECONDS)
        crowded = memory(contender.pid())
        self.crowded.setdefault(contender.name, crowded)
        more = sum(crowded.values()) - sum(self.idle[contender.name].values())
        self._add("memory a connection, KiB", contender, more / len(names) / 1024)
        await contender.subscribe(crowd)
        for number in range(self.options.rounds + 1):
            mark = self.mark()
            waited = crowd.expect(mark.encode())
            began = time.perf_counter()
            await contender.notify_all(mark)
            last = await waited.complete()
            if not number:
                continue  # To warm up.
            self._add("fan-out, to the last, ms", contender, (last - began) * 1e3)
            self._add("fan-out, first to last, ms", contender, (last - waited.first) * 1e3)
        crowd.leave()

    def _add(self, what: str, contender: Contender, figure: float) -> None:
        self.samples[what][contender.name].append(figure)

    # --- the report -----------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        return {
            "machine": machine(),
            "options": vars(self.options),
            "seconds": round(time.monotonic() - self._began),
            "figures": {
                what: {name: summary(figures) for name, figures in of_contenders.items()}
                for what, of_contenders in self.samples.items()
            },
            "memory": {
                name: {
                    "idle, MiB": in_mib(self.idle[name]),
                    f"{self.options.clients} clients, MiB": in_mib(self.crowded[name]),
                }
                for name in self.crowded
            },
        }


def crowd_names(size: int) -> list[str]:
    return [f"crowd{number}" for number in range(size)]


def percentile(figures: Sequence[float], percent: int) -> float:
    """The smallest figure that at least so many percent of them do not exceed."""
    return sorted(figures)[-(-len(figures) * percent // 100) - 1]


def summary(figures: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 2),
        "min": round(min(figures), 2),
        "max": round(max(figures), 2),
        "samples": len(figures),
    }


def in_mib(parts: dict[str, int]) -> dict[str, float]:
    return {name: round(size / MIB, 1) for name, size in parts.items()}


def machine() -> dict[str, str]:
    model = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((one.split(":")[1].strip() for one in lines if "model name" in one), "")
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "load, 1 and 5 minutes": " and ".join(f"{one:.1f}" for one in os.getloadavg()[:2]),
        "python": platform.python_version(),
        "prosody": version_of_prosody(),
    }


def version_of_prosody() -> str:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        about = subprocess.run(["prosodyctl", "about"], capture_output=True, text=True, timeout=10)
        if found := re.search(r"^Prosody (\d\S*)", about.stdout, re.MULTILINE):
            return found[1]
    return ""


def show(report: dict[str, Any]) -> None:
    for what, of_contenders in report["figures"].items():
        print(f"\n{what}")
        for name, one in of_contenders.items():
            print(
                f"  {name:<20} {one['median']:9.2f}  ({one['min']:.2f}–{one['max']:.2f}, "
                f"{one['samples']} samples)"
            )
    print("\nmemory (PSS), MiB")
    for name, one in report["memory"].items():
        for when, parts in one.items():
            split = ", ".join(f"{part} {size}" for part, size in parts.items())
            print(f"  {name:<20} {when:<20} {sum(parts.values()):7.1f}  ({split})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=5, help="of PUTs, the contenders in turns")
    parser.add_argument("--puts", type=int, default=100, help="in a block")
    parser.add_argument("--cycles", type=int, default=2, help="of a crowd, the contenders in turns")
    parser.add_argument("--rounds", type=int, default=10, help="notifications to a crowd")
    parser.add_argument("--only", choices=("websocket", "prosody", "bare"), action="append")
    options = parser.parse_args()
    names = crowd_names(options.clients)
    chosen = set(options.only or ("websocket", "prosody", "bare"))
    if not shutil.which("prosody") and chosen - {"websocket"}:
        print("Prosody is not installed: only our WebSocket is measured.", file=sys.stderr)
        chosen = {"websocket"}
    contenders: list[Contender] = []
    if "websocket" in chosen:
        contenders.append(Service(with_prosody=False, crowd=names))
    if "prosody" in chosen:
        contenders.append(Service(with_prosody=True, crowd=names))
    if "bare" in chosen:
        contenders.append(BareProsody())
    benchmark = Benchmark(contenders, options)
    # Servers that are started inherit it; many systems give a process 1,024 files.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, OPEN_FILES), most))
    # On SIGTERM, too, the servers are ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    async def bounded() -> None:
        async with asyncio.timeout(RUN_TIMEOUT_SECONDS):
            await benchmark.run()

    asyncio.run(bounded())
    report = benchmark.report()
    show(report)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(f"\nWritten to {RESULTS}")


if __name__ == "__main__":
    main()
