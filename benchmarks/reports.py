"""`python -m benchmarks.program reports`: weeks of work of all agents, and how long reports on them
take. Prints seconds and plans, as JSON.

Each agent has 62 stays on each day: READY and NOT_READY in turns from eight to six, then LOGOUT.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from benchmarks.people import MRD, REASON_CODES, agent
from finesse.users.models import Team, TeamMembership, User
from finesse.users.team_history import record_all
from media.models import StateInterval
from media.reports import making
from media.reports.periods import Period, Step
from media.reports.scope import Scope
from media.reports.stays import all_stays
from media.reports.sums import By, sums
from media.sum_tables import SumHead, SumOfHour
from reasoncodes.models import ReasonCode

STAYS_OF_A_DAY = 62
TIMES = 5
UTC_ZONE, INDIA = ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata")

# The stays of an agent follow one another: each ends where the next one begins, the last one of a
# day at the first one of the next.
DAY = """
WITH starts AS (
  SELECT a, k, %(day)s::date + interval '8 hours' + (k * 580 + (a * 7919 + k * 12997
    + (%(day)s::date - date '2000-01-01') * 104729) %% 300) * interval '1 second' AS s
  FROM generate_series(0, %(agents)s - 1) a, generate_series(0, %(stays)s - 1) k
), firsts AS (
  SELECT a, %(day)s::date + interval '32 hours' + ((a * 7919
    + (%(day)s::date + 1 - date '2000-01-01') * 104729) %% 300) * interval '1 second' AS s
  FROM generate_series(0, %(agents)s - 1) a
)
INSERT INTO media_stateinterval (login_id, mrd_id, state, reason_code_id, code, label, started_at,
  ended_at, cause, actor, note)
SELECT (%(first)s + starts.a)::text, %(mrd)s,
  CASE WHEN k = %(stays)s - 1 THEN 'LOGOUT' WHEN k %% 2 = 0 THEN 'READY' ELSE 'NOT_READY' END,
  CASE WHEN k %% 2 = 1 AND k < %(stays)s - 1 THEN %(reason)s + (a + k) %% %(reasons)s END,
  CASE WHEN k %% 2 = 1 AND k < %(stays)s - 1 THEN 1 + (a + k) %% %(reasons)s END,
  CASE WHEN k %% 2 = 1 AND k < %(stays)s - 1 THEN 'A reason' ELSE '' END,
  starts.s, coalesce(lead(starts.s) OVER (PARTITION BY starts.a ORDER BY k), firsts.s),
  'self', (%(first)s + starts.a)::text, ''
FROM starts JOIN firsts USING (a) ORDER BY starts.s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument(
        "--fill", action="store_true", help="write the history, and measure nothing"
    )
    parser.add_argument("--made", action="store_true", help="the sums are made already")
    options = parser.parse_args()
    if options.fill:
        fill(options.days)
    else:
        print(json.dumps(measured(made=options.made)))


def fill(days: int) -> None:
    today = timezone.now().date()
    ReasonCode.objects.update(maximum_minutes=6)
    ReasonCode.history.update(maximum_minutes=6)
    agents = User.objects.filter(team__isnull=False).count()
    for ago in range(days, 0, -1):
        with connection.cursor() as cursor:
            cursor.execute(
                DAY,
                {
                    "day": today - timedelta(days=ago),
                    "agents": agents,
                    "stays": STAYS_OF_A_DAY,
                    "first": int(agent(0)),
                    "mrd": MRD,
                    "reason": REASON_CODES.start,
                    "reasons": REASON_CODES.stop - REASON_CODES.start,
                },
            )
    record_all()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measured(*, made: bool) -> dict[str, Any]:
    began = time.perf_counter()
    if not made:
        making.start_again()
    steps = 0
    while making.make_some():
        steps += 1
    took_to_make = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE media_sumofhour")
    yesterday = timezone.now().date() - timedelta(days=1)
    took = {}
    plans = {}
    for name, report in reports(yesterday).items():
        report()
        took[name] = [_seconds(report) for _ in range(TIMES)]
        plans[name] = _plans(report)
    return {
        "took": took,
        "plans": plans,
        "intervals": StateInterval.objects.count(),
        "sums": SumOfHour.objects.count(),
        "hours": SumHead.objects.get().upto - SumHead.objects.get().since,
        "agents": TeamMembership.objects.values("login_id").distinct().count(),
        "making": took_to_make,
        "steps": steps,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def reports(day: date) -> dict[str, Callable[[], object]]:
    team = Team.objects.order_by("pk").first()
    assert team
    everybody = Scope(everybody=True)
    own = everybody.asked(teams=[team.pk])
    reasons = [By.STATE, By.REASON]
    of_agents = [By.AGENT, *reasons]
    one_day = Period.day(day, UTC_ZONE)
    first = day - timedelta(days=29)
    month = Period.days(first, day, UTC_ZONE)
    in_india = Period.days(first, day, INDIA)
    return {
        "a team's day, by agent and reason": lambda: sums(own, one_day, Step.NONE, of_agents),
        "a team's day in quarter-hours": lambda: sums(own, one_day, Step.MINUTES_15, reasons),
        "a team's day, all stays": lambda: [*all_stays(own, one_day)],
        "a team's month, by reason": lambda: sums(own, month, Step.NONE, reasons),
        "a team's month, by agent and reason": lambda: sums(own, month, Step.NONE, of_agents),
        "a team's month, by agent, reason and day": lambda: sums(own, month, Step.DAY, of_agents),
        "the whole month, by team and reason": lambda: sums(
            everybody, month, Step.NONE, [By.TEAM, *reasons]
        ),
        "the whole month, by reason and day": lambda: sums(everybody, month, Step.DAY, reasons),
        "the whole month, by state and hour": lambda: sums(everybody, month, Step.HOUR, [By.STATE]),
        "the whole month in India, by reason and day": lambda: sums(
            everybody, in_india, Step.DAY, reasons
        ),
        "the whole month, by agent": lambda: sums(everybody, month, Step.NONE, of_agents),
    }


def _seconds(report: Callable[[], object]) -> float:
    began = time.perf_counter()
    report()
    return time.perf_counter() - began


def _plans(report: Callable[[], object]) -> list[str]:
    """The plan of the slowest statement of the report."""
    with CaptureQueriesContext(connection) as captured:
        report()
    if not captured.captured_queries:
        return []
    slowest = max(captured.captured_queries, key=lambda one: float(one["time"]))
    return [f"{slowest['time']} s of {len(captured.captured_queries)} statements", slowest["sql"]]
