"""`python -m benchmarks.program reader 2000`: read the notifications that 2,000 agents have missed,
as the sockets do, and print the number of reads and their duration."""

import json
import sys
import time

from benchmarks.people import agent
from finesse.notifications import log
from finesse.notifications.nodes import SYSTEM_INFO, nodes_of

MISSED = 20
"""Missed notifications of each agent, if there are as many."""


def main() -> None:
    agents, reads = int(sys.argv[1]), 300
    head = log.head().position
    after = max(0, head - MISSED * agents)
    log.read(after=after, upto=head, nodes=[SYSTEM_INFO])
    began = time.perf_counter()
    for number in range(reads):
        # Agents from the whole range, as those whose states change.
        nodes = [SYSTEM_INFO, *nodes_of(agent(number * agents // reads))]
        log.read(after=after, upto=head, nodes=nodes)
    print(json.dumps({"requests": reads, "seconds": time.perf_counter() - began}))
