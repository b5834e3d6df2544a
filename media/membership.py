"""Telling who has joined or left, an MRD or the service, and what things are called now."""

from collections.abc import Collection, Sequence

from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import MEDIA, USER
from finesse.users.models import User
from media.history import close_intervals, open_intervals
from media.models import VOICE_MRD, Media, user_uri
from media.serializers import represent
from media.user_serializers import represent_user

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


def tell_user(user: User, event: Event) -> None:
    """Publish that this user was added, changed, or is being deleted [User Notification]."""
    if event is Event.DELETE:
        close_intervals(open_intervals([(user.pk, VOICE_MRD)]), timezone.now())
    entry = log.Entry(
        node=USER.format(id=user.pk),
        source=user_uri(user.pk),
        data=None if event is Event.DELETE else {"user": represent_user(user)},
        event=event,
    )
    log.append(log.lock(), [entry])
