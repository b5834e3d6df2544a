"""HTTP and sockets for ASGI servers, behind a guard that keeps large bodies unread."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

import django
from channels.routing import ProtocolTypeRouter, URLRouter

django.setup(set_prefix=False)

# Whatever touches models can be imported only now that the apps are loaded.
from finesse.notifications import routing  # noqa: E402
from finesse.server.body_limit import BodyLimit  # noqa: E402
from finesse.server.handlers import ThreadedASGIHandler, take_over  # noqa: E402
from finesse.xmpp import routing as xmpp_routing  # noqa: E402
from finesse.xmpp.bosh import BOSHForwarder  # noqa: E402

take_over()
application: Any = ProtocolTypeRouter(
    {
        "http": BOSHForwarder(BodyLimit(ThreadedASGIHandler())),
        "websocket": URLRouter(
            # XMPP signs in within its stream, the viewers' socket at the handshake.
            [*xmpp_routing.websocket_urlpatterns, *routing.websocket_urlpatterns]
        ),
    }
)
