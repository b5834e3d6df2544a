"""THE NODE TABLE: the streams of notifications that exist [Subscription Management]."""

import re

USER = "/finesse/api/User/{id}"
MEDIA = "/finesse/api/User/{id}/Media"
DIALOGS_MEDIA = "/finesse/api/User/{id}/Dialogs/Media"

OF_A_USER = (USER, MEDIA, DIALOGS_MEDIA)
"""The nodes about a user. The user is subscribed to them without asking."""

SYSTEM_INFO = "/finesse/api/SystemInfo"
"""The one node that all users are subscribed to."""


def nodes_of(login_id: str) -> tuple[str, ...]:
    return tuple(node.format(id=login_id) for node in OF_A_USER)


TEAM = "/finesse/api/Team/"
TEAM_USERS = TEAM + "{id}/Users"
"""About the users of a team. Its supervisors get it if they subscribe to it."""

_OF_A_TEAM = re.compile(r"/finesse/api/Team/([1-9][0-9]{0,17})/Users")


def team_of(node: str) -> int | None:
    """The team whose users a node is about; None if it is about something else."""
    found = _OF_A_TEAM.fullmatch(node)
    return int(found[1]) if found else None


def is_of_a_user(node: str) -> bool:
    """Whether the node is about a user. The user need not exist."""
    return any(pattern.fullmatch(node) for pattern in _OF_ANY_USER)


_OF_ANY_USER = [re.compile(node.replace("{id}", "[^/]+")) for node in OF_A_USER]
