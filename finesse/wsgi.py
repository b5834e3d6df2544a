"""REST API and admin for WSGI servers (docs/operations.md has how many threads)."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

import django

django.setup(set_prefix=False)

# It imports models, which can be imported only when the apps are loaded.
from finesse.server.handlers import ThreadWSGIHandler  # noqa: E402

application = ThreadWSGIHandler()

# These objects live as long as the process: the garbage collector need not look at them again.
gc.collect()
gc.freeze()
