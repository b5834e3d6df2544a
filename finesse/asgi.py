"""HTTP and sockets for ASGI servers. Bodies that are too large are refused unread."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

import django
from channels.routing import ProtocolTypeRouter, URLRouter

django.setup(set_prefix=False)

# Models, and the modules that import them, can be imported only when the apps are loaded.
from django.conf import settings  # noqa: E402

from finesse import readiness  # noqa: E402
from finesse.notifications import routing  # noqa: E402
from finesse.server.body_limit import BodyLimit  # noqa: E402
from finesse.server.demo_guard import DemoGuardASGI  # noqa: E402
from finesse.server.handlers import ThreadedASGIHandler  # noqa: E402
from finesse.server.liveness import LivenessASGI  # noqa: E402
from finesse.server.request_rules import RequestRulesASGI  # noqa: E402
from finesse.xmpp import routing as xmpp_routing  # noqa: E402
from finesse.xmpp.bosh import BOSHForwarder  # noqa: E402

application: Any = ProtocolTypeRouter(
    {
        "http": BOSHForwarder(BodyLimit(ThreadedASGIHandler())),
        "websocket": URLRouter(
            # XMPP clients sign in within their stream, the viewer's socket at the handshake.
            [*xmpp_routing.websocket_urlpatterns, *routing.websocket_urlpatterns]
        ),
    }
)
if settings.FINESSE_DEMO:
    application = DemoGuardASGI(application)
application = RequestRulesASGI(LivenessASGI(application))
readiness.announce()
