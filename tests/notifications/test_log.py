"""Reading the log of some nodes: segment by segment, and the same as if it were one."""

from collections.abc import Collection
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import SEGMENT, LogHead, Notification

pytestmark = pytest.mark.django_db
NODES = ("/a", "/b", "/c")
LAST = 300 * SEGMENT


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement's share, so that these few notifications take several. Two nodes are few."""
    monkeypatch.setattr(log, "FEW_NODES", 2)
    monkeypatch.setattr(log, "NEAR_POSITIONS", SEGMENT + 1)
    monkeypatch.setattr(log, "FIRST_SEGMENTS", 2)
    monkeypatch.setattr(log, "LOOK_UPS_PER_STATEMENT", 64)


@pytest.fixture
def positions() -> list[int]:
    """Where there is something: at the borders of segments, close together and far apart."""
    borders = [number * SEGMENT for number in (1, 2, 3, 10, 11, 40, 41, 290)]
    near = [border + distance for border in borders for distance in (-1, 0, 1)]
    made = [1, 2, *near, LAST - 1, LAST]
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(
            position=position,
            node=NODES[number % len(NODES)],
            source="/a",
            event="PUT",
            at=now,
            update="<Update/>",
        )
        for number, position in enumerate(made)
    )
    LogHead.objects.update(position=LAST)
    return made


def of(positions: Collection[int], nodes: Collection[str]) -> list[int]:
    """Those of the positions that are of the nodes, by looking at each."""
    found = Notification.objects.in_bulk(list(positions))
    return [position for position in sorted(found) if found[position].node in nodes]


@pytest.mark.parametrize("nodes", [["/a"], ["/a", "/c"], NODES, ["/nobody"], []])
@pytest.mark.parametrize("limit", [1, 5, 500])
def test_what_follows_any_position_is_read_in_order(
    positions: list[int], nodes: Collection[str], limit: int
) -> None:
    for after in (-(10**18), -1, 0, *positions, 10**18):
        published = [one.position for one in log.read(after=after, nodes=nodes, limit=limit)]
        assert published == of([one for one in positions if one > after], nodes)[:limit]


@pytest.mark.parametrize("nodes", [["/a"], ["/a", "/c"], NODES, ["/nobody"], []])
@pytest.mark.parametrize("limit", [1, 5, 500])
def test_the_newest_before_any_position_are_read_in_order(
    positions: list[int], nodes: Collection[str], limit: int
) -> None:
    for before in (-(10**18), -1, 0, *positions, 10**18):
        published = [one.position for one in log.newest(nodes, before=before, limit=limit)]
        assert published == of([one for one in positions if one < before], nodes)[-limit:]
    published = [one.position for one in log.newest(nodes, limit=limit)]
    assert published == of(positions, nodes)[-limit:]


def test_reading_ends_at_the_given_position(positions: list[int]) -> None:
    for upto in (0, *positions):
        published = [one.position for one in log.read(after=0, upto=upto, nodes=NODES)]
        assert published == [one for one in positions if one <= upto]


def test_an_empty_log_has_nothing_to_read() -> None:
    assert log.read(after=0, nodes=NODES) == []
    assert log.newest(NODES) == []


def test_what_was_pruned_is_not_looked_through(
    positions: list[int], django_assert_num_queries: Any
) -> None:
    Notification.objects.filter(position__lt=LAST - 1).delete()
    with django_assert_num_queries(3):  # The head, the floor, and one segment.
        assert len(log.newest(NODES)) == 2


def test_a_supervisor_of_many_need_not_wait_for_whole_segments(
    positions: list[int], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert len(log.read(after=0, upto=LAST, nodes=NODES, limit=5)) == 5


@pytest.fixture
def of_many_users() -> None:
    """As many as it takes for the database to want an index: 5,000 of 1,000 nodes."""
    now = timezone.now()
    Notification.objects.bulk_create(
        Notification(
            position=10 * number,
            node=f"/{number % 1000}",
            source="/a",
            event="PUT",
            at=now,
            update="<Update/>" * 50,
        )
        for number in range(1, 5001)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.usefixtures("of_many_users")
@pytest.mark.parametrize("nodes", [["/7"], ["/7", "/8"]])
@pytest.mark.parametrize("asked", [range(1, 50_001), range(50_000, 0, -1)])
def test_nodes_are_found_by_their_index(nodes: list[str], asked: range) -> None:
    found = log.in_segments(asked, nodes)[:5]
    assert len(found) == 5
    plan = found.explain()
    assert "notification_of_node" in plan
    if len(nodes) == 1:
        # Of so few rows PostgreSQL may sort them as well, if the table's pages are half empty.
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_bitmapscan = off")
            plan = found.explain()
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
