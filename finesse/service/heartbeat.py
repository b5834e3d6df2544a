"""Is the service in service? The sweep stamps each part that it saw work; a stale stamp is a fault.

The stamps live in the cache, so that reading them also proves that the cache works.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

WORKER = "worker"
NOTIFICATIONS = "notifications"
PARTS = (WORKER, NOTIFICATIONS)
"""What must beat: the writer (broker, worker and database together) and the delivery."""


def _key(part: str) -> str:
    return f"heartbeat:{part}"


def stamp(part: str) -> None:
    """Say that `part` was seen to work just now."""
    cache.set(_key(part), time.time(), timeout=None)


def faults() -> dict[str, str]:
    """What is wrong, by part; empty when the service is in service. Never raises."""
    try:
        stamps = cache.get_many([_key(part) for part in PARTS])
    except Exception as error:
        logger.warning("The cache does not answer: %s", error)
        return {"cache": "does not answer"}
    found = {}
    for part in PARTS:
        beat = stamps.get(_key(part))
        if beat is None:
            found[part] = "has not started yet"
        elif (age := time.time() - beat) > settings.FINESSE_HEARTBEAT_SECONDS:
            found[part] = f"last seen to work {age:.0f} s ago"
    return found


def in_service() -> bool:
    return not faults()
