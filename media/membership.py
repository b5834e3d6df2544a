"""Telling who has joined or left an MRD, a team or the service, and what things are called now."""

from collections.abc import Collection, Sequence

from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import MEDIA, USER
from finesse.users.models import User
from media.documents.media import represent
from media.documents.user import represent_user, with_desktops
from media.models import VOICE_MRD, Media, user_uri
from media.teams import changed_member, moved_member
from media.writing.history import close_intervals

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
        close_intervals(keys, now)
    tell_memberships(media, Event.DELETE)


def tell_user(user: User, event: Event, *, was_in: int | None = None) -> None:
    """Publish that this user was added, changed, or is being deleted [User Notification], and then
    the same on the nodes of the teams that it concerns.

    Of a change `was_in` is the team before it. What is told is what the database says: the object
    at hand may be older, or may have been saved in part.
    """
    found = with_desktops(User.objects.filter(pk=user.pk)).first()
    if found is None:
        return  # Somebody else has deleted it meanwhile, and told so.
    whole, is_in = represent_user(found), found.team_id
    if event is Event.DELETE:
        close_intervals([(user.pk, VOICE_MRD)], timezone.now())
        was_in, is_in = is_in, None
    own = log.Entry(
        node=USER.format(id=user.pk),
        source=user_uri(user.pk),
        data=None if event is Event.DELETE else {"user": whole},
        event=event,
    )
    if was_in == is_in:
        of_teams = changed_member(whole, is_in)
    else:
        of_teams = moved_member(whole, was_in, is_in)
    log.append(log.lock(), [own, *of_teams])
