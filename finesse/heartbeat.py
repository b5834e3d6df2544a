"""Whether the service is in service: each working part leaves a stamp, and a stale one is a fault.

Each task stamps the worker and the delivery of notifications; the sweep also stamps itself, since
only beat calls it; the component of an XMPP server stamps the path by
that server. The stamps are in the cache, so reading them also proves that the
cache works.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

IN_SERVICE_CACHE_SECONDS = 0.1
"""How long a process relies on having found the service in service: much shorter than the age that
a heartbeat may have, but requests need not read the cache each."""
WORKER = "worker"
NOTIFICATIONS = "notifications"
SWEEP = "sweep"
"""Beat, and what it calls for: without it nobody absent is signed out, and nothing is pruned."""
PARTS = (WORKER, NOTIFICATIONS, SWEEP)
"""The parts of every installation: the writer (with broker and database), the delivery, beat."""
XMPP = "xmpp"
"""The XMPP server and the component on it."""


def parts() -> tuple[str, ...]:
    """The parts of this installation, with the XMPP server if it has one."""
    return (*PARTS, XMPP) if settings.FINESSE_XMPP_SECRET else PARTS


def _key(part: str) -> str:
    return f"heartbeat:{part}"


def stamp(part: str) -> None:
    """Record that `part` works now."""
    cache.set(_key(part), time.time(), timeout=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The heartbeats and the faults at one moment."""

    beats: dict[str, float]
    """When each part last worked, in seconds since 1970; parts without a stamp are missing."""
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
    """Whether requests can be served, as of now or IN_SERVICE_CACHE_SECONDS ago."""
    global _seen_in_service
    now = time.monotonic()
    if now - _seen_in_service < IN_SERVICE_CACHE_SECONDS:
        return True
    if faults():
        return False
    _seen_in_service = now
    return True


_seen_in_service = float("-inf")
