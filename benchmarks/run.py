"""`make bench`, or a part of it: `python -m benchmarks.run --only accept --short`.

What is measured and why it is fair: README.md. The figures go to results/latest.json and a picture.
"""

import argparse
import json
import resource
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks.bench import Bench
from benchmarks.figures import Figure, text
from benchmarks.machine import describe
from benchmarks.measures import cold, flow, rest, size, sockets
from benchmarks.picture import picture
from benchmarks.stage import Services, Stage

RESULTS = Path(__file__).resolve().parent / "results"
FILES = 16_384
"""Open files of a process: a socket for each client, and some more."""
LIMIT = 60 * 60
"""Seconds after which the run ends, whatever it has."""

MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "accept": rest.accept,
    "read": rest.read,
    "authentication": rest.authentication,
    "writer": flow.writer,
    "cycles": flow.cycles,
    "latency": flow.latency,
    "default": flow.default,
    "fan-out": sockets.fan_out,
    "replay": sockets.replay,
    "growth": size.growth,
    "plans": size.plans,
    "admin": size.admin,
    "cold": cold.cold,
    "statements": size.statements,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="all of it in less than 3 minutes")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, metavar="MEASURE", help=", ".join(MEASURES)
    )
    options = parser.parse_args()
    if missing := Services().missing():
        print("The benchmarks need more:", *missing, sep="\n  ", file=sys.stderr)
        print("`make services` installs and starts the services on Debian.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    watchdog = threading.Timer(LIMIT, signal.raise_signal, [signal.SIGTERM])
    watchdog.daemon = True
    watchdog.start()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES), most))
    RESULTS.mkdir(exist_ok=True)
    chosen = options.only or list(MEASURES)
    complete = False
    with Stage() as stage:
        bench = Bench(stage, short=options.short)
        try:
            for name in chosen:
                for figure in MEASURES[name](bench):
                    bench.figures.append(figure)
                    print(f"\n{text(figure)}\n", flush=True)
            complete = True
        except KeyboardInterrupt:
            bench.say("interrupted; ending what was started")
    report(bench.figures, whole=complete and not options.only, short=options.short)
    return 0 if complete else 1


def report(figures: Sequence[Figure], *, whole: bool, short: bool) -> None:
    # What a part or a short form has measured does not take the place of the whole.
    name = "latest" if whole and not short else "short" if whole else "part"
    (RESULTS / f"{name}.json").write_text(
        json.dumps([figure.as_json() for figure in figures], indent=2, ensure_ascii=False) + "\n"
    )
    about = {"date": datetime.now(UTC).date().isoformat(), "form": name, **describe()}
    (RESULTS / f"{name}-machine.json").write_text(json.dumps(about, indent=2) + "\n")
    (RESULTS / f"{name}.svg").write_text(picture(figures, about))
    missed = [figure.name for figure in figures if figure.met is False]
    print(f"Written to {RESULTS / name}.json and .svg")
    print("Every target is met." if not missed else "Missed: " + "; ".join(missed))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
