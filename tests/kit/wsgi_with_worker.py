"""The WSGI application, and the worker and beat in the same process.

On the embedded default, cache and broker are one process's own: a WSGI server by itself would be
out of service.
"""

import atexit

from finesse.celery import app
from finesse.server.embedded_worker import embedded_worker
from finesse.wsgi import application

__all__ = ["application"]

_worker = embedded_worker(app)
_worker.__enter__()
atexit.register(_worker.__exit__, None, None, None)
