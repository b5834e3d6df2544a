"""A report on one agent: the days as lines, sums, and every stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from finesse.users.models import User
from media.report_pages import links
from media.report_pages.days import MOST_DAYS, Day, days_of
from media.report_pages.durations import share, spoken
from media.report_pages.figures import together
from media.report_pages.questions import Question
from media.report_pages.series import Series
from media.report_pages.stay_tables import MOST_STAYS, StayTable, table_of_days
from media.report_pages.sum_tables import Group, by_group, by_reason
from media.report_pages.tables import Cell, Table
from media.report_pages.team_report import Fact
from media.report_pages.whose import mrds_by_id
from media.report_pages.wording import mrd_word
from media.reports.periods import Period, Step
from media.reports.scope import Scope
from media.reports.sign_ins import SignedIn, signed_in
from media.reports.stays import stays
from media.reports.sums import By, Sum, sums


@dataclass(frozen=True, kw_only=True)
class AgentReport:
    facts: Sequence[Fact]
    days: Sequence[Day]
    is_too_long: bool
    """Whether the days are too many to be drawn."""
    signed_in: Table | None
    """None for a single day."""
    reasons: Table
    mrds: Table | None
    """None if there is but one."""
    stays: Table
    series: Series

    def tables(self) -> list[Table]:
        found = (self.signed_in, self.reasons, self.mrds, self.stays)
        return [table for table in found if table]


def report_on_agent(
    reader: User, login_id: str, question: Question, scope: Scope, *, whole: bool = False
) -> AgentReport:
    """`scope` is what the reader may see of this agent; `whole`: with all stays, for a file."""
    period, now = question.period, question.now
    found = stays(login_id, period, scope, now)
    of_mrds = sums(scope, period, Step.NONE, (By.MRD, By.STATE, By.REASON), now)
    series = Series(reader, [one.reason_code_id for one in found])
    mrds = mrds_by_id()
    in_time = sorted(found, key=lambda stay: (stay.shown_from, stay.mrd_id))
    is_too_long = question.days > MOST_DAYS
    days = [*signed_in(scope, period, now)]

    def day_link(day: date) -> str:
        return links.of_time(question, Period.day(day, question.zone))

    return AgentReport(
        facts=_facts(days, of_mrds, question),
        days=[] if is_too_long else days_of(found, period, series, mrds),
        is_too_long=is_too_long,
        signed_in=table_of_days(days, question.zone, day_link) if question.days > 1 else None,
        reasons=by_reason(of_mrds, series),
        mrds=_by_mrd(of_mrds, series),
        stays=StayTable(
            period,
            series,
            mrds,
            now=now,
            may_correct=reader.is_staff and reader.pk != login_id,
        ).table(in_time if whole else in_time[:MOST_STAYS], len(in_time)),
        series=series,
    )


def _facts(days: Sequence[SignedIn], found: Sequence[Sum], question: Question) -> list[Fact]:
    figures, zone = together(found), question.zone
    whole = figures.signed_in
    facts = []
    if days and question.days == 1:
        (day,) = days
        if day.since:
            facts.append(Fact("Signed in since", f"{day.since.astimezone(zone):%H:%M}"))
        facts.append(Fact("First signed in", f"{day.first.astimezone(zone):%H:%M}"))
        if not day.since:
            facts.append(Fact("Last signed in", f"{day.last.astimezone(zone):%H:%M}"))
    seconds = sum(day.seconds for day in days)
    on = f"on {len(days)} days" if question.days > 1 else ""
    facts.append(Fact("Signed in for", spoken(seconds), on))
    return [
        *facts,
        Fact("Ready", spoken(figures.ready), share(figures.ready, whole)),
        Fact("Not ready", spoken(figures.not_ready), share(figures.not_ready, whole)),
        Fact("Productive", spoken(figures.productive), share(figures.productive, whole)),
        Fact("Over the limit", f"{figures.stays_over:,}", f"for {spoken(figures.over)}"),
    ]


def _by_mrd(found: Sequence[Sum], series: Series) -> Table | None:
    pks = sorted({one.mrd_id or 0 for one in found})
    if len(pks) < 2:
        return None
    groups = []
    for pk in pks:
        of_mrd = [one for one in found if (one.mrd_id or 0) == pk]
        groups.append(Group(Cell(mrd_word(pk, of_mrd[0].mrd)), of_mrd))
    return by_group("mrds", "By MRD", "MRD", groups, series)
