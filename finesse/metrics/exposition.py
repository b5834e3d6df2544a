"""All metrics as Prometheus reads them: the sums of the processes, and what collectors look up."""

import logging
from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from finesse import running
from finesse.metrics import process_files, timing

logger = logging.getLogger(__name__)

_registry = CollectorRegistry(auto_describe=False)


def register(collector: Collector) -> None:
    """Have this collector asked at each look, too."""
    _registry.register(collector)


def exposition() -> bytes:
    """The text format, version 0.0.4. What cannot be looked up is missing; it never raises for
    that."""
    return generate_latest(_registry)


class Processes(Collector):
    """What is counted by the processes of this machine, and which of them run."""

    def collect(self) -> Iterable[Metric]:
        timing.count_noted()
        try:
            yield from process_files.collect()
            yield _running()
        except (OSError, RuntimeError, ValueError) as error:
            logger.error("The metrics of the processes cannot be read: %s", error)


def _running() -> Metric:
    family = GaugeMetricFamily(
        "finesse_processes", "Processes that run on this machine, by role.", labels=["role"]
    )
    for role, number in Counter(one.role for one in running.processes()).items():
        family.add_metric([role], number)
    return family


register(Processes())
