"""Who is there when a file is planned: read once, in a few queries for any number of people."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from finesse.users.models import Team, User
from media.models import Media, MediaRoutingDomain
from media.people.columns import PersonResource


@dataclass(kw_only=True)
class Person:
    """A user as a file shows it."""

    login_id: str = ""
    first_name: str = ""
    last_name: str = ""
    team: str = ""
    """Names of teams, since a file may name new ones."""
    supervises: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    manages_global: bool = False
    mrds: frozenset[int] = frozenset()
    is_active: bool = True


class Present:
    def __init__(self) -> None:
        self.teams = dict(Team.objects.values_list("name", "pk"))
        self.mrds = list(MediaRoutingDomain.objects.all())
        self.users = {user.pk: user for user in User.objects.all()}
        supervised, mrds = _supervised_teams(), _mrds()
        names = {pk: name for name, pk in self.teams.items()}
        self.people = {
            pk: Person(
                login_id=pk,
                first_name=user.first_name,
                last_name=user.last_name,
                team=names.get(user.team_id, "") if user.team_id else "",
                supervises=frozenset(supervised[pk]),
                roles=_roles(user),
                manages_global=user.manages_global_reason_codes,
                mrds=frozenset(mrds[pk]),
                is_active=user.is_active,
            )
            for pk, user in self.users.items()
        }
        self.by_folded_id = {pk.lower(): pk for pk in self.users}

    def resource(self, *, may_make_teams: bool = False) -> PersonResource:
        return PersonResource(self.teams, self.mrds, may_make_teams=may_make_teams)


def _roles(user: User) -> frozenset[str]:
    named = {"supervisor": user.is_supervisor, "administrator": user.is_superuser}
    return frozenset(name for name, has in named.items() if has)


def _supervised_teams() -> defaultdict[str, set[str]]:
    through = Team.supervisors.through.objects
    return _sets(through.values_list("user", "team__name"))


def _mrds() -> defaultdict[str, set[int]]:
    return _sets(Media.objects.order_by().values_list("user", "mrd"))


def _sets(pairs: Iterable[tuple[str, Any]]) -> defaultdict[str, set[Any]]:
    found: defaultdict[str, set[Any]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return found
