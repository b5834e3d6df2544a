"""Beat's scheduler: an interval is a time that passes, not a difference of two times of day."""

import logging
import time
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError

logger = logging.getLogger(__name__)


class MonotonicScheduler(Scheduler):
    """Calls for each task at its interval, by the monotonic clock.

    Celery's own compares times of day: it calls for nothing for an hour after the clock was set
    back by one. The schedule is in memory and never changes; all of it is due at the start.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._due: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Call for what is due. Returns the seconds until something else is."""
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
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            logger.warning("Beat calls for the task at its next interval: %s", error)
