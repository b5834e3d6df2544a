"""What is there when a file is planned: read once, in a few queries for any number of rows."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from finesse.db.names import folded
from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from media.reason_codes.files.columns import Offer, ReasonCodeResource
from reasoncodes.access import changeable_by, manages_global, visible_to
from reasoncodes.models import ReasonCode


def own_teams(user: User) -> Sequence[Team]:
    return list(supervised_teams(user).order_by("name"))


def visible_codes(user: User, own: Collection[Team]) -> list[ReasonCode]:
    """Those that the user may see, each with its `offered_to`: of the own teams, that is."""
    found = list(visible_to(user).order_by("category", "code", "pk"))
    teams: defaultdict[int, set[int]] = defaultdict(set)
    through = ReasonCode.teams.through.objects.filter(team__in=[team.pk for team in own])
    for code, team in through.values_list("reasoncode", "team"):
        teams[code].add(team)
    for one in found:
        one.offered_to = Offer(one.for_all, frozenset(teams[one.pk]))  # type: ignore[attr-defined]
    return found


def resource_for(
    own: Collection[Team], codes: Collection[ReasonCode], more: Collection[str] = ()
) -> ReasonCodeResource:
    """With a column for each language that a code has, and for `more`."""
    languages = {tag for code in codes for tag in code.translations} | {*more}
    return ReasonCodeResource(own, sorted(languages))


class Present:
    def __init__(self, by: User) -> None:
        self.own = own_teams(by)
        self.own_pks = frozenset(team.pk for team in self.own)
        self.is_administrator = by.is_superuser
        self.manages_global = manages_global(by)
        visible = visible_codes(by, self.own)
        self.visible = {code.pk: code for code in visible}
        self.changeable = frozenset(changeable_by(by).values_list("pk", flat=True))
        self.not_retired = list(ReasonCode.objects.not_retired())
        self.by_number = {(code.category, code.code): code for code in self.not_retired}
        self.retired: defaultdict[tuple[str, int, str], list[ReasonCode]] = defaultdict(list)
        for code in visible:
            if code.retired:
                self.retired[code.category, code.code, folded(code.label)].append(code)
        self.hidden_teams = self._hidden_teams()

    def _hidden_teams(self) -> dict[int, frozenset[int]]:
        """The teams of each code that the user does not see: they stay as they are."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        through = ReasonCode.teams.through.objects.exclude(team__in=self.own_pks)
        for code, team in through.values_list("reasoncode", "team"):
            found[code].add(team)
        return {code: frozenset(teams) for code, teams in found.items()}
