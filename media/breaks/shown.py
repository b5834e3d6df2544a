"""What break rules say of agents, as JSON for the board and for the agent's own page."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from finesse.api.xml import timestamp
from finesse.users.models import User
from media.break_tables import BreakRule
from media.breaks.budget import day_of, used
from media.breaks.places import taken
from media.breaks.queues import Queues
from media.breaks.rules import every_rule
from media.breaks.stays import budgets_over_at, stays
from media.breaks.used import Spans, spans_since, zone_of
from media.breaks.words import sentence
from reasoncodes.models import Category
from reasoncodes.selection import selectable_by


def limits_now(
    login_ids: Collection[str] | None = None, now: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """By login id and by the reason code's id as text: of those of these agents (None: of all) who
    are in a reason with a time now. Without such a rule it takes one statement.

    `overdueAt` is the earlier one of the ends of the longest stay and of the day's budget.
    """
    at = now or timezone.now()
    present = stays(every_rule(), login_ids)
    budgets = budgets_over_at([*present.values()], at)
    spans = _spans_today([one.rule for one in present.values()], {who for who, _ in present}, at)
    found: dict[str, dict[str, Any]] = {}
    for (login_id, reason_code), stay in present.items():
        over_at = stay.over_at(budgets[stay.key])
        found.setdefault(login_id, {})[str(reason_code)] = {
            **_times(stay.rule, login_id, spans, at),
            "beganAt": timestamp(stay.began_at),
            "overdueAt": timestamp(over_at) if over_at else None,
        }
    return found


def limits_of_agent(user: User, now: datetime | None = None) -> dict[str, dict[str, Any]]:
    """By the reason code's id as text: of the reasons that this agent may choose and that have a
    rule, whether the agent is in them or not.

    `places` is None where there is no number of them; `taken` counts this agent, too, and `waiting`
    who waits for one.
    """
    at = now or timezone.now()
    rules = every_rule()
    chosen = selectable_by(user, Category.NOT_READY)
    bound = [rule for code in chosen if (rule := rules.of(user.team_id, code.pk))]
    spans = _spans_today(bound, {user.pk}, at)
    counted = taken((user.team_id, rule.reason_code_id) for rule in bound if rule.most_at_once)
    queues = Queues()
    in_it = limits_now({user.pk}, at).get(user.pk, {})
    return {
        str(rule.reason_code_id): {
            **_times(rule, user.pk, spans, at),
            "beganAt": None,
            "overdueAt": None,
            **in_it.get(str(rule.reason_code_id), {}),
            "places": {
                "most": rule.most_at_once,
                "taken": len(counted[user.team_id, rule.reason_code_id]),
                "hasQueue": rule.has_queue,
                "waiting": queues.length((user.team_id, rule.reason_code_id)),
            }
            if rule.most_at_once
            else None,
        }
        for rule in bound
    }


def _times(rule: BreakRule, login_id: str, spans: Spans, now: datetime) -> dict[str, Any]:
    left = None
    if rule.budget:
        today = day_of(now, zone_of(rule))
        spent = used(spans[login_id, rule.reason_code_id], (today[0], now))
        left = int(max(rule.budget - spent, timedelta()).total_seconds())
    return {
        "says": sentence(rule),
        "maximumMinutes": rule.stay_minutes,
        "budgetMinutes": rule.budget_minutes,
        "budgetLeftSeconds": left,
    }


def _spans_today(rules: Collection[BreakRule], who: Collection[str], now: datetime) -> Spans:
    limited = [rule for rule in rules if rule.budget]
    since = min((day_of(now, zone_of(rule))[0] for rule in limited), default=now)
    return spans_since(since, now, who, {rule.reason_code_id for rule in limited})
