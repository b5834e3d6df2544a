"""What several processes count is added up; what a killed one had open is gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from finesse import running
from finesse.metrics import counters, exposition, process_files, timing
from tests.kit.installation import ROOT
from tests.metrics.read import samples

COUNTING = """
import os, sys
from finesse.metrics import counters
{before}
counters.answers.labels("api", "202").inc(int(sys.argv[1]))
counters.sockets.labels("viewer").inc(int(sys.argv[1]))
counters.answer_seconds.labels("api").observe(0.003)
{more}
print("ready", flush=True)
sys.stdin.read()
"""
OF_THE_DEAD = """
import shutil
from finesse import running
for file in running.folder().glob("*_{name}.db"):
    shutil.copy(file, file.with_name(file.name.replace("{name}", running.name())))
    file.unlink()
"""
FORKING = """
if not os.fork():
    counters.answers.labels("api", "202").inc(100)
    counters.sockets.labels("viewer").inc(100)
    sys.stdin.read()
    os._exit(0)
os.wait()
"""

LATE_THREAD = """
import threading
from finesse import running
from finesse.metrics import process_files

at_the_lock, main_has_counted = threading.Event(), threading.Event()
folder_locked = running.folder_locked

def late():
    if threading.current_thread() is not threading.main_thread():
        at_the_lock.set()
        main_has_counted.wait()
    return folder_locked()

running.folder_locked = late
thread = threading.Thread(target=process_files.join)
thread.start()
at_the_lock.wait()
"""
LATE_THREAD_GOES_ON = """
main_has_counted.set()
thread.join()
counters.answers.labels("api", "202").inc(10)
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For the processes of this test, and not for this one."""
    settings.FINESSE_RUN_DIR = tmp_path / "run"
    return tmp_path / "run"


class Counting:
    def __init__(self, folder: Path, number: int, more: str = "", before: str = "") -> None:
        environment = {
            **os.environ,
            "FINESSE_RUN_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", COUNTING.format(more=more, before=before), str(number)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ready(self) -> "Counting":
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture
def two(folder: Path) -> Iterator[tuple[Counting, Counting]]:
    both = Counting(folder, 3), Counting(folder, 4)
    for one in both:
        one.ready()
    yield both
    for one in both:
        one.kill()


def seen() -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(exposition.Processes())
    return samples(generate_latest(registry).decode())


ANSWERS = ("finesse_answers_total", "api", "202")
ERRORS = ("finesse_answers_total", "api", "500")
SOCKETS = ("finesse_sockets", "viewer")
QUICK = ("finesse_answer_seconds_bucket", "api", "0.005")


BEGINNING = """
from finesse.metrics import timing
counters.begin_subscriptions()
timing.note_answer("api", 202, 0.001)
timing.count_noted()
"""
NOTING = """
from finesse.metrics import timing
timing.note_answer("api", 202, 0.003)
timing.note_answer("api", 500, 0.004)
"""
FORKING_WITH_NOTES = (
    NOTING
    + """
if not os.fork():
    timing.count_noted()
    os._exit(0)
