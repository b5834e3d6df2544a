"""Plays the rounds, prints each, and keeps the table."""

import argparse
import asyncio
import json
import shutil
import tempfile
import time
import traceback
from collections import defaultdict
from pathlib import Path

from tests.faults.faults import FAULTS, Fault
from tests.faults.rounds import Round, Rounds
from tests.faults.set_up import SetUp, first_with_production
from tests.faults.stores import missing
from tests.faults.table import Row, markdown


def chosen(options: argparse.Namespace) -> list[Fault]:
    faults = [one for one in FAULTS if one.is_short or not options.short]
    if options.only:
        faults = [one for one in FAULTS if any(part in one.name for part in options.only)]
    return faults


def run(options: argparse.Namespace) -> int:
    """The exit status."""
    faults = chosen(options)
    if options.list:
        print("\n".join(one.name for one in faults))
        return 0
    if absent := missing():
        print(f"Not installed: {', '.join(absent)}. On Debian, 'make services' installs it.")
        return 2
    played: Played = defaultdict(lambda: ([], []))
    try:
        asyncio.run(_play(faults, played, options))
    finally:
        # Of a run that is ended from outside, too.
        rows = [Row.of(fault, *played[fault.name]) for fault in faults if fault.name in played]
        _keep(_with_earlier(rows, options.results) if options.add else rows, options.results)
    return 0 if all(row.is_good for row in rows) else 1


def _with_earlier(rows: list[Row], folder: Path) -> list[Row]:
    """In the order of the faults, with the rounds that this folder has of earlier runs."""
    kept = folder / "faults.json"
    found = {row.fault: row for row in rows}
    for data in json.loads(kept.read_text()) if kept.exists() else []:
        earlier = Row(**data)
        now = found.get(earlier.fault)
        found[earlier.fault] = now.with_earlier(earlier) if now else earlier
    return [found[fault.name] for fault in FAULTS if fault.name in found]


def _keep(rows: list[Row], folder: Path) -> None:
    text = markdown(rows)
    print(text)
    folder.mkdir(exist_ok=True)
    (folder / "faults.md").write_text(text)
    data = json.dumps([row.as_data() for row in rows], indent=1)
    (folder / "faults.json").write_text(data + "\n")


Played = defaultdict[str, tuple[list[Round], list[str]]]
"""By fault: the rounds, and what has kept others from their end."""


async def _play(faults: list[Fault], played: Played, options: argparse.Namespace) -> None:
    """All faults once, then all of them again, until there are enough rounds or no time."""
    count = 1 if options.short else options.rounds
    end = time.monotonic() + 60 * options.minutes
    stage = await _Stage.open()
    try:
        for number in range(count):
            for fault in faults:
                if time.monotonic() > end:
                    return
                if reason := fault.impossible(stage.set_up):
                    if number == 0:
                        print(f"{fault.name}: LEFT OUT, as {reason}", flush=True)
                    continue
                if fault.is_upgrade or stage.former or (fault.by_the_clock and stage.is_ahead):
                    await stage.close(keep_logs=False)
                    stage = await _Stage.open(_former(fault))
                rounds, failures = played[fault.name]
                stage.is_ahead |= not fault.by_the_clock
                try:
                    one = await stage.rounds.play(fault)
                except Exception:
                    failures.append(traceback.format_exc())
                    print(f"{fault.name}: {failures[-1]}", flush=True)
                    await stage.close(keep_logs=True)
                    stage = await _Stage.open(_former(fault))
                else:
                    rounds.append(one)
                    _say(fault, one)
    finally:
        await stage.close(keep_logs=False)


def _former(fault: Fault) -> str:
    return first_with_production() if fault.is_upgrade else ""


class _Stage:
    """A set-up that runs, in a folder of its own."""

    @classmethod
    async def open(cls, former: str = "") -> "_Stage":
        stage = cls()
        stage.former = former
        stage.folder = Path(tempfile.mkdtemp(prefix="faults-"))
        stage.set_up = await asyncio.to_thread(SetUp, stage.folder, former)
        try:
            await asyncio.to_thread(stage.set_up.start)
            stage.rounds = Rounds(stage.set_up)
        except BaseException:
            await asyncio.to_thread(stage.set_up.end)
            raise
        return stage

    folder: Path
    former: str
    """The version that runs at first."""
    is_ahead = False
    """Whether its history may have times that have not come yet."""
    set_up: SetUp
    rounds: Rounds

    async def close(self, *, keep_logs: bool) -> None:
        await self.rounds.end()
        await asyncio.to_thread(self.set_up.end)
        if keep_logs:
            print(f"The logs of that set-up are in {self.folder}.", flush=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def _say(fault: Fault, one: Round) -> None:
    answers = ", ".join(f"{name}: {count}" for name, count in sorted(one.verdict.answers.items()))
    until = "" if one.until_503 is None else f", 503 after {one.until_503:.1f} s"
    gone = f", {one.verdict.gone} gone with what a backup replaced" if one.verdict.gone else ""
    print(
        f"{fault.name}: {answers}; {one.verdict.recovered} recovered{gone}; without a 202 for"
        f" {one.outage:.1f} s{until}, back after {one.back:.1f} s ({one.duration:.0f} s)",
        flush=True,
    )
    for kind, text in one.verdict.findings[:5]:
        print(f"  {kind}: {text[:1000]}", flush=True)
