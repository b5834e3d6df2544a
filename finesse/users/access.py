"""THE RULE OF ACCESS: agents see themselves, supervisors their teams, administrators everybody."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

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


def access_of(login_ids: Collection[str]) -> dict[str, Access]:
    """The access of each of these users, by login id; inactive and unknown users are missing.

    Takes three queries for any number of users, one if none of them is a supervisor.
    """
    users = list(User.objects.filter(pk__in=login_ids, is_active=True))
    supervisors = [user.pk for user in users if user.is_supervisor]
    teams: defaultdict[str, set[int]] = defaultdict(set)
    members: defaultdict[str, set[str]] = defaultdict(set)
    if supervisors:
        supervising = Team.objects.filter(supervisors__in=supervisors)
        for supervisor, team in supervising.values_list("supervisors", "pk"):
            teams[supervisor].add(team)
        supervised = User.objects.filter(team__supervisors__in=supervisors)
        for supervisor, member in supervised.values_list("team__supervisors", "pk"):
            members[supervisor].add(member)
    return {
        user.pk: Access(
            login_id=user.pk,
            watches=None if user.is_superuser else frozenset({user.pk, *members[user.pk]}),
            credentials=user.get_session_auth_hash(),
            teams=frozenset(teams[user.pk]),
        )
        for user in users
    }
