"""How long a thread waits for the services behind it: database, cache and broker together.

A request has two seconds to be answered 503, whatever stands still. So its waits share one bound:
each takes what those before it have left. Threads that serve no request wait as long as they like,
unless they set a bound themselves.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic as _monotonic

DATABASE = "database"
CACHE = "cache"
BROKER = "broker"
REQUEST_SECONDS = 1.5
"""For all waits of a request together."""
UNCOUNTED_SECONDS = 0.2
"""Shorter waits do not count: what answers so soon does not stand still, however often a long list
asks it, and however busy the machine is."""

standing_still: set[str] = set()
"""Services that have not answered this process's watch: requests do not wait for them at all."""


class _Bound(threading.local):
    left: float | None = None
    """Seconds; None without a bound."""
    is_probe: bool = False


_bound = _Bound()


@contextmanager
def bounded(seconds: float = REQUEST_SECONDS, *, is_probe: bool = False) -> Iterator[None]:
    """Bound the sum of all waits of this thread in the context; within another bound by both.

    A probe waits for services that stand still, too: it finds out when they go on.
    """
    outer = _bound.left, _bound.is_probe
    _bound.left = seconds if outer[0] is None else min(seconds, outer[0])
    _bound.is_probe = is_probe
    given = _bound.left
    try:
        yield
    finally:
        spent = given - _bound.left
        _bound.left = None if outer[0] is None else outer[0] - spent
        _bound.is_probe = outer[1]


@contextmanager
def raised(seconds: float) -> Iterator[None]:
    """Let this thread wait so long in the context, whatever it has waited before: for what reads so
    much that its user expects to wait. For a service that stands still it does not wait at all."""
    outer = _bound.left
    if outer is not None:
        _bound.left = max(seconds, outer)
    try:
        yield
    finally:
        _bound.left = outer


def left(service: str) -> float | None:
    """Seconds that this thread may wait for the service: 0 if none are left, None if any number."""
    seconds = _bound.left
    if seconds is None:
        return None
    if service in standing_still and not _bound.is_probe:
        return 0.0
    return seconds if seconds > 0 else 0.0


class waiting:  # noqa: N801 - used as a function, as contextlib's own
    """Count the time in the context as a wait.

    Every statement is one: a generator's context would cost it twice as much.
    """

    __slots__ = ("_begin",)

    def __enter__(self) -> None:
        self._begin = _monotonic()

    def __exit__(self, *error: object) -> None:
        count(_monotonic() - self._begin)


def count(seconds: float) -> None:
    """Count a wait of so many seconds."""
    if seconds > UNCOUNTED_SECONDS and _bound.left is not None:
        _bound.left -= seconds
