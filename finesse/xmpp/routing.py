"""Where XMPP clients find the WebSocket: Finesse's own ask for `/ws` and `/ws/` alike."""

from typing import Any

from django.urls import re_path

from finesse.xmpp.consumer import XMPPConsumer

websocket_urlpatterns: list[Any] = [re_path(r"^ws/?$", XMPPConsumer.as_asgi())]
