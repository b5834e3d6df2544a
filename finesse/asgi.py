"""HTTP and sockets for ASGI servers, behind a guard that keeps large bodies unread."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Whatever touches models can be imported only now that the apps are loaded.
from finesse.api.body_limit import BodyLimit  # noqa: E402
from finesse.notifications.routing import websocket_urlpatterns  # noqa: E402
from finesse.notifications.socket_auth import socket_authentication  # noqa: E402

application: Any = ProtocolTypeRouter(
    {
        "http": BodyLimit(django_application),
        "websocket": socket_authentication(URLRouter(websocket_urlpatterns)),
    }
)
