"""The values that elements of Media may have, for the description only."""

from typing import Any

from rest_framework import serializers

from finesse.api.fields import NamedChoiceField, NamedField, UriField
from media.models import DialogLogoutAction, InterruptAction
from media.states import MEDIA_STATES, Requested, State

STATE_CHANGE_TIME = (
    "When the state changed last: UTC with milliseconds, like 2015-09-11T06:55:14.782Z; empty if "
    "it never changed"
)
REASON = "The database id of a reason code, not its code"


def in_order(requests: frozenset[Requested]) -> list[str]:
    """The values of `<state>` in the order of `Requested`."""
    return [requested.value for requested in Requested if requested in requests]


class MediaStateField(NamedChoiceField):
    """The state of a Media [Agent States for Nonvoice Media]. That table prints WORK as
    WORK_NOT_READY; on the wire it is WORK [Media.States]."""

    values = State


class RequestedMediaStateField(NamedChoiceField):
    """A state to request for a Media [Media—Change State or Sign Out]. ACTIVE, for an agent in
    WORK, is our reading [Media—Change Agent from Work State to Active]."""

    values = in_order(MEDIA_STATES)


class InterruptActionField(NamedChoiceField):
    """Whether the agent accepts interruptions [Media API Parameters]."""

    values = InterruptAction.values


class DialogLogoutActionField(NamedChoiceField):
    """What happens to the agent's tasks at sign-out [Media API Parameters]."""

    values = DialogLogoutAction.values


class MaxDialogLimitField(NamedField, serializers.IntegerField):
    """The largest number of tasks at once, 1 to 10 [Media API Parameters]."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=10, **options)


class MediaUriField(UriField):
    """The path of a Media [Media API Parameters]."""

    path = "/User/{userId}/Media/{mrdId}"


class MediaDomainUriField(UriField):
    """The path of an MRD: our reading [Release Notes 12.6(2): Finesse]."""

    path = "/MediaDomain/{mrdId}"
