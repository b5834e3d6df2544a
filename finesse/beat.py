"""Beat's scheduler: an interval is a time that passes, not a difference of two times of day."""

import logging
import time
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError
from django.utils.functional import cached_property

from finesse import running

logger = logging.getLogger(__name__)

CONFIRMATION_SECONDS = 1.0
"""The longest that the broker may take to confirm a message; then beat connects anew."""


class MonotonicScheduler(Scheduler):
    """Calls for each task at its interval, by the monotonic clock.

    Celery's own compares times of day: it calls for nothing for an hour after the clock was set
    back by one. The schedule is in memory and never changes; all of it is due at the start.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    @cached_property
    def connection(self) -> Any:
        """Beat's connection to the broker, which confirms each message.

        Beat reads nothing and has no heartbeat: without that it would send into a connection of
        which the other end is gone, and never be told.
        """
        connection: Any = self.app.connection_for_write(transport_options={"confirm_publish": True})
        connection.shows_life = True
        return connection

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Call for what is due. Returns the seconds until something else is."""
        running.show_life()
        for name, entry in self.schedule.items():
            now = time.monotonic()
            due = self._due.get(name, now)
            if due <= now:
                self.apply_entry(entry, producer=self.producer)
                interval = float(self.app.conf.beat_schedule[name]["schedule"])
                # What was missed while this process stood still is not called for later.
                self._due[name] = due + interval if due + interval > now else now + interval
        return max(0.0, min(self._due.values()) - time.monotonic())

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Call for a task. Celery's own logs two tracebacks a second while the broker is away."""
        entry.options = {"confirm_timeout": CONFIRMATION_SECONDS, **(entry.options or {})}
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            logger.warning("Beat calls for the task at its next interval: %s", error)
