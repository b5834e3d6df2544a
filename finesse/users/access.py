"""THE RULE OF ACCESS: agents see themselves, supervisors their teams, administrators everybody.

The API, the administration and the sockets all ask here.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from finesse.users.models import Team, User


@dataclass(frozen=True, kw_only=True)
class Access:
    """Which users and teams one user may see, as of the last lookup."""

    login_id: str
    watches: frozenset[str] | None
    """Login ids of the users that this user may see; None means all of them."""
    credentials: str
    """Changes with the password, so that sockets opened with an old one are closed."""
    teams: frozenset[int] = frozenset()
    """The teams that this user supervises."""
    team: int | None = None
    """The team that this user is a member of."""

    def manages(self, login_id: str) -> bool:
        """As `managed_users`: everybody for an administrator, for others whom they watch but
        themselves."""
        return self.watches is None or (login_id in self.watches and login_id != self.login_id)


def supervised_teams(user: User) -> QuerySet[Team]:
    """The teams that this user watches and configures: all of them for an administrator."""
    return Team.objects.all() if user.is_superuser else user.supervises()


def visible_users(user: User) -> QuerySet[User]:
    """The users that this user may see."""
    if user.is_superuser:
        return User.objects.all()
    return User.objects.filter(Q(pk=user.pk) | Q(team__in=user.supervises()))


def managed_users(user: User) -> QuerySet[User]:
    """The users whose states this user may change beside the own ones: the others in teams that the
    user supervises, or everybody for an administrator."""
    if not user.may_sign_in:
        return User.objects.none()
    if user.is_superuser:
        return User.objects.all()
    return User.objects.filter(team__in=user.supervises()).exclude(pk=user.pk)


def runs_accounts(user: User) -> bool:
    """Whether the user sets passwords, gives out sign-in links, and sees and ends the sign-ins of
    others. For oneself everybody does so, on the account's own page."""
    return user.is_active and user.is_superuser


def access_of(login_ids: Collection[str]) -> dict[str, Access]:
    """The access of each of these users, by login id; those who may not sign in are missing.

    Takes three queries for any number of users, one if none of them is a supervisor.
    """
    users = [user for user in User.objects.filter(pk__in=login_ids) if user.may_sign_in]
    supervisors = [user.pk for user in users if user.is_supervisor]
    teams, members = _teams_of(supervisors), _members_of(supervisors)
    return {
        user.pk: Access(
            login_id=user.pk,
            watches=None if user.is_superuser else frozenset({user.pk, *members[user.pk]}),
            credentials=user.get_session_auth_hash(),
            teams=frozenset(teams[user.pk]),
            team=user.team_id,
        )
        for user in users
    }


def _teams_of(supervisors: Collection[str]) -> defaultdict[str, set[int]]:
    found: defaultdict[str, set[int]] = defaultdict(set)
    if supervisors:
        teams = Team.objects.filter(supervisors__in=supervisors)
        for supervisor, team in teams.values_list("supervisors", "pk"):
            found[supervisor].add(team)
    return found


def _members_of(supervisors: Collection[str]) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    if supervisors:
        members = User.objects.filter(team__supervisors__in=supervisors)
        for supervisor, member in members.values_list("team__supervisors", "pk"):
            found[supervisor].add(member)
    return found
