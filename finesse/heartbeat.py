"""Whether the service is in service: each working part leaves a stamp, and a stale one is a fault.

Each task stamps the worker and the delivery of notifications; the sweep also stamps itself, since
only beat calls it; the component of an XMPP server stamps the path by that server. The stamps are
in the cache, so reading them also proves that the cache works.

No two machines' clocks are compared. A stamp expires in the cache; and since the cache's clock may
be set, too, a stamp that does not change is stale by the reader's own monotonic clock.

In a server process the watch reads the stamps (`finesse.service_watch`), and requests take from
memory what it has noted. Other processes read the stamps each time.
"""

import logging
import time
import uuid
from dataclasses import dataclass
from logging import DEBUG, WARNING
from math import ceil
from time import monotonic as _monotonic

from django.conf import settings
from django.core.cache import cache

from finesse import wait_limit

logger = logging.getLogger(__name__)

IN_SERVICE_CACHE_SECONDS = 0.1
"""How long a process relies on having found the service in service: much shorter than the age that
a heartbeat may have, but requests need not read the cache each."""
NOTED_SECONDS = 3.0
"""What the watch has noted is relied on for so long: longer than a look takes while cache and
database stand still."""
WORKER = "worker"
NOTIFICATIONS = "notifications"
SWEEP = "sweep"
"""Beat, and what it calls for: without it nobody absent is signed out, and nothing is pruned."""
PARTS = (WORKER, NOTIFICATIONS, SWEEP)
"""The parts of every installation: the writer (with broker and database), the delivery, beat."""
NOT_STARTED = "has not started yet"
XMPP = "xmpp"
"""The XMPP server and the component on it."""


def parts() -> tuple[str, ...]:
    """The parts of this installation, with the XMPP server if it has one."""
    return (*PARTS, XMPP) if settings.FINESSE_XMPP_SECRET else PARTS


def clock() -> float:
    """Seconds, of this process alone."""
    return time.monotonic()


def _key(part: str) -> str:
    return f"heartbeat:{part}"


def _stamp_key(part: str) -> str:
    return f"stamp:{part}"


def stamp(part: str) -> None:
    """Record that `part` works now."""
    # The cache counts whole seconds; readers count the rest.
    cache.set(_stamp_key(part), uuid.uuid4().hex, timeout=ceil(settings.FINESSE_HEARTBEAT_SECONDS))
    # When, to be shown. After the stamp, without which the part would seem to have stopped.
    cache.set(_key(part), time.time(), timeout=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The heartbeats and the faults at one moment."""

    beats: dict[str, float]
    """When each part last worked, in seconds since 1970 by that part's clock; parts that have never
    worked are missing."""
    faults: dict[str, str]
    """What is wrong, by part; empty when the service is in service."""


class _Stamps:
    """The stamps that this process has seen, and since when."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def age(self, part: str, stamp: str) -> float:
        """Seconds for which this part has had this stamp, as far as this process knows."""
        seen, since = self._seen.get(part, ("", 0.0))
        now = clock()
        if seen == stamp:
            return now - since
        self._seen[part] = stamp, now
        return 0.0


_stamps = _Stamps()


def note(pulse: Pulse) -> None:
    """What the watch of this process has read."""
    global _noted, _noted_at
    _noted, _noted_at = pulse, _monotonic()


def noted() -> Pulse | None:
    """What the watch of this process has noted lately, with what it knows of the database."""
    if _noted is None or _monotonic() - _noted_at > NOTED_SECONDS:
        return None
    if wait_limit.DATABASE not in wait_limit.standing_still:
        return _noted
    faults = {wait_limit.DATABASE: "does not answer", **_noted.faults}
    return Pulse(beats=_noted.beats, faults=faults)


_noted: Pulse | None = None
_noted_at = float("-inf")


def pulse() -> Pulse:
    """What the watch has noted, or else the stamps as they are now. Never raises."""
    return noted() or read()


def read() -> Pulse:
    """Read the stamps. Never raises: a cache that does not answer is a fault."""
    global _is_cache_there
    try:
        found = cache.get_many([key(part) for part in parts() for key in (_key, _stamp_key)])
    except Exception as error:
        # Once an outage, not with every look.
        logger.log(WARNING if _is_cache_there else DEBUG, "The cache does not answer: %s", error)
        _is_cache_there = False
        return Pulse(beats={}, faults={wait_limit.CACHE: "does not answer"})
    _is_cache_there = True
    beats = {part: found[_key(part)] for part in parts() if _key(part) in found}
    found_faults = {}
    limit = settings.FINESSE_HEARTBEAT_SECONDS
    for part in parts():
        stamp = found.get(_stamp_key(part))
        if part not in beats:
            found_faults[part] = NOT_STARTED
        elif stamp is None or _stamps.age(part, stamp) > limit:
            found_faults[part] = f"not seen to work for {limit:g} s"
    return Pulse(beats=beats, faults=found_faults)


_is_cache_there = True
"""Whether it answered the last time."""


def faults() -> dict[str, str]:
    """What is wrong, by part; empty when the service is in service. Never raises."""
    found = pulse().faults
    log_change(found)
    return found


def log_change(found: dict[str, str]) -> None:
    """Log it when the service goes out of service, for other parts than before, or is back.

    One line for each change in this process: the requests of an outage have none.
    """
    global _logged_faults
    # While it starts, one part after the other begins to work.
    is_starting = set(found.values()) == {NOT_STARTED}
    if (faulty := frozenset(["start"] if is_starting else found)) == _logged_faults:
        return
    _logged_faults = faulty
    said = "; ".join(f"{part}: {fault}" for part, fault in found.items())
    if is_starting:
        logger.info("Not in service yet: %s", said)
    elif found:
        logger.error("Out of service: %s", said)
    else:
        logger.info("In service")


_logged_faults: frozenset[str] = frozenset()
"""The parts of the last line, which was the one of all requests since."""


def in_service() -> bool:
    """Whether requests can be served, as of the watch's last look.

    Without a watch, as of now or IN_SERVICE_CACHE_SECONDS ago.
    """
    global _seen_in_service
    seen = noted()
    if seen is not None:
        return not seen.faults
    now = _monotonic()
    if now - _seen_in_service < IN_SERVICE_CACHE_SECONDS:
        return True
    if faults():
        return False
    _seen_in_service = now
    return True


_seen_in_service = float("-inf")
