"""The Celery worker and beat of the embedded default: threads of the server's own process."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.worker import WorkController

logger = logging.getLogger(__name__)

NAME = "embedded@localhost"
PATIENCE = 3
"""Seconds that the worker has to finish its batch when it is told to stop."""


@contextmanager
def embedded_worker(app: Celery) -> Iterator[None]:
    """A real worker (solo pool) and a real beat for as long as the context lasts."""
    worker = threading.Thread(target=_work, args=[app], name="celery-worker", daemon=True)
    beat: Any = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)
    worker.start()
    beat.start()
    try:
        yield
    finally:
        # Without waiting for beat: a tick that comes too late meets no worker.
        beat.service.stop(wait=False)
        app.control.broadcast("shutdown", destination=[NAME])
        worker.join(PATIENCE)
        if worker.is_alive():
            logger.warning(
                "The worker did not stop in time; its batch is applied at the next start"
            )


def _work(app: Celery) -> None:
    # Made in its own thread: the server's has an event loop, where Django refuses to be called.
    WorkController(
        app=app,
        hostname=NAME,
        pool="solo",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
    ).start()
