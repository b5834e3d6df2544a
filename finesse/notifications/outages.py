"""Publishes that the service went out of service, and that it is back.

Clients watch for this notification, then poll SystemInfo [Cisco Finesse Failover Mechanisms]. The
worker publishes that the service is back, which it has just proved; the servers publish that it is
out of service, since a worker that has stopped cannot.
"""

from django.conf import settings
from django.db import transaction

from finesse import heartbeat
from finesse.notifications import log
from finesse.notifications.nodes import SYSTEM_INFO
from finesse.status.system_info import Status, represent


def publish_status(status: Status) -> None:
    """Publish this status, unless it was the last one published or is no longer true."""
    if log.head().status == status:
        return
    with transaction.atomic():
        head = log.lock()
        info = represent()
        # Before the lock was had another process may have published it, or the service changed.
        if head.status != status and info["status"] == status:
            head.status = status
            head.save(update_fields=["status"])
            log.append(
                head, [log.Entry(node=SYSTEM_INFO, source=SYSTEM_INFO, data={"systemInfo": info})]
            )


class OutageWatch:
    """One server's view of the heartbeats; publishes an outage that lasts.

    A part has stopped when its heartbeat was seen and has not changed for
    FINESSE_HEARTBEAT_SECONDS of this process's own clock: machines' clocks differ, a cache may be
    away for a moment or come back empty, and what has not started yet has not stopped.
    """

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._has_published = False

    def look(self, now: float) -> None:
        """Look once; `now` is in seconds of a monotonic clock."""
        pulse = heartbeat.pulse()
        for part, beat in pulse.beats.items():
            if self._beats.get(part) != beat:
                self._beats[part], self._changed_at[part] = beat, now
        quiet = now - min(self._changed_at.values(), default=now)
        if quiet <= settings.FINESSE_HEARTBEAT_SECONDS:
            self._has_published = False
        elif pulse.faults and not self._has_published:
            # Once an outage: a server that alone is cut off from the heartbeats must not publish
            # against a worker that keeps publishing that all is well.
            publish_status(Status.OUT_OF_SERVICE)
            self._has_published = True
