"""**The table of faults.** Each has a begin and an end; between them clients go on."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from finesse import readiness
from tests.faults.set_up import SetUp, first_with_production
from tests.faults.stores import until

SHORT_SECONDS = 0.5
LONG_SECONDS = 4.0
"""Longer than a heartbeat may be old, and than a transaction may stand still."""
CUT_SECONDS = 6.0
"""Longer than connections to PostgreSQL are kept without an answer."""
DELAY_SECONDS = 0.05
"""Of everything that is sent to a slow service, and of its answers."""
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
BOTH_WORKERS = ("worker-0", "worker-1")
BOTH_BEATS = ("beat-0", "beat-1")
BOTH_COMPONENTS = ("component-0", "component-1")
BOTH_SERVERS = ("web-0", "web-1")

During = Callable[[SetUp], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    name: str
    during: During
    """Entering it is the fault's begin, leaving it is its end, as soon as it can be seen."""
    seconds: float = 0
    """For how long it lasts."""
    prepare: Callable[[SetUp], None] = lambda set_up: None
    """Before the clients begin."""
    is_short: bool = False
    """Of the short form, too."""
    by_the_clock: bool = True
    """Whether times of day follow one another."""
    cuts_postgresql: bool = False
    """A 503 may then be applied nevertheless (docs/api.md)."""
    is_begun_slowly: bool = False
    """Nothing is broken until it has begun completely: times count from then on."""
    is_upgrade: bool = False
    """The first version with `make production` runs at first, in a set-up of its own each round."""
    impossible: Callable[[SetUp], str] = lambda set_up: ""
    """Why this machine cannot have it; empty if it can."""


# --- processes -----------------------------------------------------------------------------------


def killed(*names: str) -> During:
    """kill -9. It ends when the supervisor has started them again, and they work."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        former = {name: set_up.kill_process(name) for name in names}
        yield
        for name, pid in former.items():
            set_up.await_process(name, pid)

    return during


def stopped(*names: str) -> During:
    """SIGSTOP."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        for name in names:
            set_up.signal(name, signal.SIGSTOP)
        yield
        for name in names:
            set_up.signal(name, signal.SIGCONT)

    return during


@contextmanager
def component_killed(set_up: SetUp) -> Iterator[None]:
    """Of two: the one that is connected."""
    with killed(set_up.connected_component())(set_up):
        yield


@contextmanager
def component_stopped(set_up: SetUp) -> Iterator[None]:
    """Of two: the one that is connected, and the other cannot know."""
    with stopped(set_up.connected_component())(set_up):
        yield


@contextmanager
def prosody_killed(set_up: SetUp) -> Iterator[None]:
    set_up.kill("xmpp")
    yield
    set_up.start_xmpp_server()


@contextmanager
def rolling_restart(set_up: SetUp) -> Iterator[None]:
    """As an upgrade does it: all processes, one after another, under load."""
    yield
    done = set_up.command("restart")
    assert done.returncode == 0, done.stderr
    set_up.until_all_work()


@contextmanager
def upgraded(set_up: SetUp) -> Iterator[None]:
    """As docs/operations.md says: migrated while the old version serves, which then serves on with
    the new tables, until one process after another is restarted with the new files."""
    set_up.migrate()
    yield
    set_up.install()
    done = set_up.command("restart")
    assert done.returncode == 0, done.stderr
    set_up.until_all_work()


def other_clock(offset: str) -> During:
    """A third worker, whose clock is set otherwise, applies requests beside the two."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        environment = set_up.environment
        mark = readiness.mark(set_up.folder, "odd")
        set_up.environment = {
            **environment,
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME": offset,
            "DONT_FAKE_MONOTONIC": "1",
            readiness.FOLDER_VARIABLE: str(mark.parent),
            readiness.NAME_VARIABLE: mark.name,
        }
        celery = [sys.executable, "-m", "celery", "-A", "finesse", "worker", "-c", "1"]
        try:
            set_up._start("odd", [*celery, "-n", f"odd-{set_up.name}@localhost"])
        finally:
            set_up.environment = environment
        until(mark.exists, "no third worker")
        # Alone for a while, then beside the others.
        for name in BOTH_WORKERS:
            set_up.signal(name, signal.SIGSTOP)
        time.sleep(SHORT_SECONDS)
        for name in BOTH_WORKERS:
            set_up.signal(name, signal.SIGCONT)
        yield
        set_up.kill("odd")
        mark.unlink()

    return during


# --- stores --------------------------------------------------------------------------------------


def store_killed(name: str) -> During:
    """kill -9, and started again after a while."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        set_up.stores[name].kill()
        yield
        set_up.stores[name].start()

    return during


