"""One counter over the boundaries of a process: whatever it does that others may see or wait for.

A boundary is a statement, a commit, a write to the cache, a send over the channel layer or by the
broker, a batch that a transport takes. At a boundary the process kills itself, if it is told to.
Between two boundaries it only computes; a statement that reads changes nothing for others, and a
heartbeat says only that the process was there. So the points before all other boundaries are all
the states in which it can leave the world behind. A reader who doubts that may have every point:
before and after each boundary, reads and heartbeats included.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from django.core.cache import caches
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from kombu.messaging import Producer

from finesse.db.postgresql.connection import BoundedConnection
from finesse.db.postgresql.prepared import PreparedStatements
from finesse.notifications.transports import channels


class Points:
    """Those that this process has passed; counted while it is armed."""

    def __init__(self) -> None:
        self.boundaries: list[str] = []
        self.unseen: list[str] = []
        """What reached the database within no boundary: the hooks would be blind to it."""
        self.passed: list[str] = []
        """The boundary at each point."""
        self._fatal: int | None = None
        self._is_armed = self._has_every = False
        self._depth = 0

    def arm(self, fatal: int | None, *, every: bool) -> None:
        """Count from here on, and end at the point of this number, the first being 1."""
        self._fatal, self._has_every, self._is_armed = fatal, every, True

    def cross(self, name: str, act: Callable[[], Any]) -> Any:
        self.enter(name)
        try:
            return act()
        finally:
            self.leave(name)

    def enter(self, name: str) -> None:
        if self._is_armed:
            self.boundaries.append(name)
        if self._has_every or _changes_something(name):
            self._pass(name)
        self._depth += 1

    def leave(self, name: str) -> None:
        self._depth -= 1
        if self._has_every:
            self._pass(name)

    def witness(self, sql: str) -> None:
        """The database's own driver is at work on this."""
        if self._is_armed and not self._depth:
            self.unseen.append(sql)

    def _pass(self, name: str) -> None:
        if self._is_armed:
            self.passed.append(name)
            if len(self.passed) == self._fatal:
                # No handler, no `finally`, no goodbye to a server: what kill -9 leaves.
                os.kill(os.getpid(), signal.SIGKILL)


def _changes_something(name: str) -> bool:
    if name.startswith("SELECT"):
        return "FOR UPDATE" in name
    return not name.startswith(("cache stamp:", "cache heartbeat:"))


points = Points()


def hook() -> None:
    """Lay the boundaries where this process touches the world."""
    _hook_method(CursorWrapper, "execute", lambda _, sql, *rest: sql)
    _hook_method(CursorWrapper, "executemany", lambda _, sql, *rest: sql)
    _hook_method(PreparedStatements, "execute", lambda _, sql, *rest: sql)
    _hook_method(BaseDatabaseWrapper, "_commit", lambda *_: "COMMIT")
    _hook_method(BaseDatabaseWrapper, "_rollback", lambda *_: "ROLLBACK")
    _hook_method(Producer, "publish", lambda *_: "broker")
    for name in ("add", "set", "delete"):
        _hook_method(type(caches["default"]), name, lambda _, key, *rest: f"cache {key}")
    _hook_send()
    _watch_drivers()


def _hook_method(owner: type, name: str, name_of: Callable[..., str]) -> None:
    original = getattr(owner, name)

    def crossing(*args: Any, **options: Any) -> Any:
        return points.cross(name_of(*args), lambda: original(*args, **options))

    setattr(owner, name, crossing)


def _hook_send() -> None:
    send = channels._send

    async def crossing(message: dict[str, Any]) -> None:
        points.enter("channel layer")
        await send(message)
        points.leave("channel layer")

    channels._send = crossing


def _watch_drivers() -> None:
    """The drivers themselves say what they execute, past whatever Django and we have above them."""
    if connection.vendor == "sqlite":
        connection_created.connect(_trace, weak=False)
        return
    connection_created.connect(_watch, weak=False)
    wait = BoundedConnection.wait

    def watched(self: Any, gen: Any, *args: Any, **options: Any) -> Any:
        # What a new connection sets is for itself alone, and so is `autocommit`.
        if id(self) in _watched and gen.__qualname__ != "BaseConnection._set_autocommit_gen":
            points.witness(gen.__qualname__)
        return wait(self, gen, *args, **options)

    BoundedConnection.wait = watched  # type: ignore[method-assign]


_watched: set[int] = set()


def _watch(connection: Any, **_: Any) -> None:
    _watched.add(id(connection.connection))


def _trace(connection: Any, **_: Any) -> None:
    connection.connection.set_trace_callback(points.witness)
