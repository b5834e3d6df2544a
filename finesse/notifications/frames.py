"""The JSON frames of the viewers' socket, as the ASGI messages that send them."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from finesse.api.xml import timestamp
from finesse.notifications.follower import AccessChanged
from finesse.notifications.models import Notification

RENDERED_FRAMES_KEPT = 2000
"""Frames that are kept for the next sockets that get them, about a kilobyte each."""


def message(item: Notification | AccessChanged) -> dict[str, Any]:
    """The frame, rendered once however many sockets there are."""
    if isinstance(item, AccessChanged):
        return {"type": "websocket.send", "text": json.dumps({"type": "access"})}
    return _rendered(
        item.position,
        item.node,
        item.source,
        item.event,
        item.request_id,
        item.at,
        item.update,
    )


# By content: positions begin anew in another log.
@lru_cache(maxsize=RENDERED_FRAMES_KEPT)
def _rendered(
    position: int, node: str, source: str, event: str, request_id: str, at: datetime, update: str
) -> dict[str, Any]:
    frame = {
        "type": "notification",
        "position": position,
        "node": node,
        "source": source,
        "event": event,
        "requestId": request_id or None,
        "at": timestamp(at),
        "update": update,
    }
    return {"type": "websocket.send", "text": json.dumps(frame)}
