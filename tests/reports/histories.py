"""Random histories, and sums of them that are slow and obvious: an interval after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max
from hypothesis import strategies as st

from finesse.users.models import TeamMembership
from media.models import IntervalCorrection, StateInterval
from reasoncodes.models import ReasonCode

ZONES = ("America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
CHANGES = {
    "America/Sao_Paulo": (
        datetime(2018, 11, 4, 3, tzinfo=UTC),
        datetime(2019, 2, 17, 2, tzinfo=UTC),
    ),
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Asia/Kolkata": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Australia/Lord_Howe": (
        datetime(2026, 4, 4, 15, tzinfo=UTC),
        datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    ),
}
"""When the clocks of these zones are changed; Kolkata's are not, but differ by half an hour."""
STATES = ("LOGOUT", "NOT_READY", "READY")
AGENTS = ("ann", "ben")
MRDS = (1, 5001)
TEAMS = (None, 7, 8)


@dataclass(frozen=True)
class History:
    intervals: list[dict[str, Any]]
    memberships: list[dict[str, Any]]
    corrections: list[tuple[int, int | None]]
    """The place of an interval, and the reason to which it was corrected."""
    now: datetime

    def save(self) -> None:
        IntervalCorrection.objects.all().delete()
        StateInterval.objects.all().delete()
        TeamMembership.objects.all().delete()
        # Each has an id that says which it is; saved in the order of time, as the writer does.
        first = (StateInterval.objects.aggregate(newest=Max("id"))["newest"] or 0) + 1
        rows = [
            StateInterval(pk=first + place, **row, cause="self", actor=row["login_id"])
            for place, row in enumerate(self.intervals)
        ]
        StateInterval.objects.bulk_create(rows)
        for place, reason in self.corrections:
            IntervalCorrection.objects.create(
                interval=rows[place], reason_code_id=reason, actor="sue", at=self.now
            )
        TeamMembership.objects.bulk_create(TeamMembership(**row) for row in self.memberships)


@st.composite
def histories(draw: st.DrawFn, around: datetime, codes: list[int]) -> History:
    """Some days around a moment, to the second, with edges on whole hours more often than not."""
    begin = around - timedelta(days=2)
    # Often whole quarters: edges that fall together are where sums go wrong.
    step = st.one_of(
        st.integers(0, 12 * 3600), st.integers(0, 48).map(lambda quarters: quarters * 900)
    )
    intervals: list[dict[str, Any]] = []
    now = begin
    for login_id in AGENTS:
        for mrd_id in MRDS:
            at = begin + timedelta(seconds=draw(step))
            for length in draw(st.lists(step, min_size=1, max_size=7)):
                state = draw(st.sampled_from(STATES))
                code = draw(st.sampled_from([None, *codes])) if state == "NOT_READY" else None
                until = at + timedelta(seconds=length)
                intervals.append(
                    {
                        "login_id": login_id,
                        "mrd_id": mrd_id,
                        "state": state,
                        "reason_code_id": code,
                        "started_at": at,
                        "ended_at": until,
                    }
                )
                at = until
            if draw(st.booleans()):
                intervals[-1]["ended_at"] = None
                at = intervals[-1]["started_at"]
            now = max(now, at)
    now += timedelta(seconds=draw(step))
    memberships = [row for login_id in AGENTS for row in _memberships(draw, login_id, begin, step)]
    not_ready = [n for n, one in enumerate(intervals) if one["state"] == "NOT_READY"]
    corrections = (
        draw(
            st.lists(
                st.tuples(st.sampled_from(not_ready), st.sampled_from([None, *codes])), max_size=4
            )
        )
        if not_ready
        else []
    )
    return History(intervals, memberships, corrections, now)


def _memberships(
    draw: st.DrawFn, login_id: str, begin: datetime, step: "st.SearchStrategy[int]"
) -> Iterator[dict[str, Any]]:
    edges = [datetime(1970, 1, 1, tzinfo=UTC)]
    at = begin
    for length in draw(st.lists(step, max_size=3)):
        at += timedelta(seconds=length)
        edges.append(at)
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        team = draw(st.sampled_from(TEAMS))
        yield {
            "login_id": login_id,
            "team_id": team,
            "team_name": f"Team {team}" if team else "",
            "started_at": start,
            "ended_at": end,
        }


def obvious(
    history: History,
    zone: str,
    start: datetime,
    end: datetime,
    bucket_of: Any,
    limits: dict[int, timedelta],
) -> dict[tuple[Any, ...], list[float]]:
    """By bucket, team, agent, MRD, state and reason: seconds, stays, longest, open, over, seconds
    over, stays that began. Each stay is cut at each edge there is; `bucket_of` names the bucket of
    a moment."""
    edges = sorted({*_quarters(start, end), start, end})
    found: dict[tuple[Any, ...], list[float]] = {}
    reasons = {n: one["reason_code_id"] for n, one in enumerate(history.intervals)}
    reasons |= dict(history.corrections)
    seen: set[tuple[Any, ...]] = set()
    seen_over: set[tuple[Any, ...]] = set()
    for number, interval in enumerate(history.intervals):
        s, e = interval["started_at"], interval["ended_at"] or history.now
        for which, membership in enumerate(history.memberships):
            if membership["login_id"] != interval["login_id"]:
                continue
            ms, me = membership["started_at"], membership["ended_at"]
            me = me or datetime.max.replace(tzinfo=UTC)
            for a, b in pairwise(edges):
                b = min(b, history.now)
                left, right = max(s, ms, a), min(e, me, b)
                is_point = s == e and a <= s < b and ms <= s < me
                if not (left < right or is_point):
                    continue
                reason = reasons[number]
                bucket = bucket_of(a.astimezone(ZoneInfo(zone)))
                key = (
                    bucket,
                    membership["team_id"],
                    interval["login_id"],
                    interval["mrd_id"],
                    interval["state"],
                    reason,
                )
                row = found.setdefault(key, [0.0, 0, 0.0, 0, 0, 0.0, 0])
                row[0] += (right - left).total_seconds() if left < right else 0
                if (key, number, which) not in seen:
                    seen.add((key, number, which))
                    row[1] += 1
                row[6] += left == max(s, ms)
                row[2] = max(row[2], (min(e, me, b) - s).total_seconds())
                if interval["ended_at"] is None and membership["ended_at"] is None:
                    # It runs still: counted where now is.
                    row[3] += b == history.now
                limit = limits.get(reason or 0)
                if limit and (over := right - max(left, s + limit)) > timedelta():
                    row[5] += over.total_seconds()
                    if (key, number, which) not in seen_over:
                        seen_over.add((key, number, which))
                        row[4] += 1
    return found


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    at = datetime(start.year, start.month, start.day, tzinfo=UTC)
    while at < end:
        if at > start:
            yield at
        at += timedelta(minutes=15)


def with_limits() -> dict[int, timedelta]:
    """Two reasons, one with a maximum; that it had from the beginning."""
    codes = [
        ReasonCode.objects.create(
            category="NOT_READY", code=number, label=f"Reason {number}", maximum_minutes=minutes
        )
        for number, minutes in ((901, 90), (902, None))
    ]
    return {one.pk: timedelta(minutes=one.maximum_minutes or 0) for one in codes}
