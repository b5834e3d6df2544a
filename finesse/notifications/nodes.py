"""THE NODE TABLE: the streams of notifications that exist [Subscription Management]."""

import re
from collections.abc import Iterable

USER = "/finesse/api/User/{id}"
MEDIA = "/finesse/api/User/{id}/Media"

DIALOGS = "/finesse/api/User/{id}/Dialogs"
DIALOGS_MEDIA = "/finesse/api/User/{id}/Dialogs/Media"
QUEUES = "/finesse/api/User/{id}/Queues"
CLIENT_LOG = "/finesse/api/User/{id}/ClientLog"

LIMITS = "/finesse/api/User/{id}/Limits"
"""About the times that break rules give an agent. The protocol has no such node: clients of XMPP
get none of it."""

OF_A_USER = (USER, MEDIA)
"""The nodes about a user. The user is subscribed to them without asking."""
EMPTY_OF_A_USER = (DIALOGS, DIALOGS_MEDIA, QUEUES, CLIENT_LOG)
"""Nodes about a user on which nothing is published here, since this service routes no calls and no
tasks. Clients ask for them, and some give up if one is missing; the user is subscribed to them."""

SYSTEM_INFO = "/finesse/api/SystemInfo"
"""The one node that all users are subscribed to."""

REASON_CODES = "/finesse/api/ReasonCodes"
"""About the reason codes that are offered to everybody."""
TEAM_REASON_CODES = "/finesse/api/TeamResource/{id}/ReasonCodes"
"""About those that are offered to the members of one team."""
WAITING_CHANGES = "/finesse/api/User/{id}/WaitingChanges"
"""About the changes of a user's states that wait until the rules allow them."""
# The protocol has no nodes for these three: clients of XMPP get none of it.


def reason_codes_of(teams: Iterable[int]) -> tuple[str, ...]:
    """The nodes about the reason codes of these teams, and of everybody."""
    return (REASON_CODES, *(TEAM_REASON_CODES.format(id=team) for team in teams))


def nodes_of(login_id: str) -> tuple[str, ...]:
    """The nodes about a user on which something is published."""
    return tuple(node.format(id=login_id) for node in OF_A_USER)


def viewers_nodes_of(login_id: str) -> tuple[str, ...]:
    """The same, and what viewers' sockets alone get about a user."""
    of_viewers = (WAITING_CHANGES, LIMITS)
    return (*nodes_of(login_id), *(node.format(id=login_id) for node in of_viewers))


def empty_nodes_of(login_id: str) -> tuple[str, ...]:
    return tuple(node.format(id=login_id) for node in EMPTY_OF_A_USER)


def published_as(node: str) -> str:
    """The name under which the log has the node's notifications: its own, or the Media node's."""
    return _MEDIA_OF_ANY_MRD.sub(r"\1", node)


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
    return any(pattern.fullmatch(published_as(node)) for pattern in _OF_ANY_USER)


# Another name of the Media node, whatever the MRD: Cisco's pages have both.
_MEDIA_OF_ANY_MRD = re.compile(r"(/finesse/api/User/[^/]+/Media)/[1-9][0-9]{0,9}\Z")
_OF_ANY_USER = [
    re.compile(node.replace("{id}", "[^/]+")) for node in (*OF_A_USER, *EMPTY_OF_A_USER)
]
