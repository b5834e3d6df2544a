"""REST API and admin for WSGI servers (docs/operations.md has how many threads)."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

application = get_wsgi_application()

# What lives as long as the process need not be looked through again and again for garbage.
gc.collect()
gc.freeze()
