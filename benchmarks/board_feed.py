"""`python -m benchmarks.program board_feed`: what an administrator's board is measured with.

`prepare` gives each agent three MRDs, and reasons a maximum time. `feed` reads a number of seconds
from each line of input, publishes so many changes of Media a second meanwhile, and prints how many
it has published.
"""

import argparse
import itertools
import random
import sys
import time
from copy import copy
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from benchmarks.people import MRD, REASON_CODES
from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.transports import channels
from media.documents.updates import of_media
from media.models import Media, MediaRoutingDomain, StateInterval
from media.states import State
from reasoncodes.models import ReasonCode

MORE_MRDS = {5001: "Email", 5002: "Tasks"}
A_DELIVERY_SECONDS = 0.05
"""From one delivery to the next: as the writer's batches under load."""


def prepare() -> None:
    for pk, name in MORE_MRDS.items():
        MediaRoutingDomain.objects.get_or_create(pk=pk, defaults={"name": name})
    began = timezone.now() - timedelta(minutes=20)
    first = Media.objects.filter(mrd_id=MRD)
    if first.count() == Media.objects.count():
        copies = []
        for media, pk in itertools.product(first, MORE_MRDS):
            media.pk, media.mrd_id, media.state_change_time = None, pk, began
            copies.append(copy(media))
        Media.objects.bulk_create(copies, batch_size=5_000)
        opened = StateInterval.objects.filter(ended_at=None, mrd_id=MRD)
        StateInterval.objects.bulk_create(
            StateInterval(
                login_id=one.login_id,
                mrd_id=pk,
                state=one.state,
                started_at=began,
                cause="self",
                actor=one.login_id,
            )
            for one, pk in itertools.product(opened, MORE_MRDS)
        )
    ReasonCode.objects.filter(pk__in=REASON_CODES).update(maximum_minutes=15, productive=False)


def feed(rate: int) -> None:
    media = [*Media.objects.select_related("mrd")]
    reason = ReasonCode.objects.get(pk=REASON_CODES.start)
    chosen = random.Random(1)
    for line in sys.stdin:
        ends, published = time.monotonic() + float(line), 0
        began = time.monotonic()
        while time.monotonic() < ends:
            due = int((time.monotonic() - began + A_DELIVERY_SECONDS) * rate) - published
            _publish([_changed(chosen.choice(media), reason) for _ in range(due)])
            published += due
            time.sleep(A_DELIVERY_SECONDS)
        print(published, flush=True)


def _changed(media: Media, reason: ReasonCode) -> log.Entry:
    is_ready = media.state == State.READY
    media.state = State.NOT_READY if is_ready else State.READY
    media.reason_code = reason if is_ready else None
    media.state_change_time = timezone.now()
    return of_media(media, Event.PUT)


def _publish(entries: list[log.Entry]) -> None:
    with transaction.atomic():
        locked = log.lock()
        after = locked.place
        written = log.append(locked, entries, publish=False)
    channels.deliver(written, log.head(), after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=0, help="changes a second; 0: only prepare")
    options = parser.parse_args()
    if options.rate:
        feed(options.rate)
    else:
        prepare()
