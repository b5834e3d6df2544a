"""The watch of a server process, for which nobody waits: it looks at heartbeats, cache, database.

A request, SystemInfo and /healthz take from memory what the watch has seen last. So they answer in
time though the cache or the database stands still, and no request waits for what the watch has
found standing still. Between two looks it counts the answers that requests have noted.
"""

import logging
import os
import threading
import time
from functools import cache as cache_result

from django.db import DatabaseError, InterfaceError, connection

from finesse import heartbeat, wait_limit
from finesse.metrics import timing

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
"""Pause between two looks."""
ANSWER_SECONDS = 1.0
"""Time in which the cache or the database has to answer a look. A machine with ten times as many
runnable processes as cores takes a tenth of that."""


def start() -> None:
    """Start the watch, once in each process. Cheap enough for each request."""
    _start(os.getpid())


@cache_result
def _start(process: int) -> None:
    """Not before the first request: a forked child needs a thread of its own."""
    threading.Thread(target=_watch, name="watch", daemon=True).start()


def _watch() -> None:
    while True:
        try:
            timing.count_noted()
            look()
        except Exception:
            # Requests look themselves when this has seen nothing for a while.
            logger.exception("The watch could not look; it will try again")
        time.sleep(LOOK_SECONDS)


def look() -> None:
    """Look once at everything."""
    # What is known first is noted first: another may stand still.
    with wait_limit.bounded(ANSWER_SECONDS, is_probe=True):
        pulse = heartbeat.read()
    _note(wait_limit.CACHE, answers=wait_limit.CACHE not in pulse.faults)
    heartbeat.note(pulse)
    _note(wait_limit.DATABASE, answers=database_answers())
    heartbeat.log_change(heartbeat.pulse().faults)


def _note(service: str, *, answers: bool) -> None:
    if answers:
        wait_limit.standing_still.discard(service)
    else:
        wait_limit.standing_still.add(service)


def database_answers() -> bool:
    """Whether the database answers this thread in time."""
    with wait_limit.bounded(ANSWER_SECONDS, is_probe=True):
        # If PostgreSQL was restarted, the first attempt shows only that the connection is dead.
        return _database_answers() or _database_answers()


def _database_answers() -> bool:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close()
        return False
    return True
