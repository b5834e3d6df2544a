"""Many rows in one statement: the table holds what the ORM would have put there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.db.bulk import Among, BulkInsert, BulkUpdate, keys
from finesse.db.statements import Placeholder, Statement
from finesse.notifications.models import Notification
from media.models import Media, MediaRequest, StateInterval
from media.writing.history import close_intervals
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

ODD = "%s %% {} \" ' \\ \t \n 日本 \U0001f600 null 0010"
NOW = datetime(2026, 11, 25, 15, 0, 0, 123456, UTC)


def values(instance: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(instance).items() if name not in {"_state", "id"}}


@pytest.fixture
def intervals(cast: Cast, codes: dict[str, ReasonCode]) -> list[StateInterval]:
    common = {"login_id": "alice", "cause": "self", "actor": "alice"}
    return [
        StateInterval(mrd_id=5000, state="READY", started_at=NOW, ended_at=NOW, **common),
        StateInterval(
            mrd_id=5000,
            state="NOT_READY",
            reason_code_id=codes["Lunch"].pk,
            code=codes["Lunch"].code,
            label=ODD,
            started_at=NOW,
            **common,
        ),
        StateInterval(mrd_id=5001, state="READY", started_at=NOW, **common),
    ]


def test_inserted_rows_are_the_instances_in_their_order(intervals: list[StateInterval]) -> None:
    BulkInsert(StateInterval)(intervals)
    read = StateInterval.objects.order_by("id")
    assert [values(one) for one in read] == [values(one) for one in intervals]


def test_rows_are_written_by_one_statement_and_none_by_none(
    intervals: list[StateInterval],
) -> None:
    with CaptureQueriesContext(connection) as asked:
        BulkInsert(StateInterval)([])
        BulkUpdate(StateInterval, ("label",))([])
        assert len(asked) == 0
        BulkInsert(StateInterval)(intervals)
        assert len(asked) == 1


def test_the_largest_numbers_and_empty_texts_are_kept(db: None) -> None:
    position = 2**63 - 1
    published = Notification(
        position=position, node="n", source="s", event="PUT", at=NOW, update=""
    )
    BulkInsert(Notification)([published])
    assert values(Notification.objects.get()) == values(published)


def test_a_row_that_the_database_refuses_takes_the_others_with_it(
    intervals: list[StateInterval],
) -> None:
    intervals[0].ended_at = NOW - timedelta(seconds=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        BulkInsert(StateInterval)(intervals)
    assert not StateInterval.objects.exists()


def test_an_update_changes_the_fields_that_it_names_of_the_rows_that_it_is_given(
    cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    Media.objects.filter(user="alice").update(
        state="READY",
        routable=True,
        state_change_time=NOW,
        max_dialog_limit=3,
        interrupt_action="ACCEPT",
        dialog_logout_action="CLOSE",
    )
    chat, email = Media.objects.filter(user="alice").order_by("mrd")
    untouched = values(email)
    chat.state, chat.reason_code, chat.routable = "NOT_READY", codes["Lunch"], False
    expected = values(chat) | {"max_dialog_limit": 3}
    chat.max_dialog_limit = 5
    BulkUpdate(Media, ("state", "reason_code", "routable"))([chat])
    assert values(Media.objects.get(pk=chat.pk)) == expected
    assert values(Media.objects.get(pk=email.pk)) == untouched


def test_an_update_can_take_a_value_away(cast: Cast) -> None:
    media = Media.objects.filter(user="alice")[0]
    Media.objects.filter(pk=media.pk).update(state_change_time=NOW)
    media.state_change_time = None
    BulkUpdate(Media, ("state_change_time",))([media])
    assert Media.objects.get(pk=media.pk).state_change_time is None


def test_an_update_makes_no_rows(db: None) -> None:
    BulkUpdate(MediaRequest, ("error",))([MediaRequest(pk=1, error="x")])
    assert not MediaRequest.objects.exists()


def test_closing_ends_what_is_open_of_the_keys_that_are_named_and_of_no_other(
    intervals: list[StateInterval],
) -> None:
    StateInterval.objects.bulk_create(intervals)
    later = NOW + timedelta(minutes=1)
    close_intervals([("alice", 5000), ("bob", 5001)], later)
    ends = StateInterval.objects.order_by("id").values_list("ended_at", flat=True)
    assert [*ends] == [NOW, later, None]


def test_closing_ends_nothing_before_it_began(intervals: list[StateInterval]) -> None:
    StateInterval.objects.bulk_create(intervals)
    close_intervals([("alice", 5000)], NOW - timedelta(minutes=1))
    assert StateInterval.objects.get(state="NOT_READY").ended_at == NOW


def test_keys_are_compared_as_pairs_and_as_what_they_are(cast: Cast) -> None:
    found = Statement(
        lambda: Media.objects.filter(Among("user", "mrd", Placeholder("keys"))).select_related(
            "mrd"
        )
    )

    def of(*wanted: tuple[str, int]) -> set[tuple[str, int]]:
        return {(one.user_id, one.mrd_id) for one in found.all(keys=keys(wanted))}

    assert of(("alice", 5000), ("bob", 5001)) == {("alice", 5000)}
    assert of(("alice", 5001), ("bob", 5002), ("alice", 5001)) == {("alice", 5001), ("bob", 5002)}
    assert of(("' OR 1=1 --", 5000), ("Alice", 5000), ("", 5000)) == set()
    assert of() == set()


def test_moments_are_the_same_whatever_the_zone(cast: Cast) -> None:
    now = timezone.now()
    media = Media.objects.filter(user="alice")[0]
    media.state_change_time = now.astimezone(timezone.get_fixed_timezone(330))
    BulkUpdate(Media, ("state_change_time",))([media])
    assert Media.objects.get(pk=media.pk).state_change_time == now
