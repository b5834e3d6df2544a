"""The bell: a message that calls a worker when requests are pending.

It may be lost: it only saves time, since the sweep looks for pending requests every half second.
"""

import logging

from celery import current_app
from django.conf import settings
from django.core.cache import cache

from finesse import wait_limit

logger = logging.getLogger(__name__)

BELL_KEY = "bell"
BELL_SECONDS = 2
"""For so long, or until a worker clears it, a bell counts as rung: requests need no message."""
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


def clear() -> None:
    """Let the next request ring again. To be called before the pending requests are read."""
    cache.delete(BELL_KEY)


def _has_time() -> bool:
    """Whether the request can still wait for a connection to a broker that stands still."""
    left = wait_limit.left(wait_limit.BROKER)
    return left is None or left > settings.CELERY_BROKER_CONNECTION_TIMEOUT


def _send() -> None:
    current_app.send_task(APPLY_REQUESTS, retry=False)
