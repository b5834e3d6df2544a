"""Sums of random histories equal a slow and obvious sum, in several zones, over both changes of
clocks."""

from datetime import datetime, timedelta
from typing import Any, TypeAlias
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from media.reports import making, statements
from media.reports.periods import Period, Step
from media.reports.scope import Scope
from media.reports.sums import By, sums
from tests.reports.histories import CHANGES, ZONES, History, histories, obvious, with_limits

pytestmark = pytest.mark.django_db
Found: TypeAlias = dict[tuple[Any, ...], list[float]]
EVERYBODY = Scope(everybody=True)
# Without shrinking, which may take minutes: the steps below are of days already.
SHORT = settings(
    max_examples=6,
    # The ids of reason codes differ from test to test: no example may be kept for another one.
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
STEPS = (Step.NONE, Step.DAY, Step.HOUR, Step.MINUTES_15, Step.WEEK)


def name_of_bucket(step: Step, at: datetime) -> Any:
    """The label of the bucket of a local moment, by the clock and calendar on the wall."""
    if step is Step.NONE:
        return ""
    if step is Step.WEEK:
        return at.date() - timedelta(days=at.weekday())
    if step is Step.DAY:
        return at.date()
    quarter = at.minute // step.minutes if step.minutes < 60 else 0
    return at.date(), at.hour, quarter, at.utcoffset()


def reported(
    history: History, period: Period, step: Step, scope: Scope = EVERYBODY, by_agent: bool = True
) -> Found:
    found: Found = {}
    by = [*By] if by_agent else [one for one in By if one is not By.AGENT]
    for one in sums(scope, period, step, by, now=history.now):
        key = (
            name_of_bucket(step, one.bucket.start),
            one.team_id,
            one.login_id,
            one.mrd_id,
            one.state,
            one.reason_code_id,
        )
        assert key not in found
        found[key] = [
            one.seconds,
            one.stays,
            one.longest,
            one.open,
            one.over,
            one.over_seconds,
            one.began,
        ]
    return found


def without_agents(expected: Found) -> Found:
    found: Found = {}
    for (bucket, team, _, *others), row in expected.items():
        total = found.setdefault((bucket, team, "", *others), [0, 0, 0, 0, 0, 0, 0])
        found[bucket, team, "", *others] = [
            max(a, b) if place == 2 else a + b
            for place, (a, b) in enumerate(zip(total, row, strict=True))
        ]
    return found


def make_sums(now: datetime, most: int = 10_000) -> None:
    """As the worker would have by then."""
    making.start_again()
    with (
        patch.object(making.timezone, "now", lambda: now),
        patch.object(making, "HOURS_PER_STEP", 40),
    ):
        while most and making.make_some():
            most -= 1


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("change", [0, 1])
def test_a_report_equals_the_obvious_sum(zone: str, change: int) -> None:
    limits = with_limits()
    around = CHANGES[zone][change]

    @settings(SHORT)
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        history = data.draw(histories(around, [*limits]))
        history.save()
        day = around.astimezone(ZoneInfo(zone)).date()
        first = day - timedelta(days=data.draw(st.integers(0, 2)))
        last = day + timedelta(days=data.draw(st.integers(0, 2)))
        period = Period.days(first, last, ZoneInfo(zone))
        step = data.draw(st.sampled_from(STEPS))
        late = timedelta(minutes=data.draw(st.sampled_from([0, 6, 300])))
        make_sums(history.now + late, most=data.draw(st.sampled_from([0, 2, 10_000])))

        def bucket_of(at: datetime) -> Any:
            return name_of_bucket(step, at)

        expected = obvious(history, zone, period.start, period.end, bucket_of, limits)
        short = timedelta(days=data.draw(st.sampled_from([0, 10])))
        with patch.object(statements, "SHORT", short):
            assert reported(history, period, step) == expected
        assert reported(history, period, step, by_agent=False) == without_agents(expected)

    holds()
