"""A connection to PostgreSQL that stays open and silent does not keep a worker for ever."""

import os
from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from media import tasks
from tests.faults.proxy import Network

pytestmark = [
    pytest.mark.skipif("REDIS_URL" not in os.environ, reason="SQLite has no connections"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Between this process and PostgreSQL."""
    made = Network(os.environ["DATABASE_URL"])
    with monkeypatch.context() as patched:
        host, _, port = made.url.rpartition("@")[2].partition("/")[0].partition(":")
        patched.setitem(connection.settings_dict, "HOST", host)
        patched.setitem(connection.settings_dict, "PORT", port)
        connection.close()
        yield made
    connection.close()
    made.end()


def test_a_task_leaves_a_silent_connection_and_the_next_one_opens_another(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.apply_requests()
    network.forget()
    with monkeypatch.context() as brief:
        brief.setattr(tasks, "LONGEST_WAIT_SECONDS", 0.5)
        with pytest.raises(OperationalError):
            tasks.apply_requests()
    tasks.apply_requests()
