"""Stamps: when each user was last seen, and which users have been absent for too long.

Connected clients and calls of the API stamp their user in the cache. The sweep looks for watched
users without a stamp of the last FINESSE_PRESENCE_SECONDS [Desktop Presence and Forced Logout]. A
user is watched once an XMPP client of theirs has sent available presence: a program that only calls
the API has never promised to stay.

Only the sweeps' time counts: it is in the cache, and a stamp is a copy of it. Each process that
sweeps moves it on by what has passed since its own last sweep, by its monotonic clock: no time of
day is read, and no two machines' clocks are compared.

An outage signs no user out. If no sweep has run for half of the setting, if the service was out of
service, or if the cache has come back empty, each watched user gets the whole time again. If the
cache has lost a stamp, its user's time begins when the sweep notices.
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

NOW_KEY = "presence:now"
"""The cache's key of the sweeps' time, in milliseconds like all times in the cache."""
DUE_KEY = "presence:due"
"""The cache's key of the earliest time at which a user can be found absent."""
LONGEST_INTERVAL_SECONDS = 10.0
"""From one stamp of a connected client to the next, at most."""
CALLERS_REMEMBERED = 50_000
"""Callers of the API that one process has stamped lately: bounds memory, not correctness."""
GATHERING_SECONDS = 1.0
"""So long one process gathers the callers that it stamps together."""
LATEST_STAMP_SECONDS = 3 * GATHERING_SECONDS
"""So long after its call a caller is stamped at the latest, while the cache answers."""

_stamped_at: dict[str, float] = {}
"""When this process has last stamped a caller of the API, by login id."""
_to_be_stamped: "SimpleQueue[str]" = SimpleQueue()


def clock() -> float:
    """Seconds, of this process alone."""
    return time.monotonic()


def is_on() -> bool:
    return bool(settings.FINESSE_PRESENCE_SECONDS > 0)


def interval() -> float:
    """Seconds from one stamp of a connected client to the next.

    A sixth of the setting, with the half that the sweep may pause, leaves a third for delays.
    """
    return min(LONGEST_INTERVAL_SECONDS, float(settings.FINESSE_PRESENCE_SECONDS) / 6)


# --- for servers: a user was seen ---------------------------------------------------------------


def stamp(login_ids: Collection[str]) -> None:
    """Stamp these users: they were seen now. Never raises: the next stamp replaces a lost one."""
    if not login_ids or not is_on():
        return
    try:
        now = cache.get(NOW_KEY)
        # Before the first sweep there is no time to copy; that sweep stamps all watched users.
        if now is not None:
            _write(login_ids, now)
    except Exception as error:
        logger.warning("%s users could not be stamped as present: %s", len(login_ids), error)


def heard(login_id: str) -> None:
    """Stamp this user, who has called the API, soon: cheap enough for each request.

    One process stamps a user once in half an interval; a call in between needs no stamp. A thread
    does so a little later, for many users at once: each of 20,000 users calls so seldom that
    otherwise nearly every request would have to write to the cache.
    """
    if not is_on():
        return
    now = clock()
    then = _stamped_at.get(login_id)
    if then is not None and 0 <= now - then < interval() / 2:
        return
    if len(_stamped_at) >= CALLERS_REMEMBERED:
        _stamped_at.clear()
    _stamped_at[login_id] = now
    _stamp_soon(login_id)


def _stamp_soon(login_id: str) -> None:
    try:
        _start_stamping(os.getpid())
    except RuntimeError:
        # The system has no more threads.
        stamp([login_id])
    else:
        _to_be_stamped.put(login_id)


@cache_result
def _start_stamping(process: int) -> None:
    """Start the thread once in each process: a forked child needs its own."""
    threading.Thread(target=_keep_stamping, name="presence", daemon=True).start()


def _keep_stamping() -> None:
    while True:
        together = {_to_be_stamped.get()}
        time.sleep(GATHERING_SECONDS)
        with contextlib.suppress(Empty):
            while True:
                together.add(_to_be_stamped.get_nowait())
        stamp(together)


def watch(login_id: str) -> None:
    """Watch this user, whose XMPP client has come: it is signed out when the client is gone.

    Raises DatabaseError.
    """
    if is_on():
        # In this order: a sweep that is about to sign the user out locks the row and then reads the
        # stamp. Either it finds this stamp, or it deletes the row before this one is inserted.
        stamp([login_id])
        Watched.objects.bulk_create([Watched(login_id=login_id)], ignore_conflicts=True)


