"""REST API and admin for WSGI servers (production: one thread a worker)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

application = get_wsgi_application()
