"""Sums of the time that agents spent in states and for reasons."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils import timezone

from media.reports.folding import Amounts, Key, Sums, add
from media.reports.naming import Names
from media.reports.periods import Bucket, Period, Step
from media.reports.reading import AGENT, MRD, TEAM, read
from media.reports.scope import Scope


class By(StrEnum):
    """What there is a sum of its own for."""

    TEAM = "team"
    AGENT = "agent"
    MRD = "mrd"
    STATE = "state"
    REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What one group of stays comes to in one part of the period.

    What it was not asked to be grouped by is None or empty.
    """

    bucket: Bucket
    team_id: int | None = None
    """None: in no team."""
    team: str = ""
    login_id: str = ""
    name: str = ""
    """Of the agent; empty if deleted."""
    mrd_id: int | None = None
    """1 is the desktop."""
    mrd: str = ""
    state: str = ""
    reason_code_id: int | None = None
    """None: without a reason."""
    code: int | None = None
    label: str = ""
    """Code and label are as they were at the end of the period."""
    seconds: float
    """The time that is in the bucket."""
    stays: int
    """Stays of which some time, or at least the beginning, is in the bucket. Buckets beside each
    other both count one that goes on from one into the other."""
    began: int
    """Those of them that began in the bucket, or in which the agent came into the team: each
    counts in one bucket alone."""
    longest: float
    """Seconds of the longest of them, from its own beginning, which may be before the bucket, until
    its end or the end of the bucket."""
    open: int
    """Those that run still. They are counted in the bucket in which now is."""
    productive_seconds: float
    """In the states of work, or NOT_READY for a reason that counts as productive."""
    unproductive_seconds: float
    """NOT_READY for a reason that does not; what nobody has classed is neither."""
    signed_in_seconds: float
    """In any state but LOGOUT."""
    over: int
    """Stays that were over the maximum of their reason in the bucket: the maximum that the reason
    had when the stay began."""
    over_seconds: float
    """The time in the bucket after it was over."""

    @property
    def mean(self) -> float:
        """Seconds in the bucket of one stay on average; 0 without any."""
        return self.seconds / self.stays if self.stays else 0.0


_COLUMNS = {By.AGENT: AGENT, By.TEAM: TEAM, By.MRD: MRD}


def sums(
    scope: Scope,
    period: Period,
    step: Step = Step.NONE,
    by: Collection[By] = (By.STATE, By.REASON),
    now: datetime | None = None,
) -> list[Sum]:
    """The sums by bucket, team, agent, MRD, state and reason; groups without a stay are left out.

    Raises RefusedError if there are too many steps.
    """
    now = now or timezone.now()
    buckets = period.buckets(step)
    columns = [_COLUMNS[one] for one in _COLUMNS if one in by]
    found = read(scope, buckets, columns, now)
    names = Names(min(period.end, now))
    grouped: Sums = {}
    dropped: dict[str, Any] = {}
    if By.STATE not in by:
        dropped["state"] = ""
    if By.REASON not in by:
        dropped["reason_code_id"] = None
    for key, amounts in found.items():
        kept = replace(key, **dropped) if dropped else key
        add(grouped, kept, names.classed(key.state, key.reason_code_id, amounts))
    ordered = sorted(grouped.items(), key=lambda one: names.order(one[0]))
    return [_sum(key, amounts, buckets[key.bucket], names) for key, amounts in ordered]


def _sum(key: Key, amounts: Amounts, bucket: Bucket, names: Names) -> Sum:
    code, label = names.reason(key.reason_code_id)
    return Sum(
        bucket=bucket,
        team_id=key.team_id,
        team=names.team(key.team_id),
        login_id=key.login_id,
        name=names.agent(key.login_id),
        mrd_id=key.mrd_id,
        mrd=names.mrd(key.mrd_id),
        state=key.state,
        reason_code_id=key.reason_code_id,
        code=code,
        label=label,
        seconds=amounts.micros / 1e6,
        stays=amounts.stays,
        began=amounts.began,
        longest=amounts.longest / 1e6,
        open=amounts.open,
        productive_seconds=amounts.productive / 1e6,
        unproductive_seconds=amounts.unproductive / 1e6,
        signed_in_seconds=amounts.signed_in / 1e6,
        over=amounts.over,
        over_seconds=amounts.over_micros / 1e6,
    )
