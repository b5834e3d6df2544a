"""The amounts of a report: sums where there are some, and the history for the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from django.db import connection
from django.db.models import Max, Q, QuerySet, Sum

from media.reports import statements
from media.reports.cells import Cell, Whole, cells_of, spans, split
from media.reports.folding import MICROSECOND, Amounts, Key, Sums, add, fold
from media.reports.grains import DAYS, HOURS, Grain
from media.reports.making import stale_hours
from media.reports.periods import Bucket
from media.reports.scope import Scope
from media.sum_tables import SumHead, SumOfDay, SumOfHour

_TIMES_TO_TRY = 3
_Rows: TypeAlias = "QuerySet[SumOfHour] | QuerySet[SumOfDay]"
AGENT, TEAM, MRD = "login_id", "team_id", "mrd_id"
"""The columns by which amounts may be told apart; by state and reason they always are."""


def read(scope: Scope, buckets: Sequence[Bucket], columns: Sequence[str], now: datetime) -> Sums:
    """The amounts of each bucket, state and reason, and of these columns."""
    cells = cells_of(buckets, now)
    if not cells:
        return {}
    grain = DAYS if AGENT in columns or scope.login_ids is not None else HOURS
    for _ in range(_TIMES_TO_TRY):
        head = SumHead.objects.get()
        whole, rest = split(cells, grain, grain.made(head), grain.holding(stale_hours(head)))
        found = _of_history(scope, rest, columns, now)
        _add_all(found, _of_sums(grain, scope, whole, columns))
        if grain is HOURS and not scope.everybody and whole:
            own = _of_history(_own(scope), _cells_of(grain, whole), columns, now)
            _add_all(found, own)
        if SumHead.objects.filter(version=head.version).exists():
            return found
        # Some sums were made meanwhile, and may be in it twice or not at all.
    return _of_history(scope, cells, columns, now)


def _add_all(found: Sums, more: Sums) -> None:
    for key, amounts in more.items():
        add(found, key, amounts)


def _of_history(scope: Scope, cells: Sequence[Cell], columns: Sequence[str], now: datetime) -> Sums:
    found: Sums = {}
    for span in spans(cells):
        if connection.vendor == "postgresql":
            for row in statements.amounts(scope, span, columns, now):
                add(found, *_of_row(*row))
        else:
            for key, amounts in fold(scope, span, AGENT in columns, now).items():
                add(found, _without(key, columns), amounts)
    return found


def _of_sums(grain: Grain, scope: Scope, whole: Sequence[Whole], columns: Sequence[str]) -> Sums:
    found: Sums = {}
    sums = grain.model.objects.filter(_of_scope(scope, grain)).order_by()
    if all(one.end == one.start + 1 for one in whole):
        _add_single(found, sums, grain.column, whole, columns)
        return found
    for one in whole:
        rows = _between(sums, grain.column, one.start, one.end - 1).values(*columns, *_ALWAYS)
        for row in rows.annotate(**_AMOUNTS, **_running(Q((grain.column, one.start)))):
            add(found, *_of_row_of_sums(row, one))
    return found


def _of_scope(scope: Scope, grain: Grain) -> Q:
    found = Q()
    if not scope.everybody:
        own = Q(login_id__in=scope.may_login_ids) if grain.of_agents else Q(pk__in=[])
        found &= Q(team_id__in=scope.may_teams) | own
    if scope.teams is not None:
        found &= Q(team_id__in=scope.teams)
    if scope.login_ids is not None:
        found &= Q(login_id__in=scope.login_ids)
    if scope.mrd_ids is not None:
        found &= Q(mrd_id__in=scope.mrd_ids)
    return found


def _add_single(
    found: Sums, sums: _Rows, column: str, whole: Sequence[Whole], columns: Sequence[str]
) -> None:
    """In one query, as there may be hundreds of them."""
    wanted = {one.start: one for one in whole}
    if not wanted:
        return
    rows = _between(sums, column, min(wanted), max(wanted)).values(column, *columns, *_ALWAYS)
    for row in rows.annotate(**_AMOUNTS, **_running(Q())):
        if one := wanted.get(row[column]):
            add(found, *_of_row_of_sums(row, one))


def _between(sums: _Rows, column: str, first: int, last: int) -> _Rows:
    return sums.filter(**{f"{column}__gte": first, f"{column}__lte": last})


_ALWAYS = ("state", "reason_code_id")
_AMOUNTS = {
    "spent": Sum("micros"),
    "beginning": Sum("began"),
    "lasted": Max("longest"),
    "going_over": Sum("over_began"),
    "spent_over": Sum("over_micros"),
}


def _running(first: Q) -> dict[str, Sum]:
    return {
        "going_on": Sum("running", filter=first, default=0),
        "being_over": Sum("over_running", filter=first, default=0),
    }


def _of_row_of_sums(row: dict[str, Any], one: Whole) -> tuple[Key, Amounts]:
    key = Key(
        bucket=one.bucket,
        team_id=row.get(TEAM),
        login_id=row.get(AGENT, ""),
        mrd_id=row.get(MRD),
        state=row["state"],
        reason_code_id=row["reason_code_id"],
    )
    amounts = Amounts(
        micros=int(row["spent"]),
        stays=int(row["beginning"] + (row["going_on"] if one.is_first else 0)),
        began=int(row["beginning"]),
        longest=int(row["lasted"]),
        over=int(row["going_over"] + (row["being_over"] if one.is_first else 0)),
        over_micros=int(row["spent_over"]),
    )
    return key, amounts


def _of_row(*row: Any) -> tuple[Key, Amounts]:
    bucket, login_id, team_id, mrd_id, state, reason, *figures = row
    spent, stays, began, longest, runs, over, late = figures
    key = Key(
        bucket=bucket,
        team_id=team_id,
        login_id=login_id,
        mrd_id=mrd_id,
        state=state,
        reason_code_id=reason,
    )
    amounts = Amounts(
        micros=spent // MICROSECOND,
        stays=stays,
        began=began,
        longest=longest // MICROSECOND,
        open=runs,
        over=over,
        over_micros=late // MICROSECOND,
    )
    return key, amounts


def _without(key: Key, columns: Sequence[str]) -> Key:
    return replace(
        key,
        team_id=key.team_id if TEAM in columns else None,
        mrd_id=key.mrd_id if MRD in columns else None,
    )


def _own(scope: Scope) -> Scope:
    """The user's own time outside of the supervised teams, which no sum by the hour tells apart."""
    return replace(
        scope, may_teams=frozenset(), login_ids=scope.may_login_ids, without_teams=scope.may_teams
    )


def _cells_of(grain: Grain, whole: Sequence[Whole]) -> list[Cell]:
    beginning_of = grain.beginning_of
    return [
        Cell(one.bucket, beginning_of(one.start), beginning_of(one.end), one.is_first)
        for one in whole
    ]
