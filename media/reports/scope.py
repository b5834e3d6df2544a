"""Whose time a user may report on, by THE RULE OF ACCESS (`finesse.users.access`).

Agents report on themselves, administrators on everybody. Supervisors report on the time that agents
have spent in the supervised teams: an agent who has left one still stands in its reports, and what
an agent did in another team is not shown.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TypeVar

from finesse.users.access import supervised_teams
from finesse.users.models import TeamMembership, User

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The time of these teams and of these agents; None: not limited so.

    `may_teams` and `may_login_ids` are what the user may see: time counts that is of one of the
    two. `teams` and `login_ids` are what was asked for: time counts that is of both.
    """

    everybody: bool = False
    may_teams: frozenset[int] = frozenset()
    may_login_ids: frozenset[str] = frozenset()
    teams: frozenset[int] | None = None
    login_ids: frozenset[str] | None = None
    mrd_ids: frozenset[int] | None = None
    without_teams: frozenset[int] = frozenset()

    def has(self, login_id: str, team_id: int | None) -> bool:
        """Whether time of this agent in this team (None: in no team) is in the report."""
        may = self.everybody or team_id in self.may_teams or login_id in self.may_login_ids
        return (
            may
            and team_id not in self.without_teams
            and (self.teams is None or team_id in self.teams)
            and (self.login_ids is None or login_id in self.login_ids)
        )

    def asked(
        self,
        *,
        teams: Collection[int] | None = None,
        login_ids: Collection[str] | None = None,
        mrd_ids: Collection[int] | None = None,
    ) -> "Scope":
        """The part of it that is of these; None: all of them. It is never more than it was."""
        return replace(
            self,
            teams=_both(self.teams, teams),
            login_ids=_both(self.login_ids, login_ids),
            mrd_ids=_both(self.mrd_ids, mrd_ids),
        )


def scope_of(user: User) -> Scope:
    """All that this user may report on; nothing for one who may not sign in."""
    if not user.may_sign_in:
        return Scope()
    if user.is_superuser:
        return Scope(everybody=True)
    teams = supervised_teams(user).values_list("pk", flat=True)
    return Scope(may_teams=frozenset(teams), may_login_ids=frozenset({user.pk}))


def teams_in(scope: Scope) -> dict[int, str]:
    """The teams that may be asked for, with their last names; deleted ones, too."""
    found = TeamMembership.objects.filter(team_id__isnull=False).order_by("id")
    if not scope.everybody:
        found = found.filter(team_id__in=scope.may_teams)
    named = {pk: name for pk, name in found.values_list("team_id", "team_name") if pk is not None}
    return dict(sorted(named.items(), key=lambda one: one[1].casefold()))


def login_ids_in(scope: Scope) -> set[str]:
    """The agents who may be asked for: those who are in a team of the scope, or once were."""
    found = TeamMembership.objects.order_by()
    if scope.everybody:
        return {*found.values_list("login_id", flat=True).distinct()}
    found = found.filter(team_id__in=scope.may_teams)
    return {*found.values_list("login_id", flat=True).distinct(), *scope.may_login_ids}


def _both(before: frozenset[T] | None, asked: Collection[T] | None) -> frozenset[T] | None:
    if asked is None:
        return before
    return frozenset(asked) if before is None else before & frozenset(asked)
