"""Is a user still there? Signs of life, and whose have ended.

Connected clients and API calls stamp their user in the cache; the sweep looks for the users that
are watched and have no stamp of the last FINESSE_PRESENCE_SECONDS [Desktop Presence and Forced
Logout]. Watched is whoever's XMPP client has come with available presence: a program that only
calls the API has never promised to stay.

There is one clock, the sweep's: it writes its time into the cache, and a stamp is a copy of that.
The servers' own clocks are not asked. Those of several workers have to agree within half of the
setting; where they do not, nobody is signed out.

An outage signs nobody out. When no sweep ran for half of the setting, the service was out of
service or the cache came back empty, everybody watched gets the whole time again. A stamp that
the cache has lost counts from when that was seen.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Collection, Mapping
from functools import cache as cache_result
from queue import Empty, SimpleQueue

from django.conf import settings
from django.core.cache import cache

from finesse.presence.models import Watched

logger = logging.getLogger(__name__)

NOW = "presence:now"
"""The cache's key of the sweep's time, in milliseconds since 1970 like all times here."""
DUE = "presence:due"
"""The cache's key of the time before which nobody can be found absent."""
LONGEST_INTERVAL = 10.0
REMEMBERED = 50_000
"""Callers of the API that one process knows to be stamped; bounds memory, not correctness."""
GATHER = 1.0
"""Seconds for which one process collects the callers that it stamps together."""
DELAY = 3 * GATHER
"""Seconds after which a caller is stamped at the latest, by a cache that still answers."""

_heard: dict[str, float] = {}
_to_be_stamped: "SimpleQueue[str]" = SimpleQueue()


def clock() -> float:
    """Seconds since 1970, of this machine."""
    return time.time()


def is_on() -> bool:
    return bool(settings.FINESSE_PRESENCE_SECONDS > 0)


def interval() -> float:
    """Seconds from one stamp of a connected client to the next.

    A sixth of the setting, with the half that the sweep may pause, leaves a third for delays.
    """
    return min(LONGEST_INTERVAL, float(settings.FINESSE_PRESENCE_SECONDS) / 6)


# --- for whoever sees a user alive --------------------------------------------------------------


def stamp(login_ids: Collection[str]) -> None:
    """Say that these users are there. Never raises: what fails is made up for by the next."""
    if not login_ids or not is_on():
        return
    try:
        now = cache.get(NOW)
        # Before the first sweep there is nothing to count from; it stamps whoever is watched.
        if now is not None:
            _write(login_ids, now)
    except Exception as error:
        logger.warning("%s signs of life are not stamped: %s", len(login_ids), error)


def heard(login_id: str) -> None:
    """Say that this user has called the API: cheap enough for each request.

    One process stamps a user once in half an interval; a call in between counts from that stamp.
    That is done a little later, in a thread of its own and for many at once: of 20,000 users each
    calls so seldom that otherwise nearly every request would have to do it.
    """
    if not is_on():
        return
    now = clock()
    then = _heard.get(login_id)
    if then is not None and 0 <= now - then < interval() / 2:
        return
    if len(_heard) >= REMEMBERED:
        _heard.clear()
    _heard[login_id] = now
    _stamp_soon(login_id)


def _stamp_soon(login_id: str) -> None:
    try:
        _start_stamping(os.getpid())
    except RuntimeError:
        # No more threads to be had.
        stamp([login_id])
    else:
        _to_be_stamped.put(login_id)


@cache_result
def _start_stamping(process: int) -> None:
    """Once in each process, and again in a child of it."""
    threading.Thread(target=_keep_stamping, name="presence", daemon=True).start()


def _keep_stamping() -> None:
    while True:
        together = {_to_be_stamped.get()}
        time.sleep(GATHER)
        with contextlib.suppress(Empty):
            while True:
                together.add(_to_be_stamped.get_nowait())
        stamp(together)


def watch(login_id: str) -> None:
    """Say that this user's XMPP client has come: from now on, the user is missed when it goes.

    Raises DatabaseError.
    """
    if is_on():
        # In this order: a sweep that is about to sign the user out locks the row and then looks
        # at the stamp. It sees it, or it removes the row first and this one is new.
        stamp([login_id])
        Watched.objects.bulk_create([Watched(login_id=login_id)], ignore_conflicts=True)


# --- for the sweep ------------------------------------------------------------------------------


def pause() -> None:
    """Look at nobody while the service is out of service: nobody could show a sign of life."""
    cache.delete(NOW)


def look() -> tuple[int, list[str]]:
    """Look who is absent: the time of the look and their login ids; most looks read no table."""
    now, life = int(clock() * 1000), _life()
    known = cache.get_many([NOW, DUE])
    last, due = known.get(NOW), known.get(DUE)
    if last is None or abs(now - last) > life / 2:
        # The stamps first: whoever dies between the two leaves the pause to be seen again.
        _write(_watched(), now)
        cache.set_many({NOW: now, DUE: now + life}, timeout=None)
        return now, []
    cache.set(NOW, now, timeout=None)
    if due is not None and now < due <= now + life:
        return now, []
    watched = _watched()
    stamps = _stamps(watched)
    _write([login_id for login_id in watched if login_id not in stamps], now)
    cache.set(DUE, min(stamps.values(), default=now) + life, timeout=None)
    return now, _absent(stamps, now)


def take_absent(login_ids: Collection[str], at: int) -> list[str]:
    """Lock the rows of these users; which of them are still watched, and absent as of `at`.

    Whoever has come back meanwhile is not among them, nor whoever another sweep has taken.
    """
    rows = Watched.objects.select_for_update().filter(pk__in=login_ids).order_by("pk")
    return _absent(_stamps([row.pk for row in rows]), at)


def forget(login_ids: Collection[str]) -> None:
    """Watch these users no longer, until their clients come again."""
    Watched.objects.filter(pk__in=login_ids).delete()


def _life() -> int:
    return int(settings.FINESSE_PRESENCE_SECONDS * 1000)


def _watched() -> list[str]:
    return list(Watched.objects.order_by("pk").values_list("pk", flat=True))


def _absent(stamps: Mapping[str, int], at: int) -> list[str]:
    """Whoever has called last may be stamped only by now."""
    latest = at - _life() - int(DELAY * 1000)
    return [login_id for login_id, seen in stamps.items() if seen <= latest]


def _write(login_ids: Collection[str], at: int) -> None:
    if login_ids:
        cache.set_many({_key(login_id): at for login_id in login_ids}, timeout=None)


def _stamps(login_ids: Collection[str]) -> dict[str, int]:
    """When each was last seen, as far as the cache knows."""
    # Redis cannot be asked for nothing.
    found = cache.get_many([_key(login_id) for login_id in login_ids]) if login_ids else {}
    return {login_id: found[_key(login_id)] for login_id in login_ids if _key(login_id) in found}


def _key(login_id: str) -> str:
    return f"alive:{login_id}"
