"""Who has brought a state about, and why: in the `context` of notifications, and on pages."""

from collections.abc import Mapping

from media.models import Cause, IntervalCorrection, StateInterval
from media.states import Requested


def origin(
    *, cause: str, actor: str, note: str, requested: str, names: Mapping[str, str]
) -> dict[str, object]:
    """`names` are those of people by login id; one who is not in it was deleted, and has none."""
    return {
        "cause": cause,
        "actor": {"id": actor, "name": names.get(actor, "")} if actor else None,
        "note": note,
        "requested": requested,
    }


def origin_of(
    interval: StateInterval,
    correction: IntervalCorrection | None,
    names: Mapping[str, str],
    *,
    is_from_queue: bool = False,
) -> dict[str, object] | None:
    """Of the state of this interval, or of the last correction of its reason; None if it was the
    agent, without a note, who has not waited in a queue for it."""
    if correction:
        return origin(
            cause=Cause.SUPERVISOR,
            actor=correction.actor,
            note=correction.note,
            requested=Requested.CORRECT_REASON,
            names=names,
        )
    if interval.cause == Cause.SELF and not interval.note and not is_from_queue:
        return None
    by = origin(
        cause=interval.cause,
        actor=interval.actor,
        note=interval.note,
        requested=interval.state,
        names=names,
    )
    return {**by, "fromQueue": True} if is_from_queue else by
