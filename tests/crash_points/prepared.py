"""A process that has loaded the service, and forks a copy of itself for each run.

It reads runs from its input, one JSON object a line, and answers each with how the copy ended. The
copy does what a process of the service does, and is killed where it is told to be. A copy starts
with nothing open: no connection to the database, the cache, the broker or the channel layer.
"""

import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from celery import current_app
from channels.layers import channel_layers
from django.conf import settings
from django.core.cache import caches
from django.db import connections

from finesse import heartbeat, service_watch
from finesse.notifications.transports import channels
from finesse.users import remembered
from media import tasks
from media.writing import bell
from tests.crash_points import breaking, recorder, scenarios
from tests.crash_points.journal import journal
from tests.crash_points.points import hook, points


def main() -> None:
    # As tests/conftest.py has it: each heartbeat is read, and no thread of the bell makes the
    # number of a point a matter of luck.
    heartbeat.IN_SERVICE_CACHE_SECONDS = 0.0
    service_watch.start = lambda: None
    bell.ring_soon = lambda: bell.ring()
    tasks.BATCH_INTERVAL_SECONDS = 0.0
    settings.FINESSE_TRANSPORTS |= {recorder.NAME: recorder.PATH}
    hook()
    _warm_up()
    # Copies share what is there now, as long as nobody writes to it.
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        print(_ended(json.loads(line)), flush=True)


def _warm_up() -> None:
    """Do everything once: copies then find all modules loaded and all statements compiled, which
    takes four times as long as a scenario. The caller puts the database in order again."""
    journal.open(Path(os.devnull))
    ring, bell.ring = bell.ring, lambda: None
    clients = scenarios.Clients()
    scenarios.be_in_service()
    for name in scenarios.SCENARIOS:
        scenarios.play(name, clients)
        scenarios.recover(name, clients)
    bell.ring = ring
    # Loads the broker's client, and connects to nothing.
    assert current_app.connection_for_write().transport
    assert current_app.backend
    connections.close_all()
    caches.close_all()
    remembered._until.clear()
    # The copies make a loop and a layer of their own. These stay as they are, and are never used.
    _never_used_again.append((channels._own_loop(), dict(channel_layers.backends)))
    channels._own_loop.cache_clear()
    channel_layers.backends.clear()


_never_used_again: list[Any] = []


def _ended(asked: dict[str, Any]) -> int:
    """The exit code of a copy; that of one that was killed is negative."""
    copy = os.fork()
    if copy == 0:
        try:
            _run(asked)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    _, status = os.waitpid(copy, 0)
    return os.waitstatus_to_exitcode(status)


def _run(asked: dict[str, Any]) -> None:
    journal.open(Path(asked["journal"]))
    # A name for each run, which its recovery shares: a Redis outlives the process.
    caches["default"].key_prefix = asked["cache"]
    breaking.BREAKS[asked["broken"]]()
    clients = scenarios.Clients()
    if not asked["is_recovery"]:
        scenarios.be_in_service()
    points.arm(asked["fatal"], every=asked["every"])
    act = scenarios.recover if asked["is_recovery"] else scenarios.play
    act(asked["scenario"], clients)
    journal.note("end", boundaries=points.boundaries, passed=points.passed, unseen=points.unseen)
