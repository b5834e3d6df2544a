"""The bell: calls a worker when requests wait. It only makes things fast, since the sweep looks for
them anyway; it may be lost."""

import logging

from celery import current_app
from django.core.cache import cache

logger = logging.getLogger(__name__)

BELL = "bell"
BELL_SECONDS = 2
"""How long a bell counts as rung: a request accepted meanwhile needs no message."""
APPLY_REQUESTS = "media.tasks.apply_requests"
"""By its name, as the tasks stand above whatever rings."""


def ring() -> None:
    """Announce pending requests. Fails silently."""
    try:
        if cache.add(BELL, 1, BELL_SECONDS):
            _send()
    except Exception as error:
        logger.warning("The bell did not ring, the sweep will find the request: %s", error)


def clear() -> None:
    """Let the next request ring anew: call it before the pending requests are read."""
    cache.delete(BELL)


def _send() -> None:
    current_app.send_task(APPLY_REQUESTS, retry=False)
