"""REST API and admin for WSGI servers (docs/operations.md has how many threads)."""

import gc
import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

import django

django.setup(set_prefix=False)

# These import models, which can be imported only when the apps are loaded.
from django.conf import settings  # noqa: E402

from finesse import readiness  # noqa: E402
from finesse.server.body_limit import BodyLimitWSGI  # noqa: E402
from finesse.server.chunked_bodies import ChunkedBodiesWSGI  # noqa: E402
from finesse.server.demo_guard import DemoGuardWSGI  # noqa: E402
from finesse.server.handlers import ThreadWSGIHandler  # noqa: E402
from finesse.server.liveness import LivenessWSGI  # noqa: E402
from finesse.server.request_rules import RequestRulesWSGI  # noqa: E402

application: Any = ChunkedBodiesWSGI(BodyLimitWSGI(ThreadWSGIHandler()))
if settings.FINESSE_DEMO:
    application = DemoGuardWSGI(application)
application = RequestRulesWSGI(LivenessWSGI(application))

# These objects live as long as the process: the garbage collector need not look at them again.
gc.collect()
gc.freeze()
readiness.announce()
