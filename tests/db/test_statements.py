"""Compiled statements and cached answers: the results are the same as without them."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import (
    DatabaseError,
    IntegrityError,
    InternalError,
    OperationalError,
    connection,
    connections,
    transaction,
)
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.db import redis_cache as redis_cache
from finesse.db.postgresql import base
from finesse.db.statements import Insertion, Placeholder, Statement
from finesse.notifications import log
from media.documents import media as documents
from media.models import Media, MediaRequest
from media.states import State
from reasoncodes.documents import represent
from reasoncodes.models import ReasonCode
from reasoncodes.selection import listed_for, selectable_by, selected_by
from tests.conftest import Cast

on_postgresql = connection.vendor == "postgresql"


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param(
            True,
            id="prepared",
            marks=pytest.mark.skipif(not on_postgresql, reason="Prepared on PostgreSQL alone"),
        ),
        pytest.param(False, id="cursors"),
    ],
)
def is_prepared(request: pytest.FixtureRequest, settings: Any) -> bool:
    """Both ways that a statement can go have to do the same."""
    settings.FINESSE_PREPARED_STATEMENTS = request.param
    return bool(request.param)


@pytest.fixture
def of_user() -> Statement[Media]:
    return Statement(
        lambda: Media.objects.filter(user=Placeholder("login_id")).select_related(
            "mrd", "reason_code"
        )
    )


def values(instance: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(instance).items() if name != "_state"}


def test_rows_are_the_models_that_the_orm_makes(
    cast: Cast, codes: dict[str, ReasonCode], of_user: Statement[Media]
) -> None:
    Media.objects.filter(user="alice", mrd=5000).update(
        state="NOT_READY",
        state_change_time=timezone.now(),
        reason_code=codes["Lunch"],
        max_dialog_limit=3,
        interrupt_action="ACCEPT",
        dialog_logout_action="CLOSE",
    )
    for login_id in ("alice", "bob", "carol", "alice"):
        made = of_user.all(login_id=login_id)
        expected = Media.objects.filter(user=login_id).select_related("mrd", "reason_code")
        assert list(map(values, made)) == list(map(values, expected))
        for ours, theirs in zip(made, expected, strict=True):
            assert values(ours.mrd) == values(theirs.mrd)
            assert (ours.reason_code and values(ours.reason_code)) == (
                theirs.reason_code and values(theirs.reason_code)
            )


def test_rows_without_models_have_the_values_that_models_have(
    cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(translations={"de": "Mittag"})
    models = selectable_by(cast.alice, "NOT_READY")
    assert [one.label for one in models] == ["Lunch", "Coaching"]
    for translated in (True, False):
        rows = listed_for(cast.alice, "NOT_READY", translated=translated)
        assert [represent(row, ("de",)) for row in rows] == [
            represent(model, ("de",) if translated else ()) for model in models
        ]


@pytest.mark.parametrize("state", State)
def test_a_media_shown_without_models_is_the_one_that_models_show(
    cast: Cast, codes: dict[str, ReasonCode], state: State
) -> None:
    options: dict[str, Any] = {}
    if state != State.LOGOUT:
        options = {
            "max_dialog_limit": 3,
            "interrupt_action": "ACCEPT",
            "dialog_logout_action": "CLOSE",
        }
    Media.objects.filter(user="alice", mrd=5000).update(
        state=state,
        state_change_time=timezone.now(),
        reason_code=codes["Lunch"] if state == State.NOT_READY else None,
        **options,
    )
    for mrd_id in (5000, 5001):
        row = documents.shown("alice", mrd_id)
        model = Media.objects.get(user="alice", mrd=mrd_id)
        assert row is not None
        assert documents.represent(row) == documents.represent(model)
    assert documents.shown("alice", 7) is None
    assert documents.shown("nobody", 5000) is None


def test_related_rows_come_along(cast: Cast, of_user: Statement[Media]) -> None:
    media = of_user.all(login_id="alice")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert [one.mrd.name for one in media] == ["Chat", "Email"]
        assert [one.reason_code for one in media] == [None, None]
    assert len(asked) == 0


def test_a_row_that_does_not_exist_is_none(cast: Cast, of_user: Statement[Media]) -> None:
    assert of_user.first(login_id="nobody") is None


def test_a_forgotten_value_is_an_error_and_no_null(cast: Cast, of_user: Statement[Media]) -> None:
    with pytest.raises(KeyError):
        of_user.all(user="alice")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_closed_is_opened_again(
    cast: Cast, of_user: Statement[Media]
) -> None:
    assert len(of_user.all(login_id="alice")) == 2
    connection.close()
    assert len(of_user.all(login_id="alice")) == 2


def test_execute_wrappers_see_the_statement(cast: Cast, of_user: Statement[Media]) -> None:
    heard: list[str] = []

    def listen(execute: Any, sql: str, *more: Any) -> Any:
        heard.append(sql)
        return execute(sql, *more)

    of_user.all(login_id="alice")
    with connection.execute_wrapper(listen):
        of_user.all(login_id="alice")
    of_user.all(login_id="alice")
    assert len(heard) == 1


def test_a_statement_that_fails_is_djangos_error_and_no_harm_to_the_next(
    cast: Cast, of_user: Statement[Media]
) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        of_user.all(login_id=object())
    assert len(of_user.all(login_id="alice")) == 2


@pytest.mark.django_db(transaction=True)
def test_each_thread_asks_by_its_own_connection(cast: Cast, of_user: Statement[Media]) -> None:
    found: list[int] = []

    def ask() -> None:
        try:
            found.append(len(of_user.all(login_id="alice")))
        finally:
            connection.close()

    of_user.all(login_id="alice")
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2, 2, 2, 2]


def test_an_inserted_row_is_the_instance(cast: Cast, codes: dict[str, ReasonCode]) -> None:
    request = MediaRequest(
        login_id="alice",
        mrd_id=5000,
        requested="NOT_READY",
        reason_code=codes["Lunch"],
        request_id="r%s-'1",
        actor="alice",
        accepted_at=timezone.now(),
    )
    Insertion(MediaRequest)(request)
    read = values(MediaRequest.objects.get())
    assert read.pop("id")
    assert read == {
        name: value for name, value in values(request).items() if name in read and name != "id"
    }


# --- transactions and connections -----------------------------------------------------------------


def a_request(login_id: str = "alice") -> MediaRequest:
    return MediaRequest(
        login_id=login_id,
        mrd_id=5000,
        requested="READY",
        actor=login_id,
        accepted_at=timezone.now(),
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", [0, 1], ids=["the first statement", "a later one"])
def test_what_a_transaction_has_written_is_undone_with_it(before: int) -> None:
    insert = Insertion(MediaRequest)
    insert(a_request())
    with transaction.atomic():
        for _ in range(before):
            log.lock()
        insert(a_request("bob"))
        insert(a_request("carol"))
        transaction.set_rollback(True)
    assert [one.login_id for one in MediaRequest.objects.all()] == ["alice"]
    insert(a_request("dora"))
    assert MediaRequest.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_uncommitted_change_is_invisible_to_other_connections() -> None:
    insert = Insertion(MediaRequest)
    seen: list[int] = []

    def look() -> None:
        seen.append(MediaRequest.objects.count())
        connection.close()

    with transaction.atomic():
        insert(a_request())
        insert(a_request())
        looking = threading.Thread(target=look)
        looking.start()
        looking.join()
    assert seen == [0]
    assert MediaRequest.objects.count() == 2


@pytest.mark.skipif(not on_postgresql, reason="SQLite goes on after a row that it has refused")
@pytest.mark.django_db(transaction=True)
def test_after_a_refused_row_a_transaction_can_only_end(
    cast: Cast, of_user: Statement[Media]
) -> None:
    refused = a_request()
    refused.requested = "NONSENSE"
    with transaction.atomic():
        log.lock()
        with pytest.raises(IntegrityError):
            Insertion(MediaRequest)(refused)
        with pytest.raises(InternalError):
            of_user.all(login_id="alice")
        transaction.set_rollback(True)
    assert len(of_user.all(login_id="alice")) == 2


@pytest.mark.skipif(not on_postgresql, reason="SQLite's connections cannot die")
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_dies_is_the_database_being_away_and_the_next_request_has_another(
    cast: Cast, of_user: Statement[Media]
) -> None:
    of_user.all(login_id="alice")
    pid = connection.connection.info.backend_pid

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
        connection.close()

    ending = threading.Thread(target=end)
    ending.start()
    ending.join()
    with pytest.raises(OperationalError):
        of_user.all(login_id="alice")
    connection.close_if_unusable_or_obsolete()
    assert len(of_user.all(login_id="alice")) == 2


@pytest.mark.django_db(transaction=True)
def test_moments_are_the_same_whatever_the_zone_and_come_back_in_utc() -> None:
    moment = datetime(2026, 7, 1, 1, 2, 3, 456789, tzinfo=ZoneInfo("Pacific/Auckland"))
    request = a_request()
    request.accepted_at = moment
    Insertion(MediaRequest)(request)
    read = MediaRequest.objects.get().accepted_at
    assert read == moment
    assert read.tzinfo == UTC


def test_agents_of_no_team_may_choose_global_codes_alone(
    cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    assert [one.label for one in selectable_by(cast.carol, "NOT_READY")] == ["Lunch"]
    assert [one.label for one in selectable_by(cast.alice, "NOT_READY")] == ["Lunch", "Coaching"]
    assert selected_by(cast.carol, "NOT_READY", codes["Coaching"].pk) is None
    assert selected_by(cast.alice, "NOT_READY", codes["Coaching"].pk) == codes["Coaching"]


# --- checks of connections ------------------------------------------------------------------------


class Idleness:
    """A clock of its own, and a connection that is kept and checked, as in service."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.checks = 0
        usable = base.DatabaseWrapper.is_usable

        def count(wrapper: Any) -> bool:
            self.checks += 1
            return usable(wrapper)

        monkeypatch.setattr(base, "_monotonic", lambda: self.now)
        monkeypatch.setattr(base.DatabaseWrapper, "is_usable", count)
        connection.ensure_connection()
        monkeypatch.setattr(connections["default"], "close_at", None)
        monkeypatch.setattr(connections["default"], "health_check_enabled", True)

    def passes(self, seconds: float = base.UNCHECKED_SECONDS) -> None:
        self.now += seconds


