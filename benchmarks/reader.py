"""`python -m benchmarks.program reader 2000`: read what agents have missed, as the sockets do, and
print how many reads that were and how long they took."""

import json
import sys
import time

from benchmarks.people import agent
from finesse.notifications import log
from finesse.notifications.nodes import SYSTEM_INFO, nodes_of

MISSED = 20
"""Notifications that each agent has missed, if there are as many."""


def main() -> None:
    agents, reads = int(sys.argv[1]), 300
    head = log.head().position
    after = max(0, head - MISSED * agents)
    log.read(after=after, upto=head, nodes=[SYSTEM_INFO])
    began = time.perf_counter()
    for number in range(reads):
        # From all over, as those are who change in between.
        nodes = [SYSTEM_INFO, *nodes_of(agent(number * agents // reads))]
        log.read(after=after, upto=head, nodes=nodes)
    print(json.dumps({"requests": reads, "seconds": time.perf_counter() - began}))
