"""`make bench`, or a part of it: `python -m benchmarks.run --only accept --short`.

README.md says what is measured, and why it is fair. The figures go to results/latest.json and a
picture.
"""

import argparse
import json
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks.bench import Bench
from benchmarks.figures import Figure, text
from benchmarks.machine import describe
from benchmarks.measures import (
    board,
    codes,
    cold,
    flow,
    observing,
    reports,
    rest,
    size,
    sockets,
)
from benchmarks.picture import picture
from benchmarks.stage import Services, Stage

RESULTS = Path(__file__).resolve().parent / "results"
OPEN_FILES = 16_384
"""Limit of a process: a socket for each client, and some more."""
RUN_TIMEOUT_SECONDS = 90 * 60
"""The run ends then, and reports the figures that it has."""

MEASURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "accept": rest.accept,
    "read": rest.read,
    "authentication": rest.authentication,
    "writer": flow.writer,
    "cycles": flow.cycles,
    "observing": observing.observing,
    "latency": flow.latency,
    "default": flow.default,
    "fan-out": sockets.fan_out,
    "replay": sockets.replay,
    "plans": size.plans,
    "admin": size.admin,
    "reason-codes": codes.reason_codes,
    "board": board.board,
    "reports": reports.reports,
    "cold": cold.cold,
    "statements": size.statements,
    # Last, since it takes as long as all the others.
    "growth": size.growth,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="all of it in less than 3 minutes")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, metavar="MEASURE", help=", ".join(MEASURES)
    )
    options = parser.parse_args()
    if needed := Services().missing():
        print("The benchmarks also need:", *needed, sep="\n  ", file=sys.stderr)
        print("`make services` installs and starts the services on Debian.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    watchdog = threading.Timer(RUN_TIMEOUT_SECONDS, signal.raise_signal, [signal.SIGTERM])
    watchdog.daemon = True
    watchdog.start()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, OPEN_FILES), most))
    RESULTS.mkdir(exist_ok=True)
    missing = list(options.only or MEASURES)
    with Stage() as stage:
        bench = Bench(stage, short=options.short)
        try:
            for name in [*missing]:
                if _measured(bench, name):
                    missing.remove(name)
        except KeyboardInterrupt:
            bench.say("interrupted; ending what was started")
    report(bench.figures, whole=not options.only, short=options.short, missing=missing)
    return 1 if missing else 0


def _measured(bench: Bench, name: str) -> bool:
    """Run one measure; False if it failed, which leaves the other figures valid."""
    try:
        for figure in MEASURES[name](bench):
            bench.figures.append(figure)
            print(f"\n{text(figure)}\n", flush=True)
    except Exception:
        bench.say(f"{name} has failed")
        traceback.print_exc()
        return False
    return True


def report(
    figures: Sequence[Figure], *, whole: bool, short: bool, missing: Sequence[str] = ()
) -> None:
    # The results of a part or of the short form must not replace those of a whole run.
    name = "latest" if whole and not short else "short" if whole else "part"
    form = f"{name}, without {', '.join(missing)}" if missing else name
    (RESULTS / f"{name}.json").write_text(
        json.dumps([figure.as_json() for figure in figures], indent=2, ensure_ascii=False) + "\n"
    )
    about = {"date": datetime.now(UTC).date().isoformat(), "form": form, **describe()}
    (RESULTS / f"{name}-machine.json").write_text(json.dumps(about, indent=2) + "\n")
    (RESULTS / f"{name}.svg").write_text(picture(figures, about))
    missed = [figure.name for figure in figures if figure.met is False]
    print(f"Written to {RESULTS / name}.json and .svg")
    print("Every target is met." if not missed else "Missed: " + "; ".join(missed))
    if missing:
        print("Not measured: " + ", ".join(missing))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
