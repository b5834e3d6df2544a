"""THE NODE TABLE: which streams of notifications exist [Subscription Management]."""

import re

USER = "/finesse/api/User/{id}"
MEDIA = "/finesse/api/User/{id}/Media"
DIALOGS_MEDIA = "/finesse/api/User/{id}/Dialogs/Media"

OF_A_USER = (USER, MEDIA, DIALOGS_MEDIA)
"""The nodes about a user that this user is subscribed to without asking."""

SYSTEM_INFO = "/finesse/api/SystemInfo"
"""The one node that everybody is subscribed to."""


def nodes_of(login_id: str) -> tuple[str, ...]:
    return tuple(node.format(id=login_id) for node in OF_A_USER)


TEAM = "/finesse/api/Team/"
TEAM_USERS = TEAM + "{id}/Users"
"""The users of a team, for those of its supervisors who subscribe to it."""

_OF_A_TEAM = re.compile(r"/finesse/api/Team/([1-9][0-9]{0,17})/Users")


def team_of(node: str) -> int | None:
    """The team whose users a node is about; None if it is about something else."""
    found = _OF_A_TEAM.fullmatch(node)
    return int(found[1]) if found else None


def is_of_a_user(node: str) -> bool:
    """Whether the node is about a user, whoever that is and whether there is such a user."""
    return any(_OF_ANYBODY[shape].fullmatch(node) for shape in OF_A_USER)


_OF_ANYBODY = {shape: re.compile(shape.replace("{id}", "[^/]+")) for shape in OF_A_USER}
