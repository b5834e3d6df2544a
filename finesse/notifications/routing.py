"""Addresses of the viewers' socket."""

from typing import Any

from django.urls import path, re_path

from finesse.notifications.consumers import NotificationsConsumer
from finesse.notifications.socket_auth import refuse, socket_authentication


async def not_found(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a WebSocket to any other address with 404."""
    await refuse(scope, send, 404)


websocket_urlpatterns: list[Any] = [
    path("ws/notifications/", socket_authentication(NotificationsConsumer.as_asgi())),
    re_path(r"^", not_found),  # type: ignore[arg-type]
]
