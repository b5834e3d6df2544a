"""Connections to the broker that come back soon after the broker does."""

from collections.abc import Callable
from functools import partial
from typing import Any

import kombu
from amqp.exceptions import ConnectionForced
from celery.app import amqp
from celery.worker import consumer

from finesse import running

RETRY_SECONDS = 0.5
"""Pause between two attempts of a worker or beat to connect, however long the broker is away."""

GOODBYE_SECONDS = 1.0
"""The longest wait for the broker's answer when a connection is closed."""

SIGN_OF_LIFE_SECONDS = 1.0
"""Pause between two signs of life of a worker."""

SILENCE_LOOK_SECONDS = 0.5
"""Pause between two looks of a worker whether the broker has sent anything."""
SILENT_LOOKS = 5
"""After so many looks without a byte a worker connects anew. RabbitMQ sends something every second:
a sign of life at half of CELERY_BROKER_HEARTBEAT, if there is nothing else."""


class Connection(kombu.Connection):
    """Tries again at short intervals; Kombu's own grow to half a minute.

    It is closed in a bounded time. By itself a worker that gives up a connection whose other end is
    gone says goodbye, and waits without end for the answer.
    """

    shows_life = False
    """Whether it shows life between two attempts to connect. A worker's does so by its callback."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        pause = {f"interval_{name}": RETRY_SECONDS for name in ("start", "step", "max")}
        if self.shows_life:
            options["callback"] = running.show_life
        elif (callback := options.get("callback")) is not None:
            # A worker's, between two attempts.
            options["callback"] = partial(_show_life_and, callback)
        return super().ensure_connection(*args, **{**pause, **options})

    def release(self) -> None:
        """Close the connection, if it is open."""
        # Connections to other brokers than RabbitMQ have no such socket, and say no goodbye.
        opened = getattr(self.connection, "transport", None) if self.connected else None
        if (sock := getattr(opened, "sock", None)) is not None:
            sock.settimeout(GOODBYE_SECONDS)
        super().release()

    close = release


def _show_life_and(callback: Callable[[], None]) -> None:
    running.show_life()
    callback()


class AMQP(amqp.AMQP):
    """Celery's makers of connections, queues and messages, with the connection above."""

    Connection = Connection


class Consumer(consumer.Consumer):
    """A worker's consumer that shows life, notices soon that the broker is silent, and exchanges
    nothing with other workers.

    Looking for them takes a second after each time that the broker was away, for revoked tasks and
    logical clocks, which are not used here. Events for monitors of workers need a connection of
    their own, which is awaited like the first before a worker connects anew; Celery's option
    --task-events still turns them on.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        alone = dict.fromkeys(("without_mingle", "without_gossip", "without_heartbeat"), True)
        super().__init__(*args, **{**options, **alone})
        # By the event loop that takes the tasks.
        running.show_life()
        self.timer.call_repeatedly(SIGN_OF_LIFE_SECONDS, running.show_life)

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        connection: Any = self.connection
        if connection.supports_heartbeats and connection.get_heartbeat_interval():
            # Celery ends it with the connection.
            self.timer.call_repeatedly(SILENCE_LOOK_SECONDS, Silence(connection.connection))


class Silence:
    """Looks whether a connection to RabbitMQ goes on receiving.

    The client's library waits for two heartbeats by the clock. Looks are counted instead: a process
    that stood still itself reads between two looks what has come meanwhile.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._received = connection.bytes_recv
        self._silent_looks = 0

    def __call__(self) -> None:
        """Look. Raises ConnectionForced, by which a worker connects anew."""
        if (received := self._connection.bytes_recv) != self._received:
            self._received, self._silent_looks = received, 0
            return
        self._silent_looks += 1
        if self._silent_looks >= SILENT_LOOKS:
            # Nobody would answer a goodbye, either.
            self._connection.collect()
            raise ConnectionForced("The broker has sent nothing, not even signs of life")
