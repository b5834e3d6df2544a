"""A report on teams: figures, reasons, steps of time, agents, MRDs."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.urls import reverse

from finesse.users.models import Team, User
from media.report_pages import links
from media.report_pages.durations import share, spoken
from media.report_pages.figures import Figures, together
from media.report_pages.questions import Question
from media.report_pages.series import Series
from media.report_pages.sum_tables import Group, OverTime, by_group, by_reason, over_time
from media.report_pages.tables import Cell, Table
from media.report_pages.whose import MOST_AGENTS, Whose, names_of_agents
from media.report_pages.wording import mrd_word
from media.reports.periods import Bucket, Period, Step
from media.reports.sums import By, Sum, sums

Key = TypeVar("Key", bound=Hashable)

OF_ALL = (By.TEAM, By.MRD, By.STATE, By.REASON)
OF_AGENTS = (By.AGENT, By.STATE, By.REASON)


@dataclass(frozen=True)
class Fact:
    name: str
    value: str
    more: str = ""


@dataclass(frozen=True, kw_only=True)
class TeamReport:
    facts: Sequence[Fact]
    reasons: Table
    steps: OverTime
    agents: Table | None
    """None if they are too many for a page."""
    mrds: Table | None
    """None if there is but one; so for the teams."""
    teams: Table | None
    series: Series

    def tables(self) -> list[Table]:
        found = (self.reasons, self.steps.table, self.agents, self.mrds, self.teams)
        return [table for table in found if table]


def report_on(reader: User, question: Question, chosen: Whose) -> TeamReport:
    period, now = question.period, question.now
    of_all = sums(chosen.scope, period, Step.NONE, OF_ALL, now)
    of_steps = sums(chosen.scope, period, question.step, (By.STATE, By.REASON), now)
    of_agents = []
    if chosen.count <= MOST_AGENTS:
        of_agents = sums(chosen.scope, period, Step.NONE, OF_AGENTS, now)
    series = Series(reader, [one.reason_code_id for one in [*of_all, *of_steps]])
    buckets = period.buckets(question.step)
    return TeamReport(
        facts=facts_of(together(of_all)),
        reasons=by_reason(of_all, series),
        steps=over_time(of_steps, buckets, question, series, _links(question, buckets)),
        agents=_agents(of_agents, question, series) if chosen.count <= MOST_AGENTS else None,
        mrds=_mrds(of_all, series),
        teams=_teams(of_all, question, series),
        series=series,
    )


def facts_of(figures: Figures) -> list[Fact]:
    whole = figures.signed_in
    found = [
        Fact("Signed in", spoken(whole)),
        Fact("Ready", spoken(figures.ready), share(figures.ready, whole)),
        Fact("Not ready", spoken(figures.not_ready), share(figures.not_ready, whole)),
        Fact("Productive", spoken(figures.productive), share(figures.productive, whole)),
        Fact("Not productive", spoken(figures.unproductive), share(figures.unproductive, whole)),
        Fact("Over the limit", f"{figures.stays_over:,}", f"for {spoken(figures.over)}"),
    ]
    if figures.other:
        found.insert(3, Fact("At work", spoken(figures.other), share(figures.other, whole)))
    if figures.unclassed:
        unclassed = share(figures.unclassed, whole)
        found.insert(-1, Fact("Not classed", spoken(figures.unclassed), unclassed))
    return found


def _agents(found: Sequence[Sum], question: Question, series: Series) -> Table:
    by_agent = _grouped(found, lambda one: one.login_id)
    # Those who were signed out all the time would be rows of dashes.
    there = [login_id for login_id, of_one in by_agent.items() if together(of_one).signed_in]
    time = links.time_of(question)
    groups = [
        Group(
            Cell(
                name or login_id,
                link=links.with_query(reverse("agent-report", args=(login_id,)), time),
                marks=() if name else ["deleted"],
                lines=[login_id] if name else (),
            ),
            by_agent[login_id],
        )
        for login_id, name in names_of_agents(there).items()
    ]
    return by_group("agents", "By agent", "Agent", groups, series)


def _mrds(found: Sequence[Sum], series: Series) -> Table | None:
    by_mrd = _grouped(found, lambda one: one.mrd_id or 0)
    if len(by_mrd) < 2:
        return None
    groups = [Group(Cell(mrd_word(pk, by_mrd[pk][0].mrd)), by_mrd[pk]) for pk in sorted(by_mrd)]
    return by_group("mrds", "By MRD", "MRD", groups, series)


def _teams(found: Sequence[Sum], question: Question, series: Series) -> Table | None:
    by_team = _grouped(found, lambda one: one.team_id)
    if len(by_team) < 2:
        return None
    present = {
        *Team.objects.filter(pk__in=[pk for pk in by_team if pk]).values_list("pk", flat=True)
    }
    groups = [
        Group(
            Cell(
                of_one[0].team or "In no team",
                link=links.address(question, team=str(pk), agent="") if pk else "",
                marks=() if pk is None or pk in present else ["deleted"],
            ),
            of_one,
        )
        for pk, of_one in sorted(by_team.items(), key=lambda one: one[1][0].team.casefold())
    ]
    return by_group("teams", "By team", "Team", groups, series)


def _grouped(found: Sequence[Sum], key: Callable[[Sum], Key]) -> dict[Key, list[Sum]]:
    groups: defaultdict[Key, list[Sum]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return dict(groups)


def _links(question: Question, buckets: Sequence[Bucket]) -> Mapping[Bucket, str]:
    """A day and a week lead to a report of their own."""
    if question.step not in (Step.DAY, Step.WEEK) or len(buckets) < 2:
        return {}
    return {
        one: links.of_time(question, Period(start=one.start, end=one.end, zone=question.zone))
        for one in buckets
    }
