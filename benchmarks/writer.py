"""`python -m benchmarks.program writer`: apply all pending requests as the worker does, and print
their number and the duration. With --publish it publishes their notifications, too."""

import json
import sys
import time

from finesse.notifications.publisher import publish_all
from media.models import MediaRequest
from media.writing.writer import apply_pending


def main() -> None:
    pending = MediaRequest.objects.filter(outcome=None).count()
    began, cpu = time.perf_counter(), time.process_time()
    more = True
    while more:
        more = apply_pending()
        if "--publish" in sys.argv:
            publish_all()
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"requests": pending, "seconds": took, "cpu": cpu}))
