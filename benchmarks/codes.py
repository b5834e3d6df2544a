"""`python -m benchmarks.program codes`: reason codes that agents have used for forty days.

Each code has its share of the intervals, by many agents and on every day. They are written by one
INSERT for a quarter of a million rows. Prints the seconds of that and of counting the use, as JSON.
"""

import argparse
import json
import time

from django.db import connection

from benchmarks.people import MRD, agent
from benchmarks.populate import SQL_INSERT_ROWS
from finesse.users.models import Team, User
from media import use_counting
from reasoncodes.models import Category, ReasonCode

FIRST = 10_000
"""The database id of the first; the others follow it."""

DAYS = 40
"""More than the thirty days that the list counts."""

# The oldest first, as the writer would have written them. Each agent takes ten codes in turns.
INTERVALS = """
INSERT INTO media_stateinterval (login_id, mrd_id, state, reason_code_id, code, label, started_at,
  ended_at, cause, actor, note)
SELECT (%(first)s + n %% %(agents)s)::text, %(mrd)s, 'NOT_READY', %(code)s + nth, 1000 + nth,
  'Code', at, at + interval '5 min', 'self', '', ''
FROM (SELECT n, (n + n / %(agents)s %% 10 * 17) %% %(codes)s AS nth,
    now() - (1 - n::float8 / %(rows)s) * %(days)s * interval '1 day' AS at
  FROM generate_series(%(begin)s::bigint, %(end)s::bigint) n) AS numbered
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True, help="intervals of the last forty days")
    parser.add_argument("--codes", type=int, required=True)
    options = parser.parse_args()
    codes: int = options.codes
    teams = list(Team.objects.order_by("pk"))
    for number in range(codes):
        reason_code = ReasonCode.objects.create(
            pk=FIRST + number,
            category=Category.NOT_READY if number < codes // 2 else Category.LOGOUT,
            code=1000 + number,
            label=f"Code {number}",
            # A quarter for everybody, the others for one team or two.
            for_all=number % 4 == 0,
            colour="#17887f",
            maximum_minutes=30 if number < codes // 2 else None,
        )
        if number % 4:
            reason_code.teams.add(*{teams[number % len(teams)], teams[number // 2 % len(teams)]})
    began = time.perf_counter()
    _write(codes, options.rows)
    written = time.perf_counter() - began
    use_counting.start_again()
    began = time.perf_counter()
    while use_counting.count_new():
        pass
    print(json.dumps({"writing": written, "counting": time.perf_counter() - began}))


def _write(codes: int, rows: int) -> None:
    values = {
        "first": int(agent(0)),
        "agents": User.objects.filter(team__isnull=False).count(),
        "mrd": MRD,
        "code": FIRST,
        "codes": codes,
        "days": DAYS,
        "rows": rows,
    }
    with connection.cursor() as cursor:
        for begin in range(1, rows + 1, SQL_INSERT_ROWS):
            end = min(begin + SQL_INSERT_ROWS - 1, rows)
            cursor.execute(INTERVALS, values | {"begin": begin, "end": end})
        cursor.execute("VACUUM ANALYZE media_stateinterval")
