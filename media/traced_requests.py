"""Which requests the notifications of a batch are about: for traces, where they are on."""

from collections.abc import Sequence

from media.models import MediaRequest


def of_positions(positions: Sequence[int]) -> dict[int, MediaRequest]:
    """The requests whose outcomes have these positions in the log. Asks the database."""
    found = MediaRequest.objects.filter(position__in=positions)
    return {one.position: one for one in found if one.position is not None}
