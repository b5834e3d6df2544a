"""The stays of one agent: what a timeline shows, and a table of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils import timezone

from media.reports.periods import Period
from media.reports.pieces import Piece, pieces, seconds
from media.reports.scope import Scope


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A reason that somebody has corrected a stay to."""

    code: int | None
    label: str
    note: str
    actor: str
    """Login id."""
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A time that an agent spent in one state, and for one reason, in one MRD."""

    id: int
    """Of the interval in the history."""
    login_id: str
    mrd_id: int
    """1 is the desktop."""
    team_id: int | None
    """The team at its end, as far as it is shown; None: in no team."""
    state: str
    reason_code_id: int | None
    code: int | None
    label: str
    """Code and label are as they were then, or as the last correction says."""
    first_code: int | None
    first_label: str
    """What the agent has chosen; the same unless it was corrected."""
    corrections: tuple[Correction, ...]
    """In their order."""
    started_at: datetime
    ended_at: datetime | None
    """None: it runs still."""
    shown_from: datetime
    shown_until: datetime
    """The part of it that is in the period and that the user may see; one that runs still is shown
    until now. What both say is never before `started_at` or after `ended_at`."""
    over_from: datetime | None
    """When it has become longer than the maximum of its reason allows; None: it has none."""
    cause: str
    """A value of `media.models.Cause`."""
    actor: str
    """Login id of the user who has brought it about; empty for the system."""
    note: str

    @property
    def seconds(self) -> float:
        """Of the part that is shown."""
        return seconds(self.shown_until - self.shown_from)

    @property
    def over_seconds(self) -> float:
        """For how long it was over the maximum in the part that is shown."""
        if self.over_from is None:
            return 0.0
        return max(0.0, seconds(self.shown_until - max(self.shown_from, self.over_from)))

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


def stays(login_id: str, period: Period, scope: Scope, now: datetime | None = None) -> list[Stay]:
    """The stays of this agent in the period, as far as the user may see them, by MRD and time."""
    return list(all_stays(scope.asked(login_ids=[login_id]), period, now))


def all_stays(
    scope: Scope, period: Period, now: datetime | None = None, since_agent: str = ""
) -> Iterator[Stay]:
    """The stays of all agents of the scope, by agent, MRD and time; read as they are asked for.

    `since_agent` is the login id from which on they are wanted.
    """
    now = now or timezone.now()
    end = min(period.end, now)
    if end <= period.start:
        return
    found = pieces(scope, period.start, end, now, since_agent)
    for _, of_one in groupby(found, key=lambda piece: piece.interval.pk):
        yield _stay([*of_one], period.start, end)


def _stay(parts: list[Piece], start: datetime, end: datetime) -> Stay:
    first, last = parts[0], parts[-1]
    interval = first.interval
    counts = first.corrections[-1] if first.corrections else interval
    return Stay(
        id=interval.pk,
        login_id=interval.login_id,
        mrd_id=interval.mrd_id,
        team_id=last.team_id,
        state=interval.state,
        reason_code_id=first.reason_code_id,
        code=counts.code,
        label=counts.label,
        first_code=interval.code,
        first_label=interval.label,
        corrections=tuple(
            Correction(code=one.code, label=one.label, note=one.note, actor=one.actor, at=one.at)
            for one in first.corrections
        ),
        started_at=interval.started_at,
        ended_at=interval.ended_at,
        shown_from=max(first.start, start),
        shown_until=max(min(last.end, end), max(first.start, start)),
        over_from=first.over_from,
        cause=interval.cause,
        actor=interval.actor,
        note=interval.note,
    )