os.wait()
timing.count_noted()
"""
)


def test_what_alerts_look_at_is_there_before_it_happens(folder: Path) -> None:
    """A series that appears with a number has neither a rate nor an increase."""
    process = Counting(folder, 1, more=BEGINNING).ready()
    try:
        found = seen()
    finally:
        process.kill()
    assert found[ERRORS] == 0
    for start in ("live", "replayed", "reset", "restored"):
        assert found["finesse_subscriptions_total", start] == 0


def test_what_a_process_has_noted_is_counted_at_its_end(folder: Path) -> None:
    process = Counting(folder, 1, more=NOTING).ready()
    assert seen()[ANSWERS] == 1
    process.end()
    found = seen()
    assert (found[ANSWERS], found[ERRORS], found[QUICK]) == (2, 1, 3)


def test_a_forked_process_does_not_count_what_its_parent_has_noted(folder: Path) -> None:
    process = Counting(folder, 1, more=FORKING_WITH_NOTES).ready()
    try:
        found = seen()
    finally:
        process.kill()
    assert (found[ANSWERS], found[ERRORS]) == (2, 1)


def test_many_seconds_counted_at_once_are_what_each_alone_would_be() -> None:
    seconds = [0.0, 0.005, 0.0051, 0.3, 10.0, 10.1, 3600.0]
    for one in seconds:
        counters.apply_seconds.labels("alone").observe(one)
    timing.count_applied("at once", seconds)
    found = seen()

    def of(subject: str) -> dict[tuple[str, ...], float]:
        return {
            tuple(part for part in key if part != subject): number
            for key, number in found.items()
            if subject in key
        }

    assert of("alone") == of("at once")
    assert of("alone")["finesse_apply_seconds_bucket", "0.01"] == 3
    assert of("alone")["finesse_apply_seconds_count",] == len(seconds)


def test_two_processes_are_added_up(two: tuple[Counting, Counting]) -> None:
    found = seen()
    assert (found[ANSWERS], found[SOCKETS], found[QUICK]) == (7, 7, 2)
    assert sum(number for key, number in found.items() if key[0] == "finesse_processes") == 2


def test_of_a_killed_process_the_counts_stay_and_the_sockets_go(
    two: tuple[Counting, Counting], folder: Path
) -> None:
    two[0].kill()
    for _ in range(2):
        found = seen()
        assert (found[ANSWERS], found[SOCKETS], found[QUICK]) == (7, 4, 2)
    two[1].kill()
    found = seen()
    assert (found[ANSWERS], found[QUICK]) == (7, 2)
    assert SOCKETS not in found
    # However many processes come and go, their files do not pile up.
    assert {file.name for file in folder.glob("*.db")} == {"counter_ended.db", "histogram_ended.db"}
    assert not list(folder.glob("*.mark"))


def test_a_process_that_gets_the_id_of_one_that_has_ended_begins_with_no_sockets(
    folder: Path,
) -> None:
    first = Counting(folder, 3).ready()
    first.kill()
    (file,) = folder.glob("counter_*.db")
    name = file.stem.rpartition("_")[2]
    second = Counting(folder, 4, before=OF_THE_DEAD.format(name=name)).ready()
    found = seen()
    second.kill()
    assert (found[ANSWERS], found[SOCKETS]) == (7, 4)


def test_a_forked_child_counts_for_itself(folder: Path) -> None:
    counting = Counting(folder, 1, FORKING)
    assert counting.process.stdin is not None
    counting.end()
    found = seen()
    assert found[ANSWERS] == 101
    assert SOCKETS not in found


def test_two_threads_that_count_first_lose_nothing(folder: Path) -> None:
    counting = Counting(folder, 3, LATE_THREAD_GOES_ON, LATE_THREAD).ready()
    found = seen()
    counting.kill()
    assert (found[ANSWERS], found[SOCKETS]) == (13, 3)


def test_where_nothing_can_be_kept_nothing_fails(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    (tmp_path / "file").touch()
    settings.FINESSE_RUN_DIR = tmp_path / "file" / "run"
    monkeypatch.setattr(process_files, "_joined", "")
    monkeypatch.setattr(running, "_held", None)
    lost = process_files.Value("counter", "a", "a_total", (), (), "")
    lost.inc(1)
    running.show_life()
    assert "Metrics cannot be kept" in caplog.text
    assert seen() == {}


def test_a_disk_without_room_is_noticed_before_memory_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda file, content: len(content) // 2)
    with pytest.raises(OSError, match="No space left"):
        process_files._make_room(tmp_path / "counter_x-1.db")
    assert not list(tmp_path.iterdir())


def test_files_of_a_process_are_for_its_user_alone(folder: Path) -> None:
    Counting(folder, 1).ready().kill()
    seen()
    assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}
    assert folder.stat().st_mode & 0o077 == 0


def test_every_label_has_few_values() -> None:
    """A user, an address or a requestId as a label would fill the memory of all who read it."""
    labels = {
        name
        for metric in vars(counters).values()
        if hasattr(metric, "_labelnames")
        for name in metric._labelnames
    }
    assert labels == {
        "kind",
        "status",
        "subject",
        "transport",
        "task",
        "table",
        "start",
        "state",
        "result",
    }
