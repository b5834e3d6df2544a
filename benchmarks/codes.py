"""`python -m benchmarks.program codes`: 200 reason codes that agents have used for a month.

The old intervals of the database, which are all of one code and one day, are spread over them.
Prints the seconds that counting their use took, as JSON.
"""

import json
import time

from django.db import connection

from finesse.users.models import Team
from media import use_counting
from reasoncodes.models import Category, ReasonCode

CODES = 200
FIRST = 10_000
"""The database id of the first; the others follow it."""

SPREAD = f"""
UPDATE media_stateinterval SET reason_code_id = {FIRST} + (id * 7919) % {CODES},
  started_at = now() - (id % 40) * interval '1 day', ended_at = now()
WHERE reason_code_id IS NOT NULL
"""


def main() -> None:
    teams = list(Team.objects.order_by("pk"))
    for number in range(CODES):
        reason_code = ReasonCode.objects.create(
            pk=FIRST + number,
            category=Category.NOT_READY if number < CODES // 2 else Category.LOGOUT,
            code=1000 + number,
            label=f"Code {number}",
            # A quarter for everybody, the others for one team or two.
            for_all=number % 4 == 0,
            colour="#17887f",
            maximum_minutes=30 if number < CODES // 2 else None,
        )
        if number % 4:
            reason_code.teams.add(*{teams[number % len(teams)], teams[number // 2 % len(teams)]})
    with connection.cursor() as cursor:
        cursor.execute(SPREAD)
        cursor.execute("VACUUM ANALYZE media_stateinterval")
    use_counting.start_again()
    began = time.perf_counter()
    while use_counting.count_new():
        pass
    print(json.dumps({"counting": time.perf_counter() - began}))
