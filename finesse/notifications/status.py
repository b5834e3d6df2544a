"""Telling the followers that the service went out of service, and that it is back.

Clients watch for this notification, then poll SystemInfo [Cisco Finesse Failover Mechanisms]. The
worker tells that the service is back, which it has just proved; that it is out of service is told
by the servers, since a worker that has stopped cannot.
"""

from django.conf import settings
from django.db import transaction

from finesse import heartbeat
from finesse.notifications import log
from finesse.notifications.nodes import SYSTEM_INFO
from finesse.notifications.publisher import announce
from finesse.status.system_info import Status, represent


def tell_status(status: Status) -> None:
    """Publish this status, unless the followers know it already or it is no longer true."""
    if log.head().status == status:
        return
    with transaction.atomic():
        head = log.lock()
        info = represent()
        # Another process may have told it, or the service have changed, before the lock was had.
        if head.status != status and info["status"] == status:
            head.status = status
            head.save(update_fields=["status"])
            log.append(
                head, [log.Entry(node=SYSTEM_INFO, source=SYSTEM_INFO, data={"systemInfo": info})]
            )
            transaction.on_commit(announce)


class Watch:
    """One server's look at the heartbeats, which tells of an outage that lasts.

    A part has stopped when it was seen to beat and its beat has not changed for
    FINESSE_HEARTBEAT_SECONDS of this process's own clock: machines' clocks differ, a cache may be
    away for a moment or come back empty, and what has not started yet has not stopped.
    """

    def __init__(self) -> None:
        self._beats: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._has_told = False

    def look(self, now: float) -> None:
        """Look once; `now` is in seconds of a clock that nobody sets."""
        pulse = heartbeat.pulse()
        for part, beat in pulse.beats.items():
            if self._beats.get(part) != beat:
                self._beats[part], self._changed_at[part] = beat, now
        quiet = now - min(self._changed_at.values(), default=now)
        if quiet <= settings.FINESSE_HEARTBEAT_SECONDS:
            self._has_told = False
        elif pulse.faults and not self._has_told:
            # Once an outage: a server that alone is cut off from the heartbeats must not contend
            # with a worker that goes on telling that all is well.
            tell_status(Status.OUT_OF_SERVICE)
            self._has_told = True
