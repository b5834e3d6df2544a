"""Killed at any point while it accepts, applies or publishes, it loses and doubles nothing.

Points are found by running: each run goes one further, until one comes to its end. In the default
form these are the points at which something may have changed since the one before, and some pairs
of a crash and a crash in its recovery, drawn by a seed. FINESSE_CRASH_POINTS=all has every point,
before and after each boundary, and every pair (docs/reliability.md).
"""

import os
import random
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import pytest

from finesse.notifications.nodes import LIMITS
from media.models import Cause, Outcome
from media.supervision_tables import WaitingChange, WaitingOutcome
from tests.crash_points import running, scenarios
from tests.crash_points.checking import ACCEPTED, Check, Start
from tests.crash_points.running import Prepared, World
from tests.kit import database
from tests.kit.database import Kept

EVERY = os.environ.get("FINESSE_CRASH_POINTS") == "all"
HOURS = 24
"""Within which a test of every point has to end: minutes for one crash, hours for two."""
pytestmark = [
    pytest.mark.django_db(transaction=True),
    *([pytest.mark.timeout(HOURS * 3600)] if EVERY else []),
]
SEED = 16
FIRST_CRASHES, SECOND_CRASHES = 4, 2
"""Drawn of each scenario, and for each of these, in the default form."""
SCENARIOS = list(scenarios.SCENARIOS)
LEAST_BOUNDARIES, LEAST_POINTS = 60, 25
"""Of each scenario and each recovery. With fewer the hooks have become blind: a scenario has a
hundred boundaries and more."""
HANDED_OUT = ("COMMIT", "broker", "recorder")
FOUND = {
    "the_outcome_after_the_commit": "Outcomes in the log are not those of requests",
    "the_history_after_the_commit": "The log says",
    "the_answer_before_the_commit": "was answered 202, and has 0 rows",
    "the_cursor_before_the_hand_over": "is a gap",
    "a_cursor_that_stays": "stands back",
}


@pytest.fixture(scope="module")
def start(kept_database: Kept, django_db_blocker: Any) -> Iterator[Start]:
    with django_db_blocker.unblock():
        database.empty_and_write(kept_database.cast)
        database.empty_and_write(kept_database.codes)
        scenarios.prepare()
        yield Start.read()


@pytest.fixture(scope="module")
def prepared(
    start: Start, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Prepared]:
    with (
        django_db_blocker.unblock(),
        running.prepared(tmp_path_factory.mktemp("crash-points")) as process,
    ):
        yield process


def check_recovered(world: World, start: Start, crash: str) -> None:
    """A new process does what is left to do; then all is as if nothing had happened."""
    assert not world.run(is_recovery=True, every=EVERY)
    try:
        Check(start, world.seen()).everything()
    except AssertionError as error:
        raise AssertionError(f"{world.scenario}, {crash}: {error}") from error


# --- what is enumerated -------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_hooks_see_all_that_reaches_the_database(prepared: Prepared, scenario: str) -> None:
    world = prepared.world(scenario)
    for is_recovery in (False, True):
        assert not world.run(is_recovery=is_recovery)
        end = world.end()
        assert end["unseen"] == []
        assert len(end["boundaries"]) >= LEAST_BOUNDARIES
        assert len(end["passed"]) >= LEAST_POINTS
        crossed = " ".join(end["passed"])
        for one in ("INSERT", "COMMIT", "cache bell", "broker", "channel layer", "recorder"):
            assert one in crossed


def test_the_scenarios_have_every_outcome_and_everybody_who_asks(
    prepared: Prepared, start: Start
) -> None:
    outcomes, causes, waited, told, refused = set(), set(), set(), 0, []
    for scenario in SCENARIOS:
        world = prepared.world(scenario)
        assert not world.run()
        check = Check(start, world.seen())
        check.everything()
        outcomes |= {(one.outcome, one.mrd_id is None) for one in check.requests}
        causes |= {one.cause for one in check.requests}
        waited |= set(WaitingChange.objects.values_list("outcome", flat=True))
        told += sum(one.node == LIMITS.format(id="axel") for one in check.log)
        statuses = [one["status"] for one in check.seen if one["kind"] == "answered"]
        refused += [(scenario, one) for one in statuses if one != ACCEPTED]
    # FINESSE_AFTER_THIS_ONE is off: no request of the API waits.
    of_media = {(outcome, False) for outcome in Outcome.values if outcome != Outcome.WAITING}
    assert outcomes >= of_media | {(Outcome.CHANGED, True)}
    assert causes == {Cause.SELF, Cause.SUPERVISOR, Cause.LIMIT}
    assert (waited, told) == ({WaitingOutcome.APPLIED}, 2)
    assert refused == [("lunch_for_two", 400)]


# --- crashes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_at_any_point_loses_and_doubles_nothing(
    prepared: Prepared, start: Start, scenario: str
) -> None:
    for point in count(1):
        world = prepared.world(scenario)
        was_killed = world.run(fatal=point, every=EVERY)
        boundaries = [] if was_killed else world.end()["boundaries"]
        check_recovered(world, start, f"after a crash at point {point}")
        if not was_killed:
            break
    print(f"{scenario}: {point - 1} points at {len(boundaries)} boundaries")
    assert point > LEAST_POINTS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_crash_in_the_recovery_from_a_crash_loses_and_doubles_nothing(
    prepared: Prepared, start: Start, scenario: str
) -> None:
    world = prepared.world(scenario)
    assert not world.run(every=EVERY)
    points = len(world.end()["passed"])
    assert not world.run(is_recovery=True, every=EVERY)
    of_recovery = len(world.end()["passed"])
    pairs = 0
    for first, seconds in _crashes(points, of_recovery):
        for second in seconds:
            world = prepared.world(scenario)
            assert world.run(fatal=first, every=EVERY)
            was_killed = world.run(fatal=second, is_recovery=True, every=EVERY)
            check_recovered(world, start, f"after crashes at points {first} and {second}")
            if not was_killed:
                break
            pairs += 1
    print(f"{scenario}: {pairs} pairs of points")
    assert pairs >= FIRST_CRASHES


def _crashes(points: int, of_recovery: int) -> Iterator[tuple[int, Iterable[int]]]:
    """Points, and for each those in the recovery; in the end there may be none of that number."""
    draw = random.Random(SEED)
    every = range(1, points + 1)
    for first in every if EVERY else draw.sample(every, FIRST_CRASHES):
        yield first, count(1) if EVERY else draw.sample(range(1, of_recovery), SECOND_CRASHES)


# --- the checks themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("broken", FOUND)
def test_a_fault_that_is_put_in_is_found(prepared: Prepared, start: Start, broken: str) -> None:
    scenario = SCENARIOS[0]
    world = prepared.world(scenario, broken)
    assert not world.run()
    passed = world.end()["passed"]
    critical = [point for point, name in enumerate(passed, start=2) if name in HANDED_OUT]

    def crash_at_each() -> None:
        for point in critical:
            world = prepared.world(scenario, broken)
            world.run(fatal=point)
            check_recovered(world, start, f"after a crash at point {point}")

    with pytest.raises(AssertionError, match=FOUND[broken]):
        crash_at_each()
