"""Of several components on a machine one is connected to its XMPP server, and the others stand by.

A lock on a file in FINESSE_RUN_DIR says which one it is. The system takes the lock from a process
that ends, however it ends. One that stands by has loaded everything, so it connects at once.

Between machines there is no lock: each has an XMPP server of its own, or none.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

from django.conf import settings

from finesse import readiness, running
from finesse.private_files import PRIVATE_FILE, make_folder
from finesse.xmpp.addresses import pubsub_domain

logger = logging.getLogger(__name__)

SUFFIX = ".turn"
LOOK_SECONDS = 0.1
"""Pause between two attempts to take the lock."""


@asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """Wait until no other component of this machine is connected to the same server, and keep
    the others waiting meanwhile."""
    with ExitStack() as opened:
        try:
            lock = _open()
            opened.callback(os.close, lock)
            await _take(lock)
        except OSError as error:
            # Such as a folder of a network that has no locks: it connects, as it would alone.
            logger.warning("No other component can stand by beside this one: %s", error)
        yield


def _open() -> int:
    make_folder(running.folder())
    name = f"{pubsub_domain()} at {settings.FINESSE_XMPP_COMPONENT}{SUFFIX}"
    path = running.folder() / name.replace(os.sep, "_")
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)


async def _take(lock: int) -> None:
    stands_by = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not stands_by:
                stands_by = True
                logger.info("Stands by: another component of this machine is connected")
                with suppress(OSError):
                    readiness.announce()
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return
