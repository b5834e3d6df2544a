"""A transport whose receiver outlives the process: what it takes is in a file.

The channel layer forgets what it sent; this one keeps it, in the order of the hand-overs.
"""

from collections.abc import Sequence

from finesse.notifications.models import LogHead, Notification
from finesse.notifications.places import Place
from tests.crash_points.journal import journal
from tests.crash_points.points import points

NAME = "recorder"
PATH = "tests.crash_points.recorder"


def deliver(batch: Sequence[Notification], head: LogHead, after: Place) -> None:
    if batch:
        taken = [[*one.place, one.update] for one in batch]
        points.cross("recorder", lambda: journal.note("taken", after=[*after], batch=taken))