# --- for the sweep ------------------------------------------------------------------------------


def pause() -> None:
    """Let all times begin anew, while the service is out of service: no user could be seen."""
    cache.delete(NOW_KEY)


class _SweepsTime:
    """The sweeps' time, as this process has last seen it, and what has passed since then."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._at = 0.0

    def now(self, last: int) -> int:
        """What it is now, if it was `last` when a sweep has last moved it."""
        here, now = clock(), last
        if self._last is not None:
            now = max(last, self._last + int((here - self._at) * 1000))
        self._last, self._at = now, here
        return now

    def begin(self) -> int:
        """Count from here on. What it is now: of two processes that do so at once, as their clocks
        differ, one sees the other's as a pause, and begins again."""
        self._at = clock()
        self._last = int(self._at * 1000)
        return self._last


_sweeps_time = _SweepsTime()


def _begin(life: int) -> int:
    """Begin to count: all watched users were seen now."""
    now = _sweeps_time.begin()
    # The stamps first: if this sweep is killed between the two, the next one stamps again.
    _write(_watched(), now)
    cache.set(DUE_KEY, now + life, timeout=None)
    _set_time(now, life)
    return now


def _set_time(now: int, life: int) -> None:
    # It expires when no sweep has run for half of the setting, by the cache's clock. A process that
    # has swept before notices that by its own clock, too.
    cache.set(NOW_KEY, now, timeout=life / 2000)


def look() -> tuple[int, list[str]]:
    """The time of this look, and the login ids of the absent users. Most looks read no table."""
    life = _life()
    known = cache.get_many([NOW_KEY, DUE_KEY])
    last, due = known.get(NOW_KEY), known.get(DUE_KEY)
    if last is None:
        return _begin(life), []
    now = _sweeps_time.now(last)
    if now - last > life / 2:
        return _begin(life), []
    _set_time(now, life)
    if due is not None and now < due <= now + life:
        return now, []
    watched = _watched()
    stamps = _stamps(watched, now)
    _write([login_id for login_id in watched if login_id not in stamps], now)
    cache.set(DUE_KEY, min(stamps.values(), default=now) + life, timeout=None)
    return now, _absent(stamps, now)


def take_absent(login_ids: Collection[str], at: int) -> list[str]:
    """Lock the rows of these users: those who are still watched, and absent at the time `at`.

    Users who have come back meanwhile, or whom another sweep has signed out, are left out.
    """
    rows = Watched.objects.select_for_update().filter(pk__in=login_ids).order_by("pk")
    return _absent(_stamps([row.pk for row in rows], at), at)


def forget(login_ids: Collection[str]) -> None:
    """Watch these users no longer, until an XMPP client of theirs comes again."""
    Watched.objects.filter(pk__in=login_ids).delete()


def _life() -> int:
    """Milliseconds for which a stamp is good."""
    return int(settings.FINESSE_PRESENCE_SECONDS * 1000)


def _watched() -> list[str]:
    return list(Watched.objects.order_by("pk").values_list("pk", flat=True))


def _absent(stamps: Mapping[str, int], at: int) -> list[str]:
    """The users whose stamps are too old at the time `at`, allowing for stamps on their way."""
    latest = at - _life() - int(LATEST_STAMP_SECONDS * 1000)
    return [login_id for login_id, seen in stamps.items() if seen <= latest]


def _write(login_ids: Collection[str], at: int) -> None:
    if login_ids:
        cache.set_many({_key(login_id): at for login_id in login_ids}, timeout=None)


def _stamps(login_ids: Collection[str], at: int) -> dict[str, int]:
    """When each user was last seen, without the users of whom the cache has no stamp.

    A stamp of a time to come is none: it was left by an earlier count of the sweeps' time.
    """
    # Redis does not accept an empty list of keys.
    found = cache.get_many([_key(login_id) for login_id in login_ids]) if login_ids else {}
    stamps = ((login_id, found.get(_key(login_id))) for login_id in login_ids)
    # Another sweep may have moved the time on a little since `at`.
    return {
        login_id: seen for login_id, seen in stamps if seen is not None and seen <= at + _life()
    }


def _key(login_id: str) -> str:
    return f"alive:{login_id}"
