"""The connection to the database breaks while a request is saved: is it, or is it not?"""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import OperationalError, connection

from finesse import wait_limit
from media.models import Cause, MediaRequest
from media.states import Requested
from media.writing import acceptance
from media.writing.requests import new_request
from tests.conftest import API, LOGIN
from tests.kit.database import session
from tests.kit.stopped_writer import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("cast")]

LOG_IN = LOGIN.removeprefix("<Media>")
BOTH = f"<MediaList><Media><id>5000</id>{LOG_IN}<Media><id>5001</id>{LOG_IN}</MediaList>"


def break_insert(monkeypatch: pytest.MonkeyPatch, *, is_committed: bool, waited: float = 0) -> None:
    insert, insert_many = acceptance._INSERT, MediaRequest.objects.bulk_create

    def one(request: MediaRequest) -> None:
        if is_committed:
            insert(request)
        wait_limit.count(waited)
        raise OperationalError("server closed the connection unexpectedly")

    def many(requests: Any) -> None:
        if is_committed:
            insert_many(requests)
        raise OperationalError("server closed the connection unexpectedly")

    # A new connection may take long on a busy machine.
    monkeypatch.setattr(acceptance, "LOOK_SECONDS", 60)
    monkeypatch.setattr(acceptance, "_INSERT", one)
    monkeypatch.setattr(acceptance.MediaRequest.objects, "bulk_create", many)


def test_a_request_whose_commit_was_not_answered_is_accepted(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_insert(monkeypatch, is_committed=True)
    assert api.put(LOGIN).status_code == 202
    assert MediaRequest.objects.count() == 1


@pytest.mark.skipif("REDIS_URL" not in os.environ, reason="SQLite has no such waits")
def test_so_is_one_whose_wait_for_the_answer_has_spent_the_bound_and_was_noticed(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_insert(monkeypatch, is_committed=True, waited=wait_limit.REQUEST_SECONDS)
    insert = acceptance._INSERT

    def saved(request: MediaRequest) -> None:
        try:
            insert(request)
        finally:
            monkeypatch.setattr(wait_limit, "standing_still", {wait_limit.DATABASE})

    monkeypatch.setattr(acceptance, "_INSERT", saved)
    assert api.put(LOGIN).status_code == 202
    assert MediaRequest.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions")
def test_a_request_is_accepted_that_is_saved_after_its_connection_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PostgreSQL goes on with what it was sent, and nobody is told of its commit."""
    monkeypatch.setattr(acceptance, "LOOK_SECONDS", 60)
    looked = threading.Event()
    knows = connection.knows  # type: ignore[attr-defined]

    def look(session: int) -> bool:
        known: bool = knows(session)
        looked.set()
        return known

    monkeypatch.setattr(connection, "knows", look)
    first, second = (
        new_request("alice", mrd, Requested.READY, cause=Cause.SELF, actor="alice")
        for mrd in (5000, 5001)
    )
    # A statement is prepared before it is executed for the first time, and that waits, too.
    acceptance.accept([first])
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
    wire = socket.socket(fileno=os.dup(connection.connection.fileno()))
    with session("of the test") as other, ThreadPoolExecutor() as pool, wire:
        other.execute("LOCK TABLE media_mediarequest IN EXCLUSIVE MODE")

        def break_the_wire_and_let_it_be_saved() -> None:
            waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            until(
                lambda: other.execute(waits, ["media_mediarequest"]).fetchone() is not None,
                "the request does not wait",
            )
            wire.shutdown(socket.SHUT_RDWR)
            looked.wait()
            other.commit()

        broken = pool.submit(break_the_wire_and_let_it_be_saved)
        try:
            with wait_limit.bounded(120):
                acceptance.accept([second])
        finally:
            looked.set()
            broken.result()
    assert MediaRequest.objects.filter(mrd_id=5001).exists()


def test_requests_of_a_list_whose_commit_was_not_answered_are_accepted(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_insert(monkeypatch, is_committed=True)
    assert api.request("PUT", "User/alice/Media", BOTH).status_code == 202
    assert MediaRequest.objects.count() == 2


def test_a_request_that_was_not_committed_is_answered_503(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another one, just before, is not taken for it.
    assert api.put(LOGIN).status_code == 202
    break_insert(monkeypatch, is_committed=False)
    assert api.put(LOGIN).status_code == 503
    assert MediaRequest.objects.count() == 1


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_sent_when_too_little_time_is_left_to_learn_whether_it_was_saved(
    count: int,
) -> None:
    requests = [
        new_request("alice", mrd, Requested.READY, cause=Cause.SELF, actor="alice")
        for mrd in (5000, 5001)[:count]
    ]
    with wait_limit.bounded():
        wait_limit.count(wait_limit.REQUEST_SECONDS - acceptance.SAVE_SECONDS / 2)
        with pytest.raises(OperationalError):
            acceptance.accept(requests)
    assert MediaRequest.objects.count() == 0
    with wait_limit.bounded():
        acceptance.accept(requests)
    assert MediaRequest.objects.count() == count


def test_nobody_can_tell_while_the_database_is_away(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **options: Any) -> Any:
        raise OperationalError("refused")

    break_insert(monkeypatch, is_committed=False)
    monkeypatch.setattr(acceptance.MediaRequest.objects, "filter", away)
    assert api.put(LOGIN).status_code == 503
