"""Actions and waiting changes as the page gets them, in JSON."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings

from finesse.api.xml import timestamp
from finesse.users.names import names_of
from media.breaks.queues import Queues
from media.documents.waiting import represent_waiting
from media.models import MediaRequest, MediaRoutingDomain
from media.supervision.undoing import ends_at
from media.supervision_tables import (
    ActionRow,
    SupervisorAction,
    WaitingChange,
    WaitingOutcome,
    WaitsFor,
)


def action_as_json(action: SupervisorAction) -> dict[str, Any]:
    """The action, with one result for each row: `refused`, `waiting`, or the outcome of its request
    (`pending`, `changed`, `ignored`, `error`)."""
    rows = list(action.rows.all())
    requests = MediaRequest.objects.in_bulk([row.request for row in rows if row.request])
    waiting = WaitingChange.objects.in_bulk([row.waiting for row in rows if row.waiting])
    results = [_row_as_json(row, requests, waiting) for row in rows]
    pending = sum(one["result"] == "pending" for one in results)
    return {
        "id": str(action.pk),
        "rows": results,
        "pending": pending,
        "undoSeconds": settings.FINESSE_UNDO_SECONDS,
        "undoUntil": None if pending else timestamp(ends_at(action, requests.values())),
        "undone": action.undone_at is not None,
    }


def _row_as_json(
    row: ActionRow, requests: dict[int, MediaRequest], waiting: dict[int, WaitingChange]
) -> dict[str, Any]:
    result, message = "refused", row.refusal
    if row.waiting:
        result, message = "waiting", _said_of_waiting(waiting.get(row.waiting))
    elif row.request:
        request = requests.get(row.request)
        result = (request.outcome or "pending") if request else "changed"
        message = request.error if request else ""
    return {
        "agentId": row.login_id,
        "mrdId": row.mrd_id,
        "result": result,
        "message": message,
        "mayWait": row.may_wait,
        "undone": row.undone,
    }


def _said_of_waiting(waiting: WaitingChange | None) -> str:
    if waiting is None:
        return ""
    if not waiting.outcome:
        return "waits for a free place" if waiting.waits_for == WaitsFor.PLACE else ""
    return str(WaitingOutcome(waiting.outcome).label)


def waiting_as_json(waiting: Iterable[WaitingChange]) -> list[dict[str, Any]]:
    """Changes that wait, with the names of people and MRDs, and the places in queues."""
    waiting, queues = [*waiting], Queues()
    names = names_of(login for one in waiting for login in (one.login_id, one.actor))
    mrds = MediaRoutingDomain.objects.in_bulk({one.mrd_id for one in waiting if one.mrd_id})
    return [
        {
            **represent_waiting(one, queues.place_of(one)),
            "userName": names.get(one.login_id, one.login_id),
            "actorName": names.get(one.actor, one.actor),
            "mrdName": mrds[one.mrd_id].name if one.mrd_id in mrds else "the desktop",
        }
        for one in waiting
    ]
