"""A waiting change as viewers see it, in notifications and pages."""

from collections.abc import Mapping
from typing import Any

from finesse.api.errors import TABLE
from finesse.api.xml import timestamp
from finesse.notifications.log import Entry
from finesse.notifications.models import Event
from finesse.notifications.nodes import MEDIA, USER, WAITING_CHANGES
from media.models import media_uri, user_uri
from media.states import Requested
from media.supervision_tables import QueuePlace, WaitingChange, WaitingOutcome, WaitsFor
from reasoncodes.documents import represent_embedded


def represent_waiting(waiting: WaitingChange, place: QueuePlace | None = None) -> dict[str, Any]:
    """The children of `<WaitingChange>`; Cisco has none. `place` is that in a queue."""
    reason_code = waiting.reason_code
    number, of = place or (None, None)
    return {
        "actor": waiting.actor,
        "cause": waiting.cause,
        "createdAt": timestamp(waiting.created_at),
        "endedAt": timestamp(waiting.ended_at),
        "endedBy": waiting.ended_by,
        "id": waiting.pk,
        "mrdId": waiting.mrd_id,
        "note": waiting.note,
        "outcome": waiting.outcome,
        "place": number,
        "placeOf": of,
        "ReasonCode": represent_embedded(reason_code) if reason_code else None,
        "requested": waiting.requested,
        "userId": waiting.login_id,
        "waitsFor": waiting.waits_for,
    }


def of_waiting(
    waiting: WaitingChange, place: QueuePlace | None = None, *, is_new: bool = False
) -> Entry:
    """That this change began to wait, moved up in its queue, or has ended: on a node for viewers'
    sockets alone."""
    node = WAITING_CHANGES.format(id=waiting.login_id)
    return Entry(
        node=node,
        source=f"{node}/{waiting.pk}",
        data={"WaitingChange": represent_waiting(waiting, place)},
        # It is told how it ended: nothing is deleted.
        event=Event.POST if is_new else Event.PUT,
    )


def entries_of(
    begun: Mapping[int, WaitingChange],
    ended: Mapping[int, WaitingChange],
    places: Mapping[int, tuple[WaitingChange, QueuePlace]],
) -> list[Entry]:
    """All that is told of changes that have ended or begun to wait, each by its id.

    `places` has those who wait in the same queues, whose places are others now.
    """
    told = [of_waiting(one, is_new=pk in begun) for pk, one in ended.items()]
    told += [error for one in ended.values() if (error := _error_of(one))]
    for pk, one in begun.items():
        if pk not in ended and pk not in places:
            told.append(of_waiting(one, is_new=True))
    return [*told, *(of_waiting(one, at, is_new=pk in begun) for pk, (one, at) in places.items())]


def _error_of(waiting: WaitingChange) -> Entry | None:
    """The outcome of the request that has waited, if it comes to nothing: with its requestId."""
    if waiting.request_id is None or waiting.outcome == WaitingOutcome.APPLIED:
        return None
    error = TABLE[_error_name(waiting)]()
    node, source = USER.format(id=waiting.login_id), user_uri(waiting.login_id)
    if waiting.mrd_id is not None:
        node = MEDIA.format(id=waiting.login_id)
        source = media_uri(waiting.login_id, waiting.mrd_id)
    return Entry(
        node=node,
        source=source,
        data=error.notification_data(media=waiting.mrd_id),
        request_id=waiting.request_id,
        is_error=True,
    )


def _error_name(waiting: WaitingChange) -> str:
    """The error with which the request would have been refused, if it had not waited."""
    if waiting.waits_for == WaitsFor.PLACE:
        return "REASON_CODE_FULL"
    if waiting.mrd_id is None:
        return "INVALID_STATE"
    modes = {Requested.ROUTABLE, Requested.NOT_ROUTABLE}
    return "ROUTABLE_INVALID" if waiting.requested in modes else "STATE_INVALID"
