"""The bell: a message that calls a worker when requests are pending.

It may be lost: it only saves time, since the sweep looks for pending requests every half second.

In a server process a thread rings for all requests that were accepted since it rang last. Asking
Redis for each of them took a third of a PUT's CPU (docs/decisions/writing.md, 134), and a request
waited for it, and for the broker.
"""

import logging
import os
import threading
import time
from functools import cache as cache_result

from celery import current_app
from django.conf import settings
from django.core.cache import cache

from finesse import wait_limit

logger = logging.getLogger(__name__)

BELL_KEY = "bell"
BELL_SECONDS = 2
"""For so long, or until a worker clears it, a bell counts as rung: requests need no message."""
GATHERING_SECONDS = 0.01
"""Pause of a process between two bells, which is less than a worker's between two batches. After a
longer silence the bell rings at once."""
APPLY_REQUESTS = "media.tasks.apply_requests"
"""The task's name: its module stands in a layer above this one."""


def ring() -> None:
    """Call a worker, unless one has been called already. Never raises."""
    try:
        if cache.add(BELL_KEY, 1, BELL_SECONDS) and _has_time():
            with wait_limit.waiting():
                _send()
    except Exception as error:
        logger.warning("The bell did not ring; the sweep will apply the request: %s", error)


def ring_soon() -> None:
    """Ring for a request that is committed; a thread that serves requests does not wait for it."""
    if wait_limit.left(wait_limit.BROKER) is None:
        ring()
        return
    try:
        _start_ringing(os.getpid())
    except RuntimeError:
        # The system has no more threads.
        ring()
    else:
        if not _wanted.is_set():
            _wanted.set()


_wanted = threading.Event()


@cache_result
def _start_ringing(process: int) -> None:
    """Start the thread once in each process: a forked child needs its own."""
    threading.Thread(target=_keep_ringing, name="bell", daemon=True).start()


def _keep_ringing() -> None:
    while True:
        _wanted.wait()
        # First: what is accepted while the bell rings may be too late for it.
        _wanted.clear()
        with wait_limit.bounded():
            ring()
        time.sleep(GATHERING_SECONDS)


def clear() -> None:
    """Let the next request ring again. To be called before the pending requests are read."""
    cache.delete(BELL_KEY)


def _has_time() -> bool:
    """Whether there is time left to wait for a connection to a broker that stands still."""
    left = wait_limit.left(wait_limit.BROKER)
    return left is None or left > settings.CELERY_BROKER_CONNECTION_TIMEOUT


def _send() -> None:
    current_app.send_task(APPLY_REQUESTS, retry=False)
