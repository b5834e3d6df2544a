"""THE ROOM OF SQL: the statements of reports that the ORM cannot say.

`INTERVALS` finds the stays of some agents in a time without a look at their whole past, in both
databases. `amounts` adds them up in PostgreSQL: 4 million rows never leave it. SQLite adds up in
Python (`media.reports.folding`).
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from media.models import IntervalCorrection, StateInterval
from media.reports.cells import Cell
from media.reports.grains import HOUR, Grain
from media.reports.maxima import Maxima
from media.reports.scope import Scope

# The MRDs that the history knows, deleted ones too: one look into the index for each of them.
_MRDS = """
mrds (mrd_id) AS (
  SELECT min(mrd_id) FROM media_stateinterval
  UNION ALL
  SELECT (SELECT min(i.mrd_id) FROM media_stateinterval i WHERE i.mrd_id > mrds.mrd_id)
  FROM mrds WHERE mrds.mrd_id IS NOT NULL
)"""
# The stays of an agent in an MRD follow one another: of those that began before the time only the
# last one can reach into it. So the index of (mrd_id, login_id, started_at) finds both kinds.
_INTERVALS = """
agents_mrds AS (
  SELECT DISTINCT agents.login_id, mrds.mrd_id FROM agents CROSS JOIN mrds
  WHERE mrds.mrd_id IS NOT NULL AND {mrds}
),
intervals AS (
  SELECT i.* FROM agents_mrds k JOIN media_stateinterval i
    ON i.mrd_id = k.mrd_id AND i.login_id = k.login_id
    AND i.started_at >= %(start)s AND i.started_at < %(end)s
  UNION ALL
  SELECT i.* FROM (
    SELECT (SELECT p.id FROM media_stateinterval p
      WHERE p.mrd_id = k.mrd_id AND p.login_id = k.login_id AND p.started_at < %(start)s
      ORDER BY p.started_at DESC, p.id DESC LIMIT 1) AS id
    FROM agents_mrds k) last JOIN media_stateinterval i ON i.id = last.id
  WHERE i.ended_at IS NULL OR i.ended_at > %(start)s
)"""
# Of few agents, or of a short time: one look into the index for each agent and MRD. `OFFSET 0` and
# `LATERAL` keep the planner, which does not know how few rows that are, from reading the table.
_OF_EACH = """LATERAL (
    (SELECT r.* FROM media_stateinterval r
    WHERE r.mrd_id = mrds.mrd_id AND r.login_id = m.login_id
      AND r.started_at >= %(start)s AND r.started_at < %(end)s OFFSET 0)
    UNION ALL
    SELECT l.* FROM (SELECT r.* FROM media_stateinterval r
      WHERE r.mrd_id = mrds.mrd_id AND r.login_id = m.login_id AND r.started_at < %(start)s
      ORDER BY r.started_at DESC, r.id DESC LIMIT 1) l
    WHERE l.ended_at IS NULL OR l.ended_at > %(start)s
  ) i"""
_INTERVALS_OF_EACH = f"""
intervals AS (
  SELECT i.* FROM agents m CROSS JOIN mrds CROSS JOIN {_OF_EACH}
  WHERE mrds.mrd_id IS NOT NULL AND {{mrds}}
)"""
_AGENTS_OF_LIST = {
    "postgresql": "agents AS (SELECT json_array_elements_text(%(agents)s::json) AS login_id)",
    "sqlite": "agents AS (SELECT value AS login_id FROM json_each(%(agents)s))",
}


def intervals(
    login_ids: Collection[str], mrd_ids: Collection[int] | None, start: datetime, end: datetime
) -> Any:
    """The stays of these agents that touch this time, in no order."""
    values: dict[str, Any] = {"agents": json.dumps([*login_ids]), "start": start, "end": end}
    is_postgresql = connection.vendor == "postgresql"
    found = _INTERVALS_OF_EACH if is_postgresql else _INTERVALS
    sql = f"""
