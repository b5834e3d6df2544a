"""Rules that lead agents from one reason to the next must not lead them back to the first."""

from collections.abc import Iterator

from finesse.users.models import Team
from media.breaks.rules import RuleBook
from reasoncodes.models import ReasonCode


def new_circles(before: RuleBook, after: RuleBook, reason: ReasonCode) -> list[str]:
    """The circles that there are only after a change of the rule for this reason: a sentence for
    each, in which it comes first if it is in the circle.

    A team's own rule hides the one for all teams, so each team may have circles of its own, and a
    rule that goes away may close one.
    """
    old, new = _circles(before, reason), _circles(after, reason)
    added = new.keys() - old.keys()
    teams = Team.objects.in_bulk([team_id for team_id, _ in added if team_id])
    whom = {None: "Agents", **{pk: f"Agents of {team}" for pk, team in teams.items()}}
    return sorted(f"{whom[key[0]]} would go round in a circle: {new[key]}." for key in added)


def _circles(rules: RuleBook, begin: ReasonCode) -> dict[tuple[int | None, frozenset[int]], str]:
    """By the team whose agents would go round, and the reasons."""
    teams = {None, *(rule.team_id for rule in rules)}
    reasons = {begin, *(rule.reason_code for rule in rules)}
    found: dict[tuple[int | None, frozenset[int]], str] = {}
    for team_id in teams:
        for first in sorted(reasons, key=lambda one: one != begin):
            way = [first, *_following(rules, team_id, first)]
            if way[-1] == first and len(way) > 1:
                key = team_id, frozenset(one.pk for one in way)
                found.setdefault(key, " → ".join(f"“{one.label}”" for one in way))
    return found


def _following(rules: RuleBook, team_id: int | None, first: ReasonCode) -> Iterator[ReasonCode]:
    """The reasons after the first one, up to the first that comes a second time."""
    seen, reason = {first}, first
    while (rule := rules.of(team_id, reason.pk)) and (then := rule.then_reason_code):
        yield then
        if then in seen:
            return
        seen.add(then)
        reason = then
