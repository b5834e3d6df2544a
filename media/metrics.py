"""What the database and the cache know of the service, for `/metrics`.

Each server answers with the same numbers, whichever process has done the work, and on whichever
machine. No look reads a table that grows: pending requests have an index of their own, and accepted
and applied ones are counted from where the last look has stopped.
"""

import logging
import time
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import Error
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from finesse import heartbeat, wait_limit
from finesse.notifications import log
from finesse.notifications.models import TransportCursor
from finesse.users import lockout
from media.models import MediaRequest
from media.request_counts import counted

logger = logging.getLogger(__name__)


class ServiceCollector(Collector):
    """See the module. What cannot be read now is missing, and the rest is there."""

    def collect(self) -> Iterable[Metric]:
        with wait_limit.bounded():
            yield from _service()
            for part in (_requests, _request_counts, _log, _blocks):
                try:
                    yield from part()
                except (Error, RedisError) as error:
                    logger.warning("Some metrics cannot be read: %s", " ".join(str(error).split()))


def _service() -> Iterator[Metric]:
    pulse = heartbeat.pulse()
    yield GaugeMetricFamily(
        "finesse_in_service",
        "1 if API calls are served, 0 if they are answered 503.",
        value=float(not pulse.faults),
    )
    up = GaugeMetricFamily(
        "finesse_part_up", "1 for each part of the service that works.", labels=["part"]
    )
    for part in dict.fromkeys((*PARTS_BENEATH, *heartbeat.parts())):
        up.add_metric([part], float(part not in pulse.faults))
    yield up
    age = GaugeMetricFamily(
        "finesse_heartbeat_age_seconds",
        "Time since a part was last seen to work, by the clocks of both.",
        labels=["part"],
    )
    for part, beat in pulse.beats.items():
        age.add_metric([part], max(0.0, time.time() - beat))
    yield age


PARTS_BENEATH = (wait_limit.DATABASE, wait_limit.CACHE)


def _requests() -> Iterator[Metric]:
    pending = MediaRequest.objects.filter(outcome=None)
    found = pending.aggregate(number=Count("pk"), oldest=Min("accepted_at"))
    yield GaugeMetricFamily(
        "finesse_requests_pending",
        "Requests that were accepted and have no outcome yet.",
        value=found["number"],
    )
    age = (timezone.now() - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield GaugeMetricFamily(
        "finesse_requests_oldest_pending_seconds",
        "Age of the oldest request without an outcome; 0 if there is none.",
        value=max(0.0, age),
    )


def _request_counts() -> Iterator[Metric]:
    counts = counted()
    yield CounterMetricFamily(
        "finesse_requests_accepted",
        "Requests that were accepted, by agents, supervisors, administrators and the system.",
        value=sum(counts.values()),
    )
    applied = CounterMetricFamily(
        "finesse_requests_applied",
        "Requests that have their outcome: changed, ignored (nothing to change), waiting (for the "
        "turn), or error, by the errorMessage that is published.",
        labels=["outcome", "error"],
    )
    for (outcome, error), number in sorted(counts.items()):
        if outcome:
            applied.add_metric([outcome, error], number)
    yield applied


def _log() -> Iterator[Metric]:
    head = log.head().position
    yield CounterMetricFamily(
        "finesse_notifications", "Notifications that were ever appended to the log.", value=head
    )
    lag = GaugeMetricFamily(
        "finesse_transport_lag",
        "Notifications that a transport has not handed over yet.",
        labels=["transport"],
    )
    in_use = {*settings.FINESSE_TRANSPORTS}
    if settings.FINESSE_XMPP_SECRET:
        in_use.add(TransportCursor.XMPP)
    for cursor in TransportCursor.objects.filter(name__in=in_use).order_by("name"):
        lag.add_metric([cursor.name], max(0, head - cursor.position))
    yield lag


def _blocks() -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "finesse_password_blocks",
        "Users that are blocked somewhere after too many wrong passwords, once for each origin.",
        value=lockout.blocks(),
    )