WITH RECURSIVE {_MRDS}, {_AGENTS_OF_LIST[connection.vendor]},
{found.format(mrds=_among("mrds.mrd_id", mrd_ids))}
SELECT intervals.* FROM intervals"""
    return StateInterval.objects.raw(sql, values)


def _among(column: str, numbers: Collection[int] | None) -> str:
    """A condition; the numbers are whole ones, and nothing else."""
    if numbers is None:
        return "TRUE"
    listed = ", ".join(str(int(one)) for one in sorted(numbers))
    return f"{column} IN ({listed})" if listed else "FALSE"


# --- Only PostgreSQL ----------------------------------------------------------------------------

_MEMBERS = """
members AS MATERIALIZED (
  SELECT login_id, team_id, started_at, coalesce(ended_at, 'infinity') AS ended_at
  FROM users_teammembership m
  WHERE m.started_at < %(end)s AND (m.ended_at IS NULL OR m.ended_at >= %(start)s)
    -- In a team for no time at all: no stay has a part in it.
    AND m.started_at IS DISTINCT FROM m.ended_at AND {members}
)"""
_FOUND_OF_EACH = f"""
found AS (
  SELECT i.*, m.team_id, m.started_at AS joined_at, m.ended_at AS left_at
  FROM members m CROSS JOIN mrds CROSS JOIN {_OF_EACH}
  WHERE mrds.mrd_id IS NOT NULL AND {{mrds}}
)"""
# Of most agents for weeks: the table is read from one end to the other.
_FOUND_OF_ALL = """
found AS (
  SELECT i.*, m.team_id, m.started_at AS joined_at, m.ended_at AS left_at
  FROM media_stateinterval i JOIN members m ON m.login_id = i.login_id
  CROSS JOIN LATERAL (SELECT i.mrd_id) mrds
  WHERE i.started_at < %(end)s AND (i.ended_at IS NULL OR i.ended_at > %(start)s
    OR i.started_at >= %(start)s) AND {mrds}
)"""
_CORRECTED_OF_EACH = """LATERAL (
    SELECT c.interval_id, c.reason_code_id FROM media_intervalcorrection c
    WHERE c.interval_id = i.id ORDER BY c.id DESC LIMIT 1) c ON TRUE"""
_CORRECTED_OF_ALL = """(
    SELECT DISTINCT ON (interval_id) interval_id, reason_code_id
    FROM media_intervalcorrection ORDER BY interval_id, id DESC) c ON c.interval_id = i.id"""
# The cells are numbered from 1 in the order of their edges, so that `width_bucket` finds those of a
# stay by bisection: comparing each stay with each of 3,000 quarter-hours would take minutes.
_CUT = """
pieces AS (
  SELECT i.login_id, i.mrd_id, i.state, i.team_id, i.started_at,
    CASE WHEN c.interval_id IS NULL THEN i.reason_code_id ELSE c.reason_code_id END
      AS reason_code_id,
    greatest(i.started_at, i.joined_at) AS s,
    least(coalesce(i.ended_at, greatest(%(now)s, i.started_at)), i.left_at) AS e,
    i.ended_at IS NULL AND i.left_at = 'infinity' AS is_open
  FROM found i LEFT JOIN {corrected}
  WHERE i.started_at < i.left_at
    AND (coalesce(i.ended_at, %(now)s) > i.joined_at OR i.started_at >= i.joined_at)
),
cut AS (
  SELECT p.*, k.number, k.a,
    least(p.e, k.b) - greatest(p.s, k.a) AS spent, least(p.e, k.b) - p.started_at AS lasted,
    least(p.e, k.b) AS until,
    -- Not greatest alone: that of a time and NULL is the time.
    CASE WHEN l.maximum IS NOT NULL THEN greatest(p.s, p.started_at + l.maximum) END AS over_from
  FROM pieces p
  LEFT JOIN json_to_recordset(%(maxima)s::json)
    AS l (reason_code_id bigint, since timestamptz, until timestamptz, maximum interval)
    ON l.reason_code_id = p.reason_code_id AND p.started_at >= l.since AND p.started_at < l.until
  CROSS JOIN LATERAL (
    SELECT n AS number, (%(edges)s::timestamptz[])[n] AS a, (%(edges)s::timestamptz[])[n + 1] AS b
    FROM generate_series(greatest(width_bucket(p.s, %(edges)s::timestamptz[]), 1),
      least(width_bucket(p.e, %(edges)s::timestamptz[]), %(count)s)) n
  ) k
  WHERE p.e > k.a OR p.s >= k.a
)"""
_AMOUNTS = """
SELECT (%(buckets)s::int[])[number], {keys}, state, reason_code_id,
  sum(spent), count(*) FILTER (WHERE s >= a OR (%(first)s::bool[])[number]),
  count(*) FILTER (WHERE s >= a), max(lasted),
  count(*) FILTER (WHERE is_open AND (%(last)s::bool[])[number]),
  count(*) FILTER (WHERE until > over_from AND until > a
    AND (over_from >= a OR (%(first)s::bool[])[number])),
  coalesce(sum(until - greatest(over_from, a)) FILTER (WHERE until > over_from AND until > a),
    interval '0')
