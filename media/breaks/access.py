"""Which break rules a user may see and change: THE RULE OF ACCESS (`finesse.users.access`).

A rule for all teams binds a supervisor's agents, too: supervisors read it, and may give their teams
a rule of their own, which goes before it.
"""

from django.db.models import Q, QuerySet

from finesse.users.access import supervised_teams
from finesse.users.models import User
from media.break_tables import BreakRule


def visible_rules(user: User) -> QuerySet[BreakRule]:
    """Those of the user's teams, and those for all; every rule for an administrator."""
    if user.is_superuser:
        return BreakRule.objects.all()
    return BreakRule.objects.filter(Q(team=None) | Q(team__in=supervised_teams(user)))


def may_change(user: User, rule: BreakRule) -> bool:
    if user.is_superuser:
        return True
    return rule.team_id is not None and supervised_teams(user).filter(pk=rule.team_id).exists()
