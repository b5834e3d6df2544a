"""How many password checks run at once, and which is next.

A check takes CPU and memory, and a caller that waits for one holds a thread of the server. So the
number of both is bounded in each process. Guessers may not take all of it: an origin with failures
gets half of the places, and a part is kept for users at an origin where they have signed in before.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from finesse import wait_limit
from finesse.metrics.counters import password_checks, password_results

LONGEST_WAIT_SECONDS = 20.0
"""Time that a caller waits for its turn before it is refused."""
LOOK_SECONDS = 0.25
"""While it waits, it looks so often whether the database still answers."""


class PasswordChecksOverrunError(Exception):
    """Not checked, since too many password checks are waiting. Try again in a second."""


class Queue:
    """The checks of one process. Checks of one user are made one after the other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[bool, int, str]] = []
        """The waiting callers in order: whether a stranger, number of the caller, login id."""
        self._running: set[str] = set()
        self._places: Counter[str] = Counter()
        """Callers that wait or run, by login id: a user has one place, however many ask."""
        self._origins: dict[str, str] = {}
        """The origin that took each user's place, unless the user is known there."""
        self._number = 0

    @contextmanager
    def turn(
        self, login_id: str, origin: str, *, is_known: bool = False, is_doubted: bool = False
    ) -> Iterator[None]:
        """Wait for the turn, and hold it. Raises PasswordChecksOverrunError.

        `is_known`: the user has signed in from this origin before. `is_doubted`: wrong passwords
        have come from the origin lately, so that it gets half of the places at most.
        """
        with self._changed:
            self._take_place(login_id, origin, is_known=is_known, is_doubted=is_doubted)
            try:
                self._wait(login_id, is_known)
            except BaseException:
                self._leave_place(login_id)
                raise
        try:
            yield
        finally:
            with self._changed:
                self._running.discard(login_id)
                password_checks.labels("running").dec()
                self._leave_place(login_id)
                self._changed.notify_all()

    def _take_place(self, login_id: str, origin: str, *, is_known: bool, is_doubted: bool) -> None:
        if login_id not in self._places:
            places = settings.FINESSE_PASSWORD_PLACES
            of_strangers = [*self._origins.values()]
            is_full = len(self._places) >= places
            if not is_known:
                is_full |= len(of_strangers) >= max(1, places - places // 4)
                most = max(1, places // 2) if is_doubted else places
                is_full |= of_strangers.count(origin) >= most
            if is_full or not places:
                password_results.labels("refused").inc()
                raise PasswordChecksOverrunError
            if not is_known:
                self._origins[login_id] = origin
        self._places[login_id] += 1

    def _leave_place(self, login_id: str) -> None:
        self._places[login_id] -= 1
        if not self._places[login_id]:
            del self._places[login_id]
            self._origins.pop(login_id, None)

    def _wait(self, login_id: str, is_known: bool) -> None:
        self._number += 1
        me = (not is_known, self._number, login_id)
        self._waiting.append(me)
        password_checks.labels("waiting").inc()
        self._waiting.sort()
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        try:
            while self._next() != me:
                self._changed.wait(LOOK_SECONDS)
                if time.monotonic() > deadline or wait_limit.standing_still:
                    password_results.labels("refused").inc()
                    raise PasswordChecksOverrunError
        finally:
            self._waiting.remove(me)
            password_checks.labels("waiting").dec()
            self._changed.notify_all()
        self._running.add(login_id)
        password_checks.labels("running").inc()

    def _next(self) -> tuple[bool, int, str] | None:
        if len(self._running) >= settings.FINESSE_PASSWORD_CHECKS:
            return None
        return next((one for one in self._waiting if one[2] not in self._running), None)


QUEUE = Queue()
