"""`python -m benchmarks.program teller`: for each line that it reads, append a notification for
everybody to the log, and print when it was handed over, by a clock that all processes share."""

import sys
import time

from django.db import transaction

from finesse.notifications import frames, log
from finesse.notifications.nodes import SYSTEM_INFO
from finesse.notifications.transports import channels

DATA = {"systemInfo": {"status": "IN_SERVICE", "filling": "x" * 600}}
"""About as much as a Media."""


def main() -> None:
    for _ in sys.stdin:
        with transaction.atomic():
            entry = log.Entry(node=SYSTEM_INFO, source=SYSTEM_INFO, data=DATA)
            written = log.append(log.lock(), [entry])
        head = log.head()
        began = time.monotonic()
        channels.deliver(written, head)
        print(began, len(frames.message(written[0])["text"]), flush=True)