@pytest.fixture
def idleness(monkeypatch: pytest.MonkeyPatch) -> Iterator[Idleness]:
    if not on_postgresql:
        pytest.skip("SQLite's connections cannot die")
    yield Idleness(monkeypatch)
    # What a test has left open belongs to it.
    connection.close()


@pytest.mark.django_db(transaction=True)
class TestIdleness:
    def test_a_connection_is_checked_once_it_was_idle(self, idleness: Idleness) -> None:
        idleness.passes()
        MediaRequest.objects.count()
        begun = idleness.checks
        for _ in range(2):
            idleness.passes(base.UNCHECKED_SECONDS / 2)
            MediaRequest.objects.count()
        assert idleness.checks == begun
        idleness.passes()
        MediaRequest.objects.count()
        assert idleness.checks == begun + 1

    @pytest.mark.parametrize("opened", [True, False], ids=["open", "closed"])
    def test_a_transaction_can_be_the_first_after_a_while(
        self, idleness: Idleness, opened: bool
    ) -> None:
        if not opened:
            connection.close()
        idleness.passes()
        with transaction.atomic():
            Insertion(MediaRequest)(a_request())
        assert connection.get_autocommit()
        connection.close()
        assert MediaRequest.objects.count() == 1

    def test_a_connection_can_be_opened_after_a_while(self, idleness: Idleness) -> None:
        connection.close()
        idleness.passes()
        connection.ensure_connection()
        assert connection.get_autocommit()

    def test_a_transaction_may_take_its_time(self, idleness: Idleness) -> None:
        with transaction.atomic():
            log.lock()
            begun = idleness.checks
            idleness.passes()
            Insertion(MediaRequest)(a_request())
            idleness.passes()
            assert MediaRequest.objects.count() == 1
            idleness.passes()
        assert connection.get_autocommit()
        assert idleness.checks == begun
        connection.close()
        assert MediaRequest.objects.count() == 1


@pytest.mark.skipif(not on_postgresql, reason="SQLite prepares anew by itself")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    ["DEALLOCATE ALL", "ALTER TABLE media_mediaroutingdomain ALTER name TYPE varchar(80)"],
)
def test_what_has_become_of_a_prepared_statement_harms_one_execution_at_most(
    change: str, cast: Cast, of_user: Statement[Media]
) -> None:
    of_user.all(login_id="alice")
    with connection.cursor() as cursor:
        cursor.execute(change)
    with contextlib.suppress(DatabaseError):
        of_user.all(login_id="alice")
    try:
        assert [one.mrd.name for one in of_user.all(login_id="alice")] == ["Chat", "Email"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE media_mediaroutingdomain ALTER name TYPE varchar(64)")


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_of_a_transaction_is_an_error() -> None:
    with transaction.atomic():
        assert log.lock().pk == 1
    with pytest.raises(TransactionManagementError):
        log.lock()
