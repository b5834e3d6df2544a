"""Is the service in service? Each part that was seen to work is stamped; a stale stamp is a fault.

The sweep stamps worker and delivery; the component that stands at an XMPP server stamps that path.

The stamps live in the cache, so that reading them also proves that the cache works.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

GLANCE = 0.1
"""Seconds for which a process believes that the service is in service: what is shorter than a
heartbeat may be old by far need not be asked with every request."""
WORKER = "worker"
NOTIFICATIONS = "notifications"
PARTS = (WORKER, NOTIFICATIONS)
"""What must beat everywhere: the writer (broker, worker, database together) and the delivery."""
XMPP = "xmpp"
"""The XMPP server and the component on it."""


def parts() -> tuple[str, ...]:
    """What must beat in this installation: where there is an XMPP server, that, too."""
    return (*PARTS, XMPP) if settings.FINESSE_XMPP_SECRET else PARTS


def _key(part: str) -> str:
    return f"heartbeat:{part}"


def stamp(part: str) -> None:
    """Say that `part` was seen to work just now."""
    cache.set(_key(part), time.time(), timeout=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What the heartbeats say at one moment."""

    beats: dict[str, float]
    """When each part was last seen to work, in seconds since 1970; parts that never were miss."""
    faults: dict[str, str]
    """What is wrong, by part; empty when the service is in service."""


def pulse() -> Pulse:
    """Read the stamps. Never raises: a cache that does not answer is a fault."""
    try:
        stamps = cache.get_many([_key(part) for part in parts()])
    except Exception as error:
        logger.warning("The cache does not answer: %s", error)
        return Pulse(beats={}, faults={"cache": "does not answer"})
    beats = {part: stamps[_key(part)] for part in parts() if stamps.get(_key(part)) is not None}
    found = {}
    for part in parts():
        if part not in beats:
            found[part] = "has not started yet"
        elif (age := time.time() - beats[part]) > settings.FINESSE_HEARTBEAT_SECONDS:
            found[part] = f"last seen to work {age:.0f} s ago"
    return Pulse(beats=beats, faults=found)


def faults() -> dict[str, str]:
    """What is wrong, by part; empty when the service is in service. Never raises."""
    return pulse().faults


def in_service() -> bool:
    """Whether requests can be served, as of now or of a glance ago."""
    global _seen_in_service
    now = time.monotonic()
    if now - _seen_in_service < GLANCE:
        return True
    if faults():
        return False
    _seen_in_service = now
    return True


_seen_in_service = float("-inf")
