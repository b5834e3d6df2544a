"""Telling who has joined or left an MRD, and what an MRD is called now."""

from collections.abc import Collection, Sequence

from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import MEDIA
from media.history import close_intervals, open_intervals
from media.models import Media
from media.serializers import represent

PAGE = 200
"""Media whose intervals one statement closes."""


def tell_memberships(media: Collection[Media], event: Event) -> None:
    """Publish that these Media were added, removed or are called otherwise now.

    Call it inside a transaction that has taken the log's lock before it touched a Media.
    """
    entries = [
        log.Entry(
            node=MEDIA.format(id=one.user_id),
            source=one.uri,
            data={"Media": represent(one)},
            event=event,
        )
        for one in media
    ]
    log.append(log.lock(), entries)


def tell_removal(media: Sequence[Media]) -> None:
    """Publish that these Media are being removed, and end their open intervals."""
    now = timezone.now()
    for first in range(0, len(media), PAGE):
        keys = [(one.user_id, one.mrd_id) for one in media[first : first + PAGE]]
        close_intervals(open_intervals(keys), now)
    tell_memberships(media, Event.DELETE)
