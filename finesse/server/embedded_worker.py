"""The Celery worker and beat of the embedded default: threads of the server's own process."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController

from finesse.beat import MonotonicScheduler

logger = logging.getLogger(__name__)

WORKER_NAME = "embedded@localhost"
STOP_TIMEOUT_SECONDS = 3
"""How long the worker may take to finish its batch when it is asked to stop."""


@contextmanager
def embedded_worker(app: Celery) -> Iterator[None]:
    """A real worker (solo pool) and a real beat for as long as the context lasts."""
    # Else nothing would tell the worker to end.
    app.conf.worker_enable_remote_control = True
    worker = threading.Thread(target=_work, args=[app], name="celery-worker", daemon=True)
    beat: Any = EmbeddedService(app, thread=True, scheduler_cls=MonotonicScheduler)
    worker.start()
    beat.start()
    try:
        yield
    finally:
        # Beat need not be waited for: no worker is left to execute a late task.
        beat.service.stop(wait=False)
        app.control.broadcast("shutdown", destination=[WORKER_NAME])
        worker.join(STOP_TIMEOUT_SECONDS)
        if worker.is_alive():
            logger.warning(
                "The worker did not stop in time; its batch is applied at the next start"
            )


def _work(app: Celery) -> None:
    # Constructed in its own thread: in the server's runs an event loop, where Django refuses calls.
    WorkController(
        app=app,
        hostname=WORKER_NAME,
        pool="solo",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
    ).start()
