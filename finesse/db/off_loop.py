"""Statements that sockets need: in a thread, within a bound."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from channels.db import database_sync_to_async

from finesse import wait_limit

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_SECONDS = 5.0
"""For all waits of one call together. All sockets of a process share the thread, so none may keep
it while the database stands still; but what thousands may see takes a while to look up."""

BACKGROUND_THREADS = 2
"""More than one: what stamps its clients as present does not wait for a database. Each may keep a
connection to it (`finesse.production.processes` counts them)."""
BACKGROUND = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix="background")
"""For what a server process does by itself from time to time; no socket's statement waits for it.
asyncio's own threads are four more than there are cores, and each would keep a connection."""


def off_loop(statements: Callable[P, R], **options: Any) -> "Callable[P, Any]":
    """`statements`, to be awaited. The options are those of `database_sync_to_async`.

    Calls raise what `statements` raises, and OperationalError when the bound is exceeded.
    """
    bounded: Any = wait_limit.bounded(LONGEST_SECONDS)(statements)
    made: Callable[P, Any] = database_sync_to_async(bounded, **options)
    return made