FROM cut GROUP BY 1, {groups}, state, reason_code_id"""
_SUMS = """
INSERT INTO {table} ({column}, {keys}, micros, began, running, longest, over_began, over_running,
  over_micros)
SELECT (%(buckets)s::int[])[number], {keys},
  (extract(epoch FROM sum(spent)) * 1000000)::bigint, count(*) FILTER (WHERE s >= a),
  count(*) FILTER (WHERE s < a), (extract(epoch FROM max(lasted)) * 1000000)::bigint,
  count(*) FILTER (WHERE until > over_from AND over_from >= a),
  count(*) FILTER (WHERE until > a AND over_from < a),
  coalesce((extract(epoch FROM sum(until - greatest(over_from, a))
    FILTER (WHERE until > over_from AND until > a)) * 1000000)::bigint, 0)
FROM cut GROUP BY 1, {keys}"""


def amounts(
    scope: Scope, cells: Sequence[Cell], columns: Sequence[str], now: datetime
) -> list[tuple[Any, ...]]:
    """Rows of: bucket, these columns (of login_id, team_id, mrd_id), state, reason code, time,
    stays, stays that began, longest, open, over, time over. The cells follow one another without
    a gap.

    Only for PostgreSQL.
    """
    keys = [name if name in columns else _NONE[name] for name in _NONE]
    groups = ", ".join(columns) or "state"
    sql = _pieces(scope, cells) + _AMOUNTS.format(keys=", ".join(keys), groups=groups)
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(scope, cells, now))
        return list(cursor.fetchall())


def insert_sums(grain: Grain, cells: Sequence[Cell], now: datetime) -> None:
    """INSERT the sums of these hours or days, whose numbers are the buckets. Only for
    PostgreSQL."""
    scope = Scope(everybody=True)
    agent = "login_id, " if grain.of_agents else ""
    sql = _SUMS.format(
        table=grain.model._meta.db_table,
        column=grain.column,
        keys=f"{agent}team_id, mrd_id, state, reason_code_id",
    )
    with connection.cursor() as cursor:
        cursor.execute(_pieces(scope, cells) + sql, _values(scope, cells, now))


SHORT = timedelta(days=2)
"""The longest time for which all agents are looked up one by one."""
_NONE = {"login_id": "''", "team_id": "NULL::bigint", "mrd_id": "NULL::int"}


def _pieces(scope: Scope, cells: Sequence[Cell]) -> str:
    """The beginning of a statement, with the stays of the scope in each cell as `cut`."""
    conditions = ["TRUE"]
    if not scope.everybody:
        own = "m.login_id = ANY(%(may_login_ids)s::text[])"
        conditions.append(f"({_among('m.team_id', scope.may_teams)} OR {own})")
    if scope.teams is not None:
        conditions.append(_among("m.team_id", scope.teams))
    if scope.without_teams:
        conditions.append(f"({_among('m.team_id', scope.without_teams)}) IS NOT TRUE")
    if scope.login_ids is not None:
        conditions.append("m.login_id = ANY(%(login_ids)s::text[])")
    of_all = scope.everybody and scope.teams is None and scope.login_ids is None
    length = cells[-1].end - cells[0].start
    found = _FOUND_OF_ALL if of_all and length > SHORT else _FOUND_OF_EACH
    corrected = _CORRECTED_OF_ALL if of_all and length > HOUR else _CORRECTED_OF_EACH
    members = _MEMBERS.format(members=" AND ".join(conditions))
    found = found.format(mrds=_among("mrds.mrd_id", scope.mrd_ids))
    parts = [_MRDS, members, found, _CUT.format(corrected=corrected)]
    return f"WITH RECURSIVE {', '.join(parts)}"


def _values(scope: Scope, cells: Sequence[Cell], now: datetime) -> dict[str, Any]:
    return {
        "start": cells[0].start,
        "end": cells[-1].end,
        "now": now,
        "may_login_ids": [*scope.may_login_ids],
        "login_ids": [*(scope.login_ids or ())],
        "maxima": json.dumps(Maxima().rows()),
        "edges": [cells[0].start, *(cell.end for cell in cells)],
        "buckets": [cell.bucket for cell in cells],
        "first": [cell.is_first for cell in cells],
        "last": [cell.is_last for cell in cells],
        "count": len(cells),
    }


TABLES = (StateInterval, IntervalCorrection)
"""Whose columns are named here."""
