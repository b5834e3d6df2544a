"""WHO MAY SEE WHOM: agents themselves, supervisors their teams' members, administrators all."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from finesse.users.models import Team, User


@dataclass(frozen=True, kw_only=True)
class Access:
    """What one user may see, as of the moment at which it was looked up."""

    login_id: str
    watches: frozenset[str] | None
    """The users, by login id, whom this one may see; None is everybody."""
    credentials: str
    """Changes with the password: a socket opened with an old one ends."""
    teams: frozenset[int] = frozenset()
    """The teams that this user supervises."""


def access_of(login_ids: Collection[str]) -> dict[str, Access]:
    """What each of these users may see, by login id; an inactive or unknown user is missing.

    Three queries however many users; one, if none is a supervisor.
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