def store_stopped(name: str) -> During:
    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        set_up.stores[name].stop()
        yield
        set_up.stores[name].go_on()

    return during


def network_gone(name: str) -> During:
    """Connections end, and new ones are refused."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        set_up.stores[name].network.be_gone()
        yield
        set_up.stores[name].network.come_back()

    return during


def reset(name: str) -> During:
    """Each quarter of a second all connections end by a RST."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        for _ in range(3):
            set_up.stores[name].network.reset()
            time.sleep(0.25)
        set_up.stores[name].network.reset()
        yield

    return during


def half_open(name: str) -> During:
    """Today's connections are dead and nobody is told; new ones work."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        set_up.stores[name].network.forget()
        yield

    return during


def slow(name: str) -> During:
    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        set_up.stores[name].network.delay(DELAY_SECONDS)
        yield
        set_up.stores[name].network.delay(0)

    return during


def wire_cut(name: str) -> During:
    """Nothing arrives from the service's machine or at it, and nobody is told."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        wire = set_up.wire_of(name)
        wire.cut()
        yield
        wire.mend()

    return during


def wire_flaps(name: str) -> During:
    """Packets are lost half of the time."""

    @contextmanager
    def during(set_up: SetUp) -> Iterator[None]:
        wire = set_up.wire_of(name)
        wire.flap()
        yield
        wire.steady()

    return during


@contextmanager
def fails_over(set_up: SetUp) -> Iterator[None]:
    """The primary is killed; its replica, for which each commit has waited, takes over."""
    set_up.postgresql.kill()
    yield
    set_up.postgresql.fail_over()


@contextmanager
def disk_full(set_up: SetUp) -> Iterator[None]:
    set_up.postgresql.fill_disk()
    yield
    set_up.postgresql.empty_disk()


@contextmanager
def restored(set_up: SetUp) -> Iterator[None]:
    """Back to a backup that was made under the load, some seconds ago."""
    begun, position = set_up.back_up()
    yield
    set_up.go_back(begun, position)
    assert set_up.restored
    assert set_up.restored.gone, "the restore has undone nothing"


# --- messages ------------------------------------------------------------------------------------


@contextmanager
def messages_lost(set_up: SetUp) -> Iterator[None]:
    """The queue is emptied again and again."""
    end = time.monotonic() + LONG_SECONDS
    while time.monotonic() < end:
        set_up.rabbitmq.purge(set_up.name)
        time.sleep(0.01)
    yield


@contextmanager
def messages_doubled(set_up: SetUp) -> Iterator[None]:
    """Two writers are called at once, far more often than there is something to do."""
    for _ in range(10):
        set_up.repeat_messages(5)
        time.sleep(0.1)
    yield


def _without_history(set_up: SetUp) -> str:
    return "" if first_with_production() else "there is no history to take a former version from"


def _without_mount(set_up: SetUp) -> str:
    return "" if set_up.postgresql.can_be_full else "a small disk cannot be mounted"


def _without_faketime(set_up: SetUp) -> str:
    return "" if FAKETIME and shutil.which("faketime") else "libfaketime is not installed"


def _of_store(name: str) -> list[Fault]:
    found = [
        Fault(
            name=f"{name}: connections reset",
            during=reset(name),
            is_short=name == "PostgreSQL",
        ),
        Fault(name=f"{name}: connections half-open", during=half_open(name), seconds=2),
        Fault(name=f"{name}: slow", during=slow(name), seconds=3),
        Fault(
            name=f"{name}: wire cut",
            during=wire_cut(name),
            seconds=CUT_SECONDS,
            impossible=lambda set_up: set_up.without_wires,
        ),
        Fault(
            name=f"{name}: wire flaps",
            during=wire_flaps(name),
            seconds=LONG_SECONDS,
            impossible=lambda set_up: set_up.without_wires,
        ),
        Fault(name=f"{name}: unreachable", during=network_gone(name), seconds=3),
        Fault(name=f"{name}: stands still", during=store_stopped(name), seconds=LONG_SECONDS),
        Fault(
            name=f"{name}: kill -9, started again",
            during=store_killed(name),
            seconds=1,
            is_short=name != "RabbitMQ",
        ),
    ]
    return [replace(one, cuts_postgresql=name == "PostgreSQL") for one in found]


