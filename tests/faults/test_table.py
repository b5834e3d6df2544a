"""The row of a fault: sums and worst times of its rounds, and whether a promise was broken."""

import json

import pytest

from tests.faults.faults import FAULTS, Fault
from tests.faults.history import Kind, Verdict
from tests.faults.rounds import Round
from tests.faults.table import Row, markdown

WORKER = next(one for one in FAULTS if one.name == "worker: kill -9")
RESET = next(one for one in FAULTS if one.name == "PostgreSQL: connections reset")


def played(*kinds: Kind, outage: float = 1.0, until_503: float | None = None) -> Round:
    verdict = Verdict(recovered=1)
    verdict.answers.update({"202": 10, "503": 2, "unknown": 1})
    for kind in kinds:
        verdict.add(kind, "evidence")
    return Round(
        verdict=verdict,
        outage=outage,
        silence=0.5,
        until_503=until_503,
        slowest_503=None,
        back=0.1,
        duration=9,
    )


def test_a_row_has_the_sums_and_the_worst_times() -> None:
    row = Row.of(WORKER, [played(outage=2.0), played(until_503=1.5)], [])
    assert (row.rounds, row.ok, row.refused, row.unknown, row.recovered) == (2, 20, 4, 2, 2)
    assert (row.outage, row.until_503, row.slowest_503) == (2.0, 1.5, None)
    assert row.is_good
    (line,) = [one for one in markdown([row]).splitlines() if one.startswith("| worker")]
    assert line.split(" | ")[:6] == ["| worker: kill -9", "2", "20", "4", "2", "2"]


def test_rounds_of_an_earlier_run_are_added() -> None:
    earlier = Row.of(WORKER, [played(Kind.LOST, outage=3.0), played(until_503=1.0)], [])
    now = Row.of(WORKER, [played(outage=2.0, until_503=1.5)], [])
    row = now.with_earlier(Row(**json.loads(json.dumps(earlier.as_data()))))
    assert (row.fault, row.rounds, row.ok, row.lost) == ("worker: kill -9", 3, 30, 1)
    assert (row.outage, row.until_503, row.slowest_503) == (3.0, 1.5, None)
    assert row.findings == ["lost: evidence"]
    assert row.may_be_applied is False


@pytest.mark.parametrize("kind", Kind)
def test_no_row_with_a_broken_promise_is_good(kind: Kind) -> None:
    row = Row.of(WORKER, [played(), played(kind)], [])
    assert not row.is_good
    assert row.findings == [f"{kind}: evidence"]


def test_a_round_that_did_not_end_is_not_good() -> None:
    assert not Row.of(WORKER, [played()], ["AssertionError"]).is_good


@pytest.mark.parametrize(("fault", "is_good"), [(WORKER, False), (RESET, True)])
def test_a_503_may_be_applied_only_where_the_connection_to_postgresql_breaks(
    fault: Fault, is_good: bool
) -> None:
    assert Row.of(fault, [played(Kind.AWAY_APPLIED)], []).is_good is is_good
