"""Reports as tables: the same columns in JSON, CSV and XLSX, named as programs name them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from media.reports.naming import Names
from media.reports.sign_ins import SignedIn
from media.reports.stays import Stay
from media.reports.sums import Sum

Value: TypeAlias = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows are made while they are read."""

    name: str
    """Of its file."""
    columns: Sequence[str]
    rows: Iterable[Sequence[Value]]


SUMS = (
    "from",
    "to",
    "teamId",
    "team",
    "agent",
    "name",
    "mrdId",
    "mrd",
    "state",
    "reasonCodeId",
    "code",
    "label",
    "seconds",
    "stays",
    "began",
    "meanSeconds",
    "longestSeconds",
    "open",
    "productiveSeconds",
    "unproductiveSeconds",
    "signedInSeconds",
    "over",
    "overSeconds",
)
STAYS = (
    "id",
    "agent",
    "name",
    "mrdId",
    "mrd",
    "teamId",
    "team",
    "state",
    "reasonCodeId",
    "code",
    "label",
    "startedAt",
    "endedAt",
    "shownFrom",
    "shownUntil",
    "seconds",
    "overSeconds",
    "cause",
    "actor",
    "note",
    "firstCode",
    "firstLabel",
    "corrections",
    "correctedBy",
    "correctedAt",
    "correctionNote",
)
SIGN_INS = ("agent", "name", "day", "first", "last", "signedInSince", "signIns", "seconds")


def of_sums(found: Iterable[Sum]) -> Table:
    return Table(name="sums", columns=SUMS, rows=map(_of_sum, found))


def of_stays(found: Iterable[Stay], zone: ZoneInfo, names: Names) -> Table:
    rows = (_of_stay(one, zone, names) for one in found)
    return Table(name="stays", columns=STAYS, rows=rows)


def of_sign_ins(found: Iterable[SignedIn], zone: ZoneInfo, names: Names) -> Table:
    return Table(name="sign-ins", columns=SIGN_INS, rows=_sign_ins(found, zone, names))


def _of_sum(one: Sum) -> Sequence[Value]:
    return (
        one.bucket.start.isoformat(),
        one.bucket.end.isoformat(),
        one.team_id,
        one.team,
        one.login_id,
        one.name,
        one.mrd_id,
        one.mrd,
        one.state,
        one.reason_code_id,
        one.code,
        one.label,
        _rounded(one.seconds),
        one.stays,
        one.began,
        _rounded(one.mean),
        _rounded(one.longest),
        one.open,
        _rounded(one.productive_seconds),
        _rounded(one.unproductive_seconds),
        _rounded(one.signed_in_seconds),
        one.over,
        _rounded(one.over_seconds),
    )


def _of_stay(one: Stay, zone: ZoneInfo, names: Names) -> Sequence[Value]:
    last = one.corrections[-1] if one.corrections else None
    return (
        one.id,
        one.login_id,
        names.agent(one.login_id),
        one.mrd_id,
        names.mrd(one.mrd_id),
        one.team_id,
        names.team(one.team_id),
        one.state,
        one.reason_code_id,
        one.code,
        one.label,
        _local(one.started_at, zone),
        _local(one.ended_at, zone),
        _local(one.shown_from, zone),
        _local(one.shown_until, zone),
        _rounded(one.seconds),
        _rounded(one.over_seconds),
        one.cause,
        one.actor,
        one.note,
        one.first_code,
        one.first_label,
        len(one.corrections),
        last.actor if last else "",
        _local(last.at, zone) if last else None,
        last.note if last else "",
    )


def _sign_ins(found: Iterable[SignedIn], zone: ZoneInfo, names: Names) -> Iterator[Sequence[Value]]:
    for one in found:
        yield (
            one.login_id,
            names.agent(one.login_id),
            one.day.isoformat(),
            _local(one.first, zone),
            _local(one.last, zone),
            _local(one.since, zone),
            one.sign_ins,
            _rounded(one.seconds),
        )


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return at.astimezone(zone).isoformat() if at else None


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
