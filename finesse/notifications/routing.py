"""Paths of the sockets."""

from typing import Any

from django.urls import path, re_path

from finesse.notifications.consumers import NotificationsConsumer
from finesse.notifications.socket_auth import refuse, socket_authentication


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A socket to an address that has none: 404."""
    await refuse(scope, send, 404)


websocket_urlpatterns: list[Any] = [
    path("ws/notifications/", socket_authentication(NotificationsConsumer.as_asgi())),
    re_path(r"^", nowhere),  # type: ignore[arg-type]
]
