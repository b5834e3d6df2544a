"""What the supervisors of a team are told of its users, right after the users themselves."""

from collections.abc import Mapping

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import TEAM_USERS
from media.documents.user import summarise


def changed_member(
    user: Mapping[str, object], team_id: int | None, request_id: str = ""
) -> list[log.Entry]:
    """That this user has changed [Team Notification]: one entry, or none without a team.

    `user` holds the children of the whole `<User>`, here and below.
    """
    if team_id is None:
        return []
    return [
        log.Entry(
            node=TEAM_USERS.format(id=team_id),
            source=str(user["uri"]),
            data={"user": summarise(user)},
            request_id=request_id,
        )
    ]


def moved_member(
    user: Mapping[str, object], was_in: int | None, is_in: int | None
) -> list[log.Entry]:
    """That this user has left the one team and joined the other; None is no team.

    No page shows it. The official client knows that something was added to a list, or removed, by
    the list's own path as the source, and reads from the data what it was.
    """
    data = {"users": {"User": [summarise(user)]}}
    moves = ((was_in, Event.DELETE), (is_in, Event.POST))
    nodes = [(TEAM_USERS.format(id=team), event) for team, event in moves if team is not None]
    return [log.Entry(node=node, source=node, data=data, event=event) for node, event in nodes]
