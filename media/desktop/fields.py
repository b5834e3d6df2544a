"""The values that elements of User and Team may have, for the description only."""

from finesse.api.fields import NamedChoiceField, UriField
from media.api.fields import in_order
from media.states import DESKTOP_TRANSITIONS, USER_STATES

_STATES_OF_TELEPHONES = (
    "RESERVED",
    "RESERVED_OUTBOUND",
    "RESERVED_OUTBOUND_PREVIEW",
    "TALKING",
    "HOLD",
    "WORK",
    "WORK_READY",
    "UNKNOWN",
)
"""Only a telephone leads to these states of Finesse; this server has none."""
ROLES = ("Agent", "Supervisor", "Administrator")


class UserStateField(NamedChoiceField):
    """The state of a desktop, which is that of the voice MRD [User]."""

    values = dict.fromkeys((*DESKTOP_TRANSITIONS, *_STATES_OF_TELEPHONES))


class RequestedUserStateField(NamedChoiceField):
    """A state to request for a desktop [User APIs for Nonvoice Tasks]."""

    values = in_order(USER_STATES)


class RoleField(NamedChoiceField):
    """A role of a user [User]."""

    values = ROLES


class UserUriField(UriField):
    """The path of a user [User]."""

    path = "/User/{userId}"


class TeamUriField(UriField):
    """The path of a team [Team]."""

    path = "/Team/{id}"
