"""When agents were signed in, on each day."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django.utils import timezone

from media.reports.periods import Period, Step
from media.reports.pieces import Piece, pieces, seconds
from media.reports.scope import Scope
from media.states import State

_LOOK_BACK = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """One agent on one day: signed in to any MRD or to the desktop."""

    login_id: str
    day: date
    first: datetime
    """The first moment of the day at which the agent was signed in: midnight, if since before."""
    last: datetime
    """The last one; now, if signed in still."""
    since: datetime | None
    """The beginning of the time that goes on still; it may be on the day before (further back is
    not looked). None: signed out by the end of the day, or the day is over."""
    sign_ins: int
    """How often the agent signed in on this day, having been signed out of everything."""
    seconds: float
    """Signed in on this day to at least one of them."""


def signed_in(scope: Scope, period: Period, now: datetime | None = None) -> Iterator[SignedIn]:
    """By agent and day; days without any are left out."""
    now = now or timezone.now()
    end = min(period.end, now)
    if end <= period.start:
        return
    days = period.buckets(Step.DAY)
    edges = [(one.start.astimezone(UTC), min(one.end.astimezone(UTC), end)) for one in days]
    found = (one for one in pieces(scope, period.start - _LOOK_BACK, end, now) if _counts(one))
    for login_id, of_agent in groupby(found, key=lambda piece: piece.interval.login_id):
        spans = _spans([*of_agent])
        by_day: defaultdict[int, list[tuple[datetime, datetime, bool]]] = defaultdict(list)
        for span in spans:
            for place, (start, until) in enumerate(edges):
                if span[0] < until and span[1] > start:
                    by_day[place].append(span)
        for place, of_day in sorted(by_day.items()):
            start, until = edges[place]
            last_start, last_end, runs = of_day[-1]
            yield SignedIn(
                login_id=login_id,
                day=days[place].start.date(),
                first=max(start, of_day[0][0]),
                last=min(until, last_end),
                since=last_start if runs and until == now <= last_end else None,
                sign_ins=sum(span[0] >= start for span in of_day),
                seconds=seconds(
                    sum((min(until, e) - max(start, s) for s, e, _ in of_day), timedelta())
                ),
            )


def _counts(piece: Piece) -> bool:
    return piece.interval.state != State.LOGOUT and piece.end > piece.start


def _spans(of_agent: list[Piece]) -> list[tuple[datetime, datetime, bool]]:
    """The times without a gap, in their order: beginning, end, and whether it goes on still."""
    spans: list[tuple[datetime, datetime, bool]] = []
    for piece in sorted(of_agent, key=lambda one: one.start):
        if spans and piece.start <= spans[-1][1]:
            start, end, runs = spans.pop()
            spans.append((start, max(end, piece.end), runs or piece.is_open))
        else:
            spans.append((piece.start, piece.end, piece.is_open))
    return spans
