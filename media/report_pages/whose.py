"""Whose time a report is about: a team, an agent, an MRD, as far as its reader may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from finesse.users.models import TeamMembership, User
from finesse.users.names import names_of
from media.models import MediaRoutingDomain
from media.report_pages.wording import mrd_word
from media.reports.periods import Period, RefusedError
from media.reports.scope import Scope, scope_of, teams_in

MOST_AGENTS = 300
"""Agents up to which each has a row on a page, and is offered in its form."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    scope: Scope
    """What is shown."""
    teams: Mapping[int, str]
    """What may be chosen, by id."""
    team: int | None
    mrds: Mapping[int, str]
    mrd: int | None
    agents: Mapping[str, str]
    """Those of the time and team by login id, with their names, which are empty for deleted ones;
    none if they are too many."""
    agent: str
    count: int
    """How many agents that are."""

    def parameters(self, reader: User) -> dict[str, str]:
        """How the API is asked for the same."""
        of_all = "" if reader.is_superuser else ",".join(map(str, self.teams))
        return {
            "team": of_all if self.team is None else str(self.team),
            "agent": self.agent,
            "mrd": "" if self.mrd is None else str(self.mrd),
        }


def whose(reader: User, asked: Mapping[str, str], period: Period) -> Whose:
    """Raises RefusedError for what no team or MRD is, Http404 for what is not the reader's."""
    everything = scope_of(reader)
    teams, mrds = teams_in(everything), mrds_by_id()
    team, mrd = _number(asked, "team"), _number(asked, "mrd")
    if team is not None and team not in teams:
        raise Http404
    if mrd is not None and mrd not in mrds:
        raise RefusedError(f"There is no MRD {mrd}.")
    # The own time of a supervisor is not that of a team: it has its own page.
    wanted = {team} if team is not None else None if everything.everybody else {*teams}
    memberships = TeamMembership.objects.order_by()
    if wanted is not None:
        memberships = memberships.filter(team_id__in=wanted)
    agent = asked.get("agent", "")
    # PostgreSQL refuses a text with a NUL.
    if agent and ("\0" in agent or not memberships.filter(login_id=agent).exists()):
        raise Http404
    then = Q(ended_at=None) | Q(ended_at__gte=period.start)
    in_time = memberships.filter(then, started_at__lt=period.end)
    login_ids = {*in_time.values_list("login_id", flat=True).distinct()}
    return Whose(
        scope=everything.asked(
            teams=wanted,
            login_ids=[agent] if agent else None,
            mrd_ids=None if mrd is None else [mrd],
        ),
        teams=teams,
        team=team,
        mrds=mrds,
        mrd=mrd,
        agents=names_of_agents(login_ids) if len(login_ids) <= MOST_AGENTS else {},
        agent=agent,
        count=1 if agent else len(login_ids),
    )


def mrds_by_id() -> dict[int, str]:
    rows = MediaRoutingDomain.objects.order_by("pk").values_list("pk", "name")
    return {pk: mrd_word(pk, name) for pk, name in rows}


def names_of_agents(login_ids: Iterable[str]) -> dict[str, str]:
    """In the order of their names; deleted users come last."""
    wanted = [*login_ids]
    named = dict.fromkeys(wanted, "") | names_of(wanted)
    return dict(sorted(named.items(), key=lambda one: (not one[1], one[1].casefold(), one[0])))


def _number(asked: Mapping[str, str], key: str) -> int | None:
    text = asked.get(key, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        word = "team" if key == "team" else "MRD"
        raise RefusedError(f"“{text[:64]}” is no {word}.")
    return int(text)
