"""Adds pieces of stays up, in Python: the plain way, which needs nothing but the history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from media.reports.cells import Cell
from media.reports.grains import Grain
from media.reports.pieces import Piece, pieces
from media.reports.scope import Scope
from media.sum_tables import SumOfDay, SumOfHour

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    bucket: int
    """Its place in the period."""
    team_id: int | None
    login_id: str
    """Empty if agents are added up."""
    mrd_id: int | None
    """None if they are added up."""
    state: str
    reason_code_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Times are whole microseconds, so that sums of sums are exact."""

    micros: int = 0
    stays: int = 0
    began: int = 0
    longest: int = 0
    open: int = 0
    over: int = 0
    over_micros: int = 0
    productive: int = 0
    unproductive: int = 0
    signed_in: int = 0

    def plus(self, other: "Amounts") -> "Amounts":
        return Amounts(
            micros=self.micros + other.micros,
            stays=self.stays + other.stays,
            began=self.began + other.began,
            longest=max(self.longest, other.longest),
            open=self.open + other.open,
            over=self.over + other.over,
            over_micros=self.over_micros + other.over_micros,
            productive=self.productive + other.productive,
            unproductive=self.unproductive + other.unproductive,
            signed_in=self.signed_in + other.signed_in,
        )


Sums: TypeAlias = dict[Key, Amounts]


def fold(scope: Scope, cells: Sequence[Cell], by_agent: bool, now: datetime) -> Sums:
    """What the history comes to in these cells, which follow one another."""
    found: Sums = {}
    for piece in pieces(scope, cells[0].start, cells[-1].end, now):
        for cell in cells:
            if piece.touches(cell.start, cell.end):
                key = _key(piece, cell.bucket, piece.interval.login_id if by_agent else "")
                add(found, key, _amounts(piece, cell))
    return found


def add(found: Sums, key: Key, amounts: Amounts) -> None:
    found[key] = found[key].plus(amounts) if key in found else amounts


def rows_of(grain: Grain, cells: Sequence[Cell], now: datetime) -> list[SumOfHour] | list[SumOfDay]:
    """The sums of these hours or days, whose numbers are the buckets; they are not saved."""
    found: dict[Key, Any] = {}
    for piece in pieces(Scope(everybody=True), cells[0].start, cells[-1].end, now):
        for cell in cells:
            if not piece.touches(cell.start, cell.end):
                continue
            key = _key(piece, cell.bucket, piece.interval.login_id if grain.of_agents else "")
            if key not in found:
                found[key] = _no_time(grain, key)
            row, amounts = found[key], _amounts(piece, cell)
            began = piece.start >= cell.start
            over_began = piece.over_from is not None and piece.over_from >= cell.start
            row.micros += amounts.micros
            row.began += began
            row.running += not began
            row.longest = max(row.longest, amounts.longest)
            is_over = amounts.over_micros > 0
            row.over_began += is_over and over_began
            row.over_running += is_over and not over_began
            row.over_micros += amounts.over_micros
    return [*found.values()]


def _key(piece: Piece, bucket: int, login_id: str) -> Key:
    return Key(
        bucket=bucket,
        team_id=piece.team_id,
        login_id=login_id,
        mrd_id=piece.interval.mrd_id,
        state=piece.interval.state,
        reason_code_id=piece.reason_code_id,
    )


def _amounts(piece: Piece, cell: Cell) -> Amounts:
    until = min(piece.end, cell.end)
    over = timedelta()
    counts_over = False
    if piece.over_from is not None:
        over = max(until - max(cell.start, piece.over_from), timedelta())
        counts_over = over > timedelta() and (piece.over_from >= cell.start or cell.is_first)
    return Amounts(
        micros=(until - max(cell.start, piece.start)) // MICROSECOND,
        stays=int(piece.start >= cell.start or cell.is_first),
        began=int(piece.start >= cell.start),
        longest=(until - piece.interval.started_at) // MICROSECOND,
        open=int(piece.is_open and cell.is_last),
        over=int(counts_over),
        over_micros=over // MICROSECOND,
    )


def _no_time(grain: Grain, key: Key) -> SumOfHour | SumOfDay:
    agent = {"login_id": key.login_id} if grain.of_agents else {}
    return grain.model(
        **{grain.column: key.bucket},
        **agent,
        team_id=key.team_id,
        mrd_id=key.mrd_id or 0,
        state=key.state,
        reason_code_id=key.reason_code_id,
        micros=0,
        began=0,
        running=0,
        longest=0,
        over_began=0,
        over_running=0,
        over_micros=0,
    )


def classed(amounts: Amounts, *, productive: bool | None, signed_in: bool) -> Amounts:
    # Written out: `replace` takes three times as long, and there may be 25,000 of them.
    return Amounts(
        micros=amounts.micros,
        stays=amounts.stays,
        began=amounts.began,
        longest=amounts.longest,
        open=amounts.open,
        over=amounts.over,
        over_micros=amounts.over_micros,
        productive=amounts.micros if productive else 0,
        unproductive=amounts.micros if productive is False else 0,
        signed_in=amounts.micros if signed_in else 0,
    )
