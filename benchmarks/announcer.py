"""`python -m benchmarks.program announcer`: for each line of input, append a notification for all
users to the log, and print the monotonic time at which its delivery began, and its frame's size."""

import sys
import time

from django.db import transaction

from finesse.notifications import frames, log
from finesse.notifications.nodes import SYSTEM_INFO
from finesse.notifications.transports import channels

DATA = {"systemInfo": {"status": "IN_SERVICE", "filling": "x" * 600}}
"""About as long as a Media."""


def main() -> None:
    for _ in sys.stdin:
        with transaction.atomic():
            entry = log.Entry(node=SYSTEM_INFO, source=SYSTEM_INFO, data=DATA)
            locked = log.lock()
            after = locked.place
            written = log.append(locked, [entry])
        head = log.head()
        began = time.monotonic()
        channels.deliver(written, head, after)
        print(began, len(frames.message(written[0])["text"]), flush=True)
