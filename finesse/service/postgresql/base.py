"""The engine's connection; Django looks for it in a module of this name."""

import time

from django.db.backends.postgresql import base

IDLE = 1.0
"""Seconds without a statement after which a connection may have died without a word."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks a connection before its use in a request or a task, but one that was used just now.

    With CONN_HEALTH_CHECKS Django asks `SELECT 1` before each request, which is one in five
    statements of a PUT. Who meets a connection that has died within `IDLE` is told 503, and the
    next one finds that it has failed and opens another.
    """

    _used_at = 0.0

    def close_if_health_check_failed(self) -> None:
        now = time.monotonic()
        if now - self._used_at < IDLE:
            self.health_check_done = True
        self._used_at = now
        super().close_if_health_check_failed()
