"""`manage.py status` says what is stuck, since when, and behind which process."""

import re
from datetime import timedelta
from io import StringIO
from threading import Thread
from time import monotonic

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from finesse import heartbeat
from finesse.process_name import LONGEST_NAME, process_name, role_of
from media import tasks
from media.models import MediaRequest
from tests.conftest import API, LOGIN
from tests.kit.database import session
from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS

pytestmark = pytest.mark.usefixtures("cast")


def status() -> tuple[int, str]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("status", stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_service_in_service_has_nothing_pending() -> None:
    tasks.sweep()
    code, said = status()
    assert code == 0, said
    assert "requests: none pending\n" in said
    assert "channels: all handed over\n" in said


def test_pending_requests_are_counted_and_the_oldest_dated(api: API) -> None:
    api.put(LOGIN)
    api.put(LOGIN, mrd=5000)
    early = timezone.now() - timedelta(hours=1)
    MediaRequest.objects.filter(mrd_id=5000).update(accepted_at=early)
    _, said = status()
    found = re.search(r"requests: 2 pending, the oldest for (\d+)", said)
    assert found, said
    assert 3600 <= int(found[1]) < 3700


def test_a_part_that_does_not_work_is_named(api: API) -> None:
    cache.delete(f"stamp:{heartbeat.SWEEP}")
    code, said = status()
    if ON_SERVICES:
        assert code == 1
        assert "out of service\n  sweep: not seen to work" in said
    else:
        assert "ask /healthz there" in said


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no list of sessions")
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_waits_is_named_with_the_one_that_it_waits_for() -> None:
    # Not in a transaction of the test, in which the list of sessions would stay as it is.
    lock = "SELECT pg_advisory_xact_lock(4711)"
    with session("finesse worker@a 1") as holder, session("finesse worker@b 2") as waiting:
        holder.execute(lock)
        thread = Thread(target=waiting.execute, args=[lock])
        thread.start()
        end = monotonic() + TIMEOUT_SECONDS
        while "behind finesse worker@a 1" not in (said := status()[1]) and monotonic() < end:
            pass
        holder.rollback()
        thread.join()
    (line,) = [line for line in said.splitlines() if "worker@b 2" in line and "behind" in line]
    assert line.startswith("  finesse worker@b 2 (")
    assert ", Lock, behind finesse worker@a 1 (" in line


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions with names")
def test_each_session_in_postgresql_has_the_name_of_its_process() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() == (process_name(),)


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["/x/bin/celery", "-A", "finesse", "worker", "-c", "2"], "worker"),
        (["/x/lib/celery/__main__.py", "-A", "finesse", "beat"], "beat"),
        (["manage.py", "xmpp_component"], "xmpp_component"),
        (["/x/bin/finesse-media", "run"], "run"),
        (["/x/lib/uvicorn/__main__.py", "finesse.asgi:application"], "server"),
        (["/x/bin/gunicorn", "finesse.wsgi"], "server"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_a_process_is_called_by_its_work(arguments: list[str], role: str) -> None:
    assert role_of(arguments) == role


def test_a_long_name_keeps_its_process_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "é" * 100)
    name = process_name()
    assert len(name.encode()) <= LONGEST_NAME
    assert name.rpartition(" ")[2].isdecimal()
