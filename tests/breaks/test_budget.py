"""What is left of a day's budget, beside an obvious sum: minute by minute, through both changes of
clocks."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from media.breaks.budget import Span, day_of, joined, used, used_up_at

MINUTE = timedelta(minutes=1)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu")
BEGINNINGS = (
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # Before a night of Berlin that has 23 hours.
    datetime(2026, 10, 24, 20, tzinfo=UTC),  # And one of 25.
    datetime(2026, 3, 7, 20, tzinfo=UTC),  # The same in Los Angeles.
    datetime(2026, 10, 31, 20, tzinfo=UTC),
)


def random_spans(dice: random.Random, beginning: datetime) -> list[Span]:
    """Some that overlap, as of an agent in several MRDs, over two days."""
    found = []
    for _ in range(dice.randrange(8)):
        began = beginning + MINUTE * dice.randrange(2 * 24 * 60)
        found.append((began, began + MINUTE * dice.randrange(180)))
    return found


def is_in(minute: datetime, spans: list[Span]) -> bool:
    return any(began <= minute < ended for began, ended in spans)


def minutes_used(spans: list[Span], zone: ZoneInfo, until: datetime) -> int:
    """Of the day that `until` belongs to: every minute of it, one after another."""
    minute, count = until - timedelta(hours=26), 0
    while minute < until:
        is_of_the_day = minute.astimezone(zone).date() == until.astimezone(zone).date()
        count += is_of_the_day and is_in(minute, spans)
        minute += MINUTE
    return count


def first_minute_over(
    began: datetime, before: list[Span], budget: int, zone: ZoneInfo
) -> datetime | None:
    """Goes through the stay minute by minute, and counts each day from its midnight."""
    count, minute = minutes_used(before, zone, began), began
    for _ in range(3 * 25 * 60):
        if count >= budget:
            return minute
        day = minute.astimezone(zone).date()
        minute += MINUTE
        count += 1
        if minute.astimezone(zone).date() != day:
            count = 0
    return None


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("seed", range(30))
def test_what_is_used_of_a_day_is_the_sum_of_its_minutes(name: str, seed: int) -> None:
    dice, zone = random.Random(f"{name}{seed}"), ZoneInfo(name)
    beginning = BEGINNINGS[seed % len(BEGINNINGS)]
    spans = random_spans(dice, beginning)
    until = beginning + MINUTE * dice.randrange(2 * 24 * 60)
    first, _ = day_of(until, zone)
    assert used(spans, (first, until)) == MINUTE * minutes_used(spans, zone, until)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("seed", range(30))
def test_a_stay_is_over_at_the_first_minute_for_which_nothing_is_left(name: str, seed: int) -> None:
    dice, zone = random.Random(f"{name}{seed}"), ZoneInfo(name)
    beginning = BEGINNINGS[seed % len(BEGINNINGS)]
    began = beginning + MINUTE * dice.randrange(24 * 60)
    before = [
        (first, min(last, began)) for first, last in random_spans(dice, beginning) if first < began
    ]
    budget = dice.choice([1, 30, 45, 200, 23 * 60, 24 * 60])
    over = used_up_at(began, before, MINUTE * budget, zone)
    assert over == first_minute_over(began, before, budget, zone)


def test_spans_that_touch_or_overlap_are_one() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    one, two, three = (noon + timedelta(hours=hours) for hours in (1, 2, 3))
    assert joined([(two, three), (noon, one), (noon, two)]) == [(noon, three)]


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (datetime(2026, 3, 29, 12, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), 25),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), 24),
    ],
)
def test_a_day_is_as_long_as_its_clocks_make_it(at: datetime, hours: int) -> None:
    first, last = day_of(at, ZoneInfo("Europe/Berlin"))
    assert last - first == timedelta(hours=hours)
    assert first <= at < last


def test_a_day_begins_at_its_first_moment_where_midnight_does_not_exist() -> None:
    # Clocks in Beirut go from 23:59 to 01:00.
    zone = ZoneInfo("Asia/Beirut")
    first, _ = day_of(datetime(2026, 3, 29, 12, tzinfo=UTC), zone)
    assert first.astimezone(zone).isoformat() == "2026-03-29T01:00:00+03:00"
