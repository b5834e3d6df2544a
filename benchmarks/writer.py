"""`python -m benchmarks.program writer`: apply whatever is pending as the worker does, and print
how many requests that were and how long it took. With --publish it hands over what came of them."""

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
