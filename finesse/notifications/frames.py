"""The JSON frames of the viewers' socket, as the ASGI messages that send them."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from finesse.api.xml import timestamp
from finesse.notifications.follower import AccessChanged, LogRestored
from finesse.notifications.models import Notification
from finesse.notifications.places import Place

RENDERED_FRAMES_KEPT = 2000
"""Frames that are kept for the next sockets that get them, about a kilobyte each."""


def subscribed(resume: str, place: Place) -> dict[str, Any]:
    """The content of the frame that says how the subscription goes on, and where the log is."""
    return {"type": "subscribed", "position": place.number, "resume": resume}


def message(item: Notification | AccessChanged | LogRestored) -> dict[str, Any]:
    """The frame, rendered once however many sockets there are."""
    if isinstance(item, AccessChanged):
        return _sent({"type": "access"})
    if isinstance(item, LogRestored):
        return _sent(subscribed("reset", item.place))
    return _rendered(
        item.place.number,
        item.node,
        item.source,
        item.event,
        item.request_id,
        item.at,
        item.update,
        item.context,
    )


# By content, not by place: of two logs, too, clients get what was written.
@lru_cache(maxsize=RENDERED_FRAMES_KEPT)
def _rendered(
    position: int,
    node: str,
    source: str,
    event: str,
    request_id: str,
    at: datetime,
    update: str,
    context: str,
) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "type": "notification",
        "position": position,
        "node": node,
        "source": source,
        "event": event,
        "requestId": request_id or None,
        "at": timestamp(at),
        "update": update,
    }
    if context:
        frame["context"] = json.loads(context)
    return _sent(frame)


def _sent(frame: dict[str, Any]) -> dict[str, Any]:
    return {"type": "websocket.send", "text": json.dumps(frame)}
