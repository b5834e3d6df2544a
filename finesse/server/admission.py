"""Counts the sockets of this process, so that no user and no origin can take all of them.

XMPP sockets and viewers' sockets share the counts: a user may have so many of both together.
"""

import asyncio
from collections import Counter
from weakref import WeakKeyDictionary, WeakValueDictionary

from django.conf import settings

HANDSHAKES_AT_ONCE = 20
"""Of one origin, looked up at the same time; further ones wait. So strangers keep the database busy
for nobody else, and a thousand clients that come back through one proxy all get in."""


class TooManyError(Exception):
    """The user or the origin already has as many sockets as it may have."""


class Admissions:
    """The sockets of one event loop."""

    _of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Admissions]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self._strangers: Counter[str] = Counter()
        """Sockets that have not signed in yet, by client network."""
        self._of_users: Counter[str] = Counter()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By login id of the connected users."""
        self._handshakes: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """By origin."""

    @classmethod
    def here(cls) -> "Admissions":
        return cls._of_loops.setdefault(asyncio.get_running_loop(), cls())

    def admit(self, origin: str) -> "Admission":
        """A place for a socket that has not signed in yet. Raises TooManyError."""
        if self._strangers[origin] >= settings.FINESSE_XMPP_STRANGERS_PER_ADDRESS:
            raise TooManyError(origin)
        return Admission(self, origin)

    def admit_user(self, login_id: str) -> "Admission":
        """A place for a socket whose user is known by its handshake. Raises TooManyError."""
        admission = Admission(self, None)
        admission.sign_in(login_id)
        return admission

    def handshakes(self, origin: str) -> asyncio.Semaphore:
        """To be held while a handshake of this origin is looked up."""
        return self._handshakes.setdefault(origin, asyncio.Semaphore(HANDSHAKES_AT_ONCE))


class Admission:
    """The place of one socket; it counts for its origin until it counts for its user."""

    def __init__(self, admissions: Admissions, origin: str | None) -> None:
        self._admissions = admissions
        self._origin = origin
        self._user: str | None = None
        self.turn = asyncio.Lock()
        """Held while the log is read for the socket. All sockets of a user share it, so that a
        user with many sockets has one request at a time answered."""
        if origin is not None:
            admissions._strangers[origin] += 1

    def sign_in(self, login_id: str) -> None:
        """Count the socket for this user. Raises TooManyError."""
        of_users = self._admissions._of_users
        if of_users[login_id] >= settings.FINESSE_XMPP_CONNECTIONS_PER_USER:
            raise TooManyError(login_id)
        self._leave_strangers()
        of_users[login_id] += 1
        self._user = login_id
        self.turn = self._admissions._turns.setdefault(login_id, asyncio.Lock())

    def end(self) -> None:
        self._leave_strangers()
        if self._user is not None:
            _decrease(self._admissions._of_users, self._user)
            self._user = None

    def _leave_strangers(self) -> None:
        if self._origin is not None:
            _decrease(self._admissions._strangers, self._origin)
            self._origin = None


def _decrease(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
