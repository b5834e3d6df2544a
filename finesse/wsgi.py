"""REST API and admin for WSGI servers (docs/operations.md has how many threads)."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

import django

django.setup(set_prefix=False)

# It touches models, which can be imported only now that the apps are loaded.
from finesse.server.handlers import ThreadWSGIHandler, take_over  # noqa: E402

take_over()
application = ThreadWSGIHandler()

# What lives as long as the process need not be looked through again and again for garbage.
gc.collect()
gc.freeze()
