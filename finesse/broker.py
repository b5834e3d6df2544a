"""Connections to the broker that come back soon after the broker does."""

from typing import Any

import kombu
from celery.app import amqp
from celery.worker import consumer

RETRY_SECONDS = 0.5
"""Pause between two attempts of a worker or beat to connect, however long the broker is away."""


class Connection(kombu.Connection):
    """Tries again at short intervals; Kombu's own grow to half a minute."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        pause = {f"interval_{name}": RETRY_SECONDS for name in ("start", "step", "max")}
        return super().ensure_connection(*args, **{**pause, **options})


class AMQP(amqp.AMQP):
    """Celery's makers of connections, queues and messages, with the connection above."""

    Connection = Connection


class Consumer(consumer.Consumer):
    """A worker's consumer that does not look for other workers before it takes tasks.

    The look takes a second after each time that the broker was away, for revoked tasks and logical
    clocks, which are not used here.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "without_mingle": True})
