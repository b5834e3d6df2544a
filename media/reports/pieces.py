"""The history as reports read it: each stay with its team, reason and maximum of that time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from finesse.users.models import TeamMembership
from media.models import IntervalCorrection, StateInterval
from media.reports.maxima import Maxima
from media.reports.scope import Scope
from media.reports.statements import intervals

_DAYS_PER_QUERY = 40
"""Days of agents whose stays are in memory together, but one agent at least."""
_INTERVALS_PER_QUERY = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """The part of a stay that an agent spent in one team; nearly always that is all of it.

    A stay during which the agent changed the team has a piece in each.
    """

    interval: StateInterval
    corrections: Sequence[IntervalCorrection]
    """In their order."""
    reason_code_id: int | None
    """That of the last correction, if it was corrected."""
    team_id: int | None
    start: datetime
    end: datetime
    """Until now, if it runs still."""
    is_open: bool
    over_from: datetime | None
    """From then on the stay was longer than the maximum of its reason; None: it has none."""

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether any of it is in this time: it begins in it, or runs on into it."""
        return self.start < end and (self.end > start or self.start >= start)


def pieces(
    scope: Scope, start: datetime, end: datetime, now: datetime, since_agent: str = ""
) -> Iterator[Piece]:
    """All that touch this time, by agent, MRD and beginning; `since_agent` is the first agent."""
    maxima = Maxima()
    memberships = _memberships(scope, start, end)
    known = sorted(one for one in memberships if one >= since_agent)
    at_once = max(1, _DAYS_PER_QUERY // ((end - start).days + 1))
    for first in range(0, len(known), at_once):
        page = known[first : first + at_once]
        # In the order of the agents above, and not in that of the database's language.
        found = sorted(intervals(page, scope.mrd_ids, start, end), key=_in_order)
        corrected = corrections_of(found)
        for interval in found:
            corrections = corrected.get(interval.pk, [])
            for membership in memberships[interval.login_id]:
                piece = _piece(interval, corrections, membership, maxima, now)
                if piece and piece.touches(start, end):
                    yield piece


def _in_order(one: StateInterval) -> tuple[str, int, datetime, int]:
    return one.login_id, one.mrd_id, one.started_at, one.pk


def corrections_of(
    intervals: Sequence[StateInterval],
) -> dict[int, list[IntervalCorrection]]:
    """The corrections of each of these that has any, in their order."""
    found: defaultdict[int, list[IntervalCorrection]] = defaultdict(list)
    for first in range(0, len(intervals), _INTERVALS_PER_QUERY):
        page = [one.pk for one in intervals[first : first + _INTERVALS_PER_QUERY]]
        for correction in IntervalCorrection.objects.filter(interval__in=page).order_by("id"):
            found[correction.interval_id].append(correction)
    return dict(found)


def _memberships(scope: Scope, start: datetime, end: datetime) -> dict[str, list[TeamMembership]]:
    found = TeamMembership.objects.filter(
        Q(ended_at=None) | Q(ended_at__gte=start), started_at__lt=end
    ).order_by("login_id", "started_at")
    if scope.login_ids is not None:
        found = found.filter(login_id__in=scope.login_ids)
    by_user: defaultdict[str, list[TeamMembership]] = defaultdict(list)
    for membership in found:
        if scope.has(membership.login_id, membership.team_id):
            by_user[membership.login_id].append(membership)
    return dict(by_user)


def _piece(
    interval: StateInterval,
    corrections: Sequence[IntervalCorrection],
    membership: TeamMembership,
    maxima: Maxima,
    now: datetime,
) -> Piece | None:
    end = interval.ended_at or max(now, interval.started_at)
    until = membership.ended_at or datetime.max.replace(tzinfo=UTC)
    start = max(interval.started_at, membership.started_at)
    # One that ended when the membership began is not of it; one without any time may be.
    if start >= until or start > end or (start == end and start != interval.started_at):
        return None
    counts = corrections[-1] if corrections else interval
    reason_code_id = counts.reason_code_id
    maximum = maxima.of(reason_code_id, interval.started_at)
    return Piece(
        interval=interval,
        corrections=corrections,
        reason_code_id=reason_code_id,
        team_id=membership.team_id,
        start=start,
        end=min(end, until),
        is_open=interval.ended_at is None and membership.ended_at is None,
        over_from=max(start, interval.started_at + maximum) if maximum else None,
    )


def seconds(time: timedelta) -> float:
    return time / timedelta(seconds=1)
