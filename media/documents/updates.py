"""The entries of the log about a Media, a user, a team's users, and reason codes."""

from collections.abc import Iterable, Mapping

from finesse.notifications.log import Entry
from finesse.notifications.models import Event
from finesse.notifications.nodes import MEDIA, TEAM_USERS, USER
from media.documents.media import represent
from media.documents.user import summarise
from media.models import Media, user_uri
from reasoncodes.documents import represent as represent_reason_code
from reasoncodes.models import ReasonCode


def of_media(media: Media, event: Event) -> Entry:
    """That this Media was added, has changed or is being deleted."""
    return Entry(
        node=MEDIA.format(id=media.user_id),
        source=media.uri,
        data={"Media": represent(media)},
        event=event,
    )


def of_user(login_id: str, user: Mapping[str, object], event: Event) -> Entry:
    """That this user was added, has changed or is being deleted, without data then.

    `user` holds the children of the whole `<User>`, here and below [User Notification].
    """
    return Entry(
        node=USER.format(id=login_id),
        source=user_uri(login_id),
        data=None if event is Event.DELETE else {"user": user},
        event=event,
    )


def of_changed_member(
    user: Mapping[str, object], team_id: int | None, request_id: str = ""
) -> list[Entry]:
    """That this user of a team has changed [Team Notification]; nothing without a team.

    To be appended right after the user's own entry.
    """
    if team_id is None:
        return []
    return [
        Entry(
            node=TEAM_USERS.format(id=team_id),
            source=str(user["uri"]),
            data={"user": summarise(user)},
            request_id=request_id,
        )
    ]


def of_moved_member(
    user: Mapping[str, object], old_team: int | None, new_team: int | None
) -> list[Entry]:
    """That this user has left one team and joined another; None is no team.

    No page shows it. The official client recognises an addition to a list, or a removal, by the
    list's own path as the source, and reads from the data which user it was.
    """
    data = {"users": {"User": [summarise(user)]}}
    moves = ((old_team, Event.DELETE), (new_team, Event.POST))
    nodes = [(TEAM_USERS.format(id=team), event) for team, event in moves if team is not None]
    return [Entry(node=node, source=node, data=data, event=event) for node, event in nodes]


def of_reason_code(reason_code: ReasonCode, nodes: Iterable[str], event: Event) -> list[Entry]:
    """That this reason code was added to the list of each of these nodes, has changed in it, or was
    taken out of it. It shows the label as it was written, to all readers."""
    data = {"ReasonCode": represent_reason_code(reason_code)}
    return [
        Entry(node=node, source=reason_code.uri, data=data, event=event) for node in sorted(nodes)
    ]
