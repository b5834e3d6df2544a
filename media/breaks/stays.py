"""Who is in a reason with a rule, since when, and until when that is in order.

The stay of an agent begins with the first of the MRDs (and the desktop) in which the agent is in
the reason now. It is looked up in the present states alone, never in the history.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import TypeAlias

from media.break_tables import BreakRule
from media.breaks.budget import day_of, used_up_at
from media.breaks.rules import RuleBook
from media.breaks.used import Spans, spans_since, zone_of
from media.models import VOICE_MRD, Desktop, Media
from media.states import State

StayKey: TypeAlias = tuple[str, int]
"""Login id and reason code."""
LONGEST_LOOK_BACK = timedelta(hours=50)
"""Two days. An agent who is in a reason for longer has used up the budget, whatever was before."""


@dataclass
class Stay:
    """An agent in a reason."""

    login_id: str
    rule: BreakRule
    reason_code: int
    began_at: datetime
    mrds: list[int] = field(default_factory=list)
    """Where the agent is in the reason; the voice MRD stands for the desktop."""

    @property
    def key(self) -> StayKey:
        return self.login_id, self.reason_code

    def over_at(self, budget_over_at: datetime | None) -> datetime | None:
        """When its time is over, whichever is first: that of the stay, or that of the day."""
        longest = self.rule.longest_stay
        ends = (self.began_at + longest if longest else None, budget_over_at)
        return min((end for end in ends if end), default=None)


def stays(rules: RuleBook, login_ids: Collection[str] | None = None) -> dict[StayKey, Stay]:
    """The stays of all agents, or of these, in reasons with a rule that says a time."""
    reasons = {rule.reason_code_id for rule in rules if rule.has_time}
    if not reasons:
        return {}
    found: dict[StayKey, Stay] = {}
    for login_id, team, reason, mrd_id, since in _present(reasons, login_ids):
        rule = rules.of(team, reason)
        if rule is None or not rule.has_time:
            continue
        stay = found.setdefault((login_id, reason), Stay(login_id, rule, reason, since))
        stay.began_at = min(stay.began_at, since)
        stay.mrds.append(mrd_id)
    return found


def budgets_over_at(some: Collection[Stay], now: datetime) -> dict[StayKey, datetime | None]:
    """When each of these stays uses the budget of a day up, from the history of the day."""
    limited = [stay for stay in some if stay.rule.budget]
    days = [day_of(stay.began_at, zone_of(stay.rule))[0] for stay in limited]
    spans = spans_since(
        max(min(days, default=now), now - LONGEST_LOOK_BACK),
        now,
        {one.login_id for one in limited},
        {one.reason_code for one in limited},
    )
    return {stay.key: _budget_over_at(stay, spans) for stay in some}


def _budget_over_at(stay: Stay, spans: Spans) -> datetime | None:
    budget = stay.rule.budget
    if budget is None:
        return None
    before = [(began, min(ended, stay.began_at)) for began, ended in spans[stay.key]]
    return used_up_at(
        stay.began_at,
        (span for span in before if span[0] < span[1]),
        budget,
        zone_of(stay.rule),
    )


def _present(
    reasons: Collection[int], login_ids: Collection[str] | None
) -> Iterator[tuple[str, int | None, int, int, datetime]]:
    """Login id, team, reason code, MRD and since when."""
    media = Media.objects.filter(state=State.NOT_READY, reason_code__in=reasons)
    desktops = Desktop.objects.filter(state=State.NOT_READY, reason_code__in=reasons)
    if login_ids is not None:
        media, desktops = media.filter(user__in=login_ids), desktops.filter(user__in=login_ids)
    # Last: a desktop that signs its user out of the MRDs, too, finds them signed out then.
    rows = chain(
        media.order_by("user", "mrd").values_list(
            "user", "user__team", "reason_code", "mrd", "state_change_time"
        ),
        (
            (login_id, team, reason, VOICE_MRD, since)
            for login_id, team, reason, since in desktops.order_by("user").values_list(
                "user", "user__team", "reason_code", "state_change_time"
            )
        ),
    )
    for login_id, team, reason, mrd_id, since in rows:
        if since is not None:
            yield login_id, team, reason, mrd_id, since