FAULTS = [
    Fault(name="none", during=lambda set_up: _nothing(), seconds=3),
    Fault(name="worker: kill -9", during=killed("worker-0"), is_short=True),
    Fault(name="both workers: kill -9", during=killed(*BOTH_WORKERS)),
    Fault(name="web: kill -9", during=killed("web-0"), is_short=True),
    Fault(name="both web: kill -9", during=killed(*BOTH_SERVERS)),
    Fault(name="sockets: kill -9", during=killed("sockets-0"), is_short=True),
    Fault(name="beat: kill -9", during=killed("beat-0")),
    Fault(name="both beats: kill -9", during=killed(*BOTH_BEATS)),
    Fault(name="component: kill -9, of the connected one", during=component_killed),
    Fault(name="both components: kill -9", during=killed(*BOTH_COMPONENTS)),
    Fault(name="Prosody: kill -9, started again", during=prosody_killed, seconds=1),
    Fault(name="worker: SIGSTOP, short", during=stopped("worker-0"), seconds=SHORT_SECONDS),
    Fault(name="worker: SIGSTOP, long", during=stopped("worker-0"), seconds=LONG_SECONDS),
    Fault(
        name="both workers: SIGSTOP, short", during=stopped(*BOTH_WORKERS), seconds=SHORT_SECONDS
    ),
    Fault(
        name="both workers: SIGSTOP, long",
        during=stopped(*BOTH_WORKERS),
        seconds=LONG_SECONDS,
        is_short=True,
    ),
    Fault(name="web: SIGSTOP, short", during=stopped("web-0"), seconds=SHORT_SECONDS),
    Fault(name="web: SIGSTOP, long", during=stopped("web-0"), seconds=LONG_SECONDS),
    Fault(name="sockets: SIGSTOP, short", during=stopped("sockets-0"), seconds=SHORT_SECONDS),
    Fault(name="sockets: SIGSTOP, long", during=stopped("sockets-0"), seconds=LONG_SECONDS),
    Fault(name="both beats: SIGSTOP, long", during=stopped(*BOTH_BEATS), seconds=LONG_SECONDS),
    Fault(
        name="component: SIGSTOP, long, of the connected one",
        during=component_stopped,
        seconds=LONG_SECONDS,
    ),
    *_of_store("PostgreSQL"),
    *_of_store("Redis"),
    *_of_store("RabbitMQ"),
    Fault(name="messages lost", during=messages_lost),
    Fault(name="messages doubled", during=messages_doubled, seconds=0.5, is_short=True),
    Fault(
        name="PostgreSQL: failover to its replica",
        prepare=lambda set_up: set_up.postgresql.add_replica(),
        during=fails_over,
        cuts_postgresql=True,
        seconds=1,
    ),
    Fault(
        name="PostgreSQL: disk full",
        during=disk_full,
        is_begun_slowly=True,
        cuts_postgresql=True,
        seconds=3,
        impossible=_without_mount,
    ),
    Fault(
        name="clock of a worker an hour behind",
        during=other_clock("-3600s"),
        seconds=2,
        by_the_clock=False,
        impossible=_without_faketime,
    ),
    Fault(
        name="clock of a worker an hour ahead",
        during=other_clock("+3600s"),
        seconds=2,
        by_the_clock=False,
        impossible=_without_faketime,
    ),
    Fault(name="rolling restart", during=rolling_restart),
    Fault(name="PostgreSQL: restored from a backup", during=restored, seconds=3),
    Fault(
        name="upgrade",
        is_upgrade=True,
        during=upgraded,
        seconds=5,
        impossible=_without_history,
    ),
]


@contextmanager
def _nothing() -> Iterator[None]:
    yield
