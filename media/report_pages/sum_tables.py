"""The tables of a report on many: by state and reason, over time, and by agent, MRD and team."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.utils.safestring import SafeString

from media.report_pages.charts.bars import bar
from media.report_pages.charts.columns import Column, Part, columns
from media.report_pages.durations import share, spoken
from media.report_pages.figures import Figures, Line, added, lines, together
from media.report_pages.questions import Question, Shown
from media.report_pages.series import Series, in_order
from media.report_pages.tables import (
    Cell,
    Head,
    Table,
    bar_cell,
    duration,
    number,
    time_head,
    words,
)
from media.reports.periods import Bucket, Step
from media.reports.sums import Sum
from media.states import State

MOST_SERIES = 8
"""States and reasons with a column of their own in the table over time: more fit on no page."""
MOST_COLUMNS = 400
"""Steps up to which there is a chart over time: narrower columns could not be told apart."""
_CAPTIONS = {
    Shown.TIME: "Time",
    Shown.STAYS: "Stays that began",
    Shown.MEAN: "Mean time of a stay",
    Shown.LONGEST: "Longest stay",
}
_NOTHING = Line("", None, None, "")
AT_WORK = (time_head("At work", "In states such as Active, while an agent handles a task"),)
OVER = Head(
    "Over the limit",
    "number",
    "Stays that were longer than the maximum time of their reason",
    columns=("Stays over the limit", "Time over the limit (seconds)"),
)
NUMBERS = (
    time_head("Signed in"),
    time_head("Ready"),
    time_head("Not ready"),
    time_head("Productive", "Ready, at work, or not ready for a reason that counts as work"),
    time_head("Not productive", "Not ready for a reason that counts as a break"),
    time_head("Longest not ready"),
    OVER,
)


def by_reason(found: Sequence[Sum], series: Series) -> Table:
    made = sorted(lines(found), key=lambda line: (in_order(line.state), -line.seconds))
    whole = together(found).signed_in
    longest = max((line.seconds for line in made if line.state != State.LOGOUT), default=0.0)
    return Table(
        name="reasons",
        caption="Time by state and reason",
        heads=(
            Head("State and reason"),
            Head("", "chart"),
            time_head("Time"),
            Head("Of time signed in", "number"),
            Head("Stays", "number"),
            time_head("Mean"),
            time_head("Longest"),
            Head("Over the limit", "number"),
            time_head("Time over it"),
        ),
        rows=[_reason_row(line, series, whole, longest) for line in made],
    )


def _reason_row(line: Line, series: Series, whole: float, longest: float) -> list[Cell]:
    look = series.appearance(line.state, line.reason, line.code, line.label)
    is_in = line.state != State.LOGOUT
    drawn = bar([Part(line.seconds, look.fill, look.name)], longest) if is_in else SafeString()
    runs = [f"{line.open} still running"] if line.open else []
    return [
        Cell(look.name, drawn=look.swatch, marks=[*look.marks, *runs]),
        bar_cell(drawn),
        duration(line.seconds),
        words(share(line.seconds, whole) if is_in else "–"),
        number(line.stays),
        duration(line.mean),
        duration(line.longest),
        number(line.over, alarm=True),
        duration(line.over_seconds, alarm=True),
    ]


@dataclass(frozen=True)
class Group:
    """An agent, an MRD or a team, with its sums."""

    heading: Cell
    sums: Sequence[Sum]


def by_group(name: str, caption: str, head: str, groups: Sequence[Group], series: Series) -> Table:
    figures = [together(group.sums) for group in groups]
    has_work = any(one.other for one in figures)
    whole = max((one.signed_in for one in figures), default=0.0)
    return Table(
        name=name,
        caption=caption,
        heads=(Head(head), Head("", "chart"), *(AT_WORK if has_work else ()), *NUMBERS),
        rows=[
            [
                group.heading,
                bar_cell(bar(parts(group.sums, series), whole)),
                *_numbers(one, has_work),
            ]
            for group, one in zip(groups, figures, strict=True)
        ],
        total=[
            Cell("Together"),
            Cell("", "chart"),
            *_numbers(together(one for group in groups for one in group.sums), has_work),
        ]
        if len(groups) > 1
        else (),
    )


def _numbers(one: Figures, has_work: bool) -> list[Cell]:
    return [
        *([duration(one.other)] if has_work else []),
        duration(one.signed_in),
        duration(one.ready),
        duration(one.not_ready),
        Cell(
            f"{spoken(one.productive)} · {share(one.productive, one.signed_in)}",
            "number",
            values=(round(one.productive),),
        ),
        duration(one.unproductive),
        duration(one.longest_not_ready),
        over_limit(one.stays_over, one.over),
    ]


def over_limit(stays: int, seconds: float) -> Cell:
    if not stays:
        return Cell("–", "number", values=(0, 0), is_usual=True)
    text = f"{stays:,} · {spoken(seconds)}"
    return Cell(text, "number", alarm=True, values=(stays, round(seconds)))


def parts(found: Iterable[Sum], series: Series) -> list[Part]:
    """The parts of a bar or a column: signed out is none."""
    made = [line for line in lines(found) if line.state != State.LOGOUT and line.seconds]
    looks = {
        series.appearance(line.state, line.reason, line.code, line.label): line for line in made
    }
    return [
        Part(line.seconds, look.fill, f"{look.name}: {spoken(line.seconds)}")
        for look, line in sorted(looks.items(), key=lambda one: one[0].number)
    ]


@dataclass(frozen=True)
class OverTime:
    chart: SafeString
    """Empty if there are too many steps to draw."""
    table: Table


def over_time(
    found: Sequence[Sum],
    buckets: Sequence[Bucket],
    question: Question,
    series: Series,
    links: Mapping[Bucket, str],
) -> OverTime:
    """What there was in each step; steps before the first and after the last time are left out."""
    by_time: defaultdict[datetime, list[Sum]] = defaultdict(list)
    for one in found:
        if one.state != State.LOGOUT:
            by_time[_beginning(one.bucket)].append(one)
    shown = _trimmed(buckets, by_time)
    names = names_of(shown, question.step)
    chart = SafeString()
    if 0 < len(shown) <= MOST_COLUMNS:
        chart = columns(
            [
                Column(name, parts(by_time.get(_beginning(one), ()), series))
                for name, one in zip(names, shown, strict=True)
            ],
            "Time by state and reason in each step; the table below has the figures",
        )
    there = [line for line in lines(found) if line.state != State.LOGOUT]
    most = sorted(there[:MOST_SERIES], key=lambda line: (in_order(line.state), -line.seconds))
    steps = _Steps(question.shown, most, has_others=len(most) < len(there), series=series)
    rows = [
        steps.row(Cell(name, link=links.get(one, "")), by_time.get(_beginning(one), ()))
        for name, one in zip(names, shown, strict=True)
    ]
    return OverTime(chart, steps.table(rows))


class _Steps:
    """The table over time: a column for each of the states and reasons that took most time."""

    def __init__(
        self, shown: Shown, most: Sequence[Line], *, has_others: bool, series: Series
    ) -> None:
        self.shown, self.most, self.has_others, self.series = shown, most, has_others, series

    def table(self, rows: list[list[Cell]]) -> Table:
        heads = []
        for line in self.most:
            look = self.series.appearance(line.state, line.reason, line.code, line.label)
            heads.append(_figure_head(line.label or look.name, look.name, look.swatch))
        return Table(
            name="steps",
            caption=f"{_CAPTIONS[self.shown]} by state and reason in each step",
            heads=(
                Head("From"),
                time_head("Signed in"),
                *heads,
                *([_figure_head("Others")] if self.has_others else []),
                Head("Productive", "number"),
                time_head("Longest not ready"),
                OVER,
            ),
            rows=rows,
            is_wide=True,
        )

    def row(self, heading: Cell, found: Sequence[Sum]) -> list[Cell]:
        by_series = {(line.state, line.reason): line for line in lines(found)}
        own = [by_series.pop((line.state, line.reason), _NOTHING) for line in self.most]
        figures = together(found)
        return [
            heading,
            duration(figures.signed_in),
            *map(self._cell, own),
            *([self._cell(added(by_series.values()))] if self.has_others else []),
            words(share(figures.productive, figures.signed_in)),
            duration(figures.longest_not_ready),
            over_limit(figures.stays_over, figures.over),
        ]

    def _cell(self, line: Line) -> Cell:
        """A file has all figures, whichever the page shows."""
        values = round(line.seconds), line.began, round(line.mean), round(line.longest)
        figure = {
            Shown.TIME: line.seconds,
            Shown.MEAN: line.mean,
            Shown.LONGEST: line.longest,
        }.get(self.shown)
        cell = number(line.began) if figure is None else duration(figure)
        return replace(cell, values=values)


def _figure_head(text: str, explained: str = "", drawn: SafeString | None = None) -> Head:
    in_file = ("{} (seconds)", "{}: stays begun", "{}: mean (seconds)", "{}: longest (seconds)")
    names = tuple(one.format(text) for one in in_file)
    return Head(text, "number", explained, drawn or SafeString(), names)


def _beginning(bucket: Bucket) -> datetime:
    """In UTC: of an hour that comes twice, both have the same times in their own zone."""
    return bucket.start.astimezone(UTC)


def _trimmed(buckets: Sequence[Bucket], found: Mapping[datetime, object]) -> Sequence[Bucket]:
    places = [place for place, one in enumerate(buckets) if _beginning(one) in found]
    return buckets[places[0] : places[-1] + 1] if places else ()


def names_of(shown: Sequence[Bucket], step: Step) -> list[str]:
    """What each step is called; an hour that comes twice says its offset."""
    days = {one.start.date() for one in shown}
    if not step.minutes:
        return [f"{one.start:%a} {one.start.day} {one.start:%b}" for one in shown]
    with_day = len(days) > 1
    plain = [f"{one.start:%a} {one.start.day}, {one.start:%H:%M}" for one in shown]
    counted = Counter(f"{one.start:%Y-%m-%d %H:%M}" for one in shown)
    return [
        (name if with_day else f"{one.start:%H:%M}")
        + (f" {one.start:%z}" if counted[f"{one.start:%Y-%m-%d %H:%M}"] > 1 else "")
        for name, one in zip(plain, shown, strict=True)
    ]
