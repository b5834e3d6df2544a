"""What log and metrics say of each request that is accepted, and of each that is applied."""

import logging
from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone

from finesse import traces
from finesse.log_context import about
from finesse.metrics import timing
from finesse.repeats import EACH
from media.models import MediaRequest

logger = logging.getLogger(__name__)

_EACH = {EACH: True}
DESKTOP = "desktop"
MEDIA = "media"


def say_accepted(requests: Sequence[MediaRequest]) -> None:
    """To be called after the commit, which makes it true."""
    if traces.on:
        traces.accepted(requests)
    if settings.FINESSE_LOG_REQUESTS:
        for request in requests:
            with about(request):
                logger.info("Accepted %s", request.requested, extra=_EACH)


def say_applied(asked: Sequence[MediaRequest], consequences: Sequence[MediaRequest]) -> None:
    """To be called after the commit, which makes it true."""
    if traces.on:
        traces.applied(asked, consequences)
    requests = [*asked, *consequences]
    now = timezone.now()
    waited = defaultdict(list)
    for request in requests:
        subject = DESKTOP if request.mrd_id is None else MEDIA
        waited[subject].append((now - request.accepted_at).total_seconds())
    for subject, seconds in waited.items():
        timing.count_applied(subject, seconds)
    if settings.FINESSE_LOG_REQUESTS:
        for request in requests:
            with about(request):
                outcome = request.error or request.outcome
                logger.info("Applied %s: %s", request.requested, outcome, extra=_EACH)
