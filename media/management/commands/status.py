"""`manage.py status`: is the service in service, and if not, what is stuck behind what?"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.utils import timezone

from finesse import heartbeat
from finesse.notifications.models import LogHead, TransportCursor
from media.models import MediaRequest

LONG_TRANSACTION_SECONDS = 1
"""The writer's batches take some hundredths of a second."""
_LONG_TRANSACTIONS = """
    SELECT session.pid, session.application_name, now() - session.xact_start,
           coalesce(session.wait_event_type, session.state), holders.names
    FROM pg_stat_activity AS session
    LEFT JOIN LATERAL (
        SELECT string_agg(format('%%s (%%s)', application_name, pid), ', ') AS names
        FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(session.pid))
    ) AS holders ON true
    WHERE session.datname = current_database() AND session.pid <> pg_backend_pid()
      AND session.xact_start < now() - make_interval(secs => %s)
    ORDER BY session.xact_start
"""


class Command(BaseCommand):
    help = (
        "Say whether the service is in service, what waits and since when. "
        "Ends with 1 if something is wrong."
    )
    # It has to say something while migrations are missing, too.
    requires_system_checks: Any = ()

    def handle(self, *args: Any, **options: Any) -> None:
        is_well = self._say_service()
        try:
            is_well &= self._say_migrations()
            for line in (*_requests(), *_log(), *_long_transactions()):
                self.stdout.write(line)
        except DatabaseError as error:
            is_well = False
            reason = str(error).strip().partition("\n")[0]
            self.stdout.write(f"database: does not answer ({reason})")
        if not is_well:
            sys.exit(1)

    def _say_service(self) -> bool:
        if not settings.REDIS_URL:
            self.stdout.write(
                "service: without REDIS_URL only its own process knows; ask /healthz there"
            )
            return True
        pulse = heartbeat.read()
        self.stdout.write("service: " + ("out of service" if pulse.faults else "in service"))
        for part, fault in pulse.faults.items():
            self.stdout.write(f"  {part}: {fault}")
        return not pulse.faults

    def _say_migrations(self) -> bool:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            self.stdout.write(f"migrations: {len(missing)} to be applied; run manage.py migrate")
        return not missing


def _requests() -> Iterator[str]:
    pending = MediaRequest.objects.filter(outcome=None)
    found = pending.aggregate(number=Count("pk"), since=Min("accepted_at"))
    if found["number"]:
        age = _seconds(timezone.now() - found["since"])
        yield f"requests: {found['number']} pending, the oldest for {age}"
    else:
        yield "requests: none pending"


def _log() -> Iterator[str]:
    head = LogHead.objects.get()
    yield f"log: position {head.position}"
    for cursor in TransportCursor.objects.order_by("name"):
        behind = head.position - cursor.position
        yield f"  {cursor.name}: " + (f"{behind} behind" if behind else "all handed over")


def _long_transactions() -> Iterator[str]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(_LONG_TRANSACTIONS, [LONG_TRANSACTION_SECONDS])
        rows = cursor.fetchall()
    limit = f"{LONG_TRANSACTION_SECONDS} s"
    yield f"transactions of more than {limit}: {len(rows) or 'none'}"
    for pid, name, age, doing, holders in rows:
        behind = f", behind {holders}" if holders else ""
        yield f"  {name or 'unnamed'} ({pid}): for {_seconds(age)}, {doing}{behind}"


def _seconds(age: timedelta) -> str:
    return f"{age.total_seconds():.1f} s"
