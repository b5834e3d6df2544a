"""The tables of a report on one agent: days, and every stay with its cause and its corrections."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from finesse.users.names import names_of
from media.report_pages.durations import spoken
from media.report_pages.series import Series
from media.report_pages.tables import Cell, Head, Table, duration, number, time_head
from media.report_pages.wording import brought_about_by, mrd_word, with_reason
from media.reports.periods import Period
from media.reports.sign_ins import SignedIn
from media.reports.stays import Correction, Stay
from media.states import State

MOST_STAYS = 1_000
"""Rows of the table of stays; a file has all of them."""


def table_of_days(found: Sequence[SignedIn], zone: ZoneInfo, link: Callable[[date], str]) -> Table:
    return Table(
        name="days",
        caption="Signed in, day by day",
        heads=(
            Head("Day"),
            Head("First signed in", "number"),
            Head("Last signed in", "number"),
            time_head("Signed in for"),
            Head("Sign-ins", "number"),
        ),
        rows=[
            [
                Cell(
                    f"{one.day:%a} {one.day.day} {one.day:%b %Y}",
                    link=link(one.day),
                    marks=["signed in now"] if one.since else (),
                ),
                Cell(f"{one.first.astimezone(zone):%H:%M}", "number"),
                Cell(f"{one.last.astimezone(zone):%H:%M}", "number"),
                duration(one.seconds),
                number(one.sign_ins),
            ]
            for one in found
        ],
    )


class StayTable:
    """Every stay, in the order of time."""

    def __init__(
        self,
        period: Period,
        series: Series,
        mrds: Mapping[int, str],
        *,
        now: datetime,
        may_correct: bool,
    ) -> None:
        """`now` is the moment until which stays that run still are shown."""
        self.now = now
        self.zone, self.series, self.mrds = period.zone, series, mrds
        self.may_correct = may_correct
        self.has_many_days = period.first_day != period.last_day

    def table(self, found: Sequence[Stay], total: int) -> Table:
        corrections = [one for stay in found for one in stay.corrections]
        self.names = names_of([one.actor for one in found] + [one.actor for one in corrections])
        caption = "Every stay"
        if total > len(found):
            caption = f"The first {len(found):,} of {total:,} stays"
        return Table(
            name="stays",
            caption=caption,
            heads=(
                Head("From"),
                Head("To", "number"),
                Head("For", "number", columns=("For (seconds)", "Over the limit (seconds)")),
                Head("In"),
                Head("State and reason"),
                Head("Brought about by"),
                *([Head("Correct the reason", columns=())] if self.may_correct else []),
            ),
            rows=[self._row(stay) for stay in found],
        )

    def _row(self, stay: Stay) -> list[Cell]:
        look = self.series.appearance(stay.state, stay.reason_code_id, stay.code, stay.label)
        over = [f"{spoken(stay.over_seconds)} over the limit"] if stay.over_seconds else []
        began = ["since before"] if stay.shown_from > stay.started_at else []
        is_cut = (stay.ended_at or self.now) > stay.shown_until
        runs = stay.is_open and not is_cut
        return [
            Cell(self._at(stay.shown_from), marks=began, values=(self._iso(stay.shown_from),)),
            Cell(
                "now" if runs else self._at(stay.shown_until),
                "number",
                marks=["still running"] if runs else ["goes on"] if is_cut else (),
                values=("" if runs else self._iso(stay.shown_until),),
            ),
            Cell(
                spoken(stay.seconds),
                "number",
                marks=over,
                alarm=bool(over),
                values=(round(stay.seconds), round(stay.over_seconds)),
            ),
            Cell(mrd_word(stay.mrd_id, self.mrds.get(stay.mrd_id, ""))),
            Cell(
                look.name,
                drawn=look.swatch,
                marks=[*(["corrected"] if stay.corrections else []), *look.marks],
                lines=self._corrections(stay),
            ),
            self._cause(stay),
            *([self._correct(stay)] if self.may_correct else []),
        ]

    def _correct(self, stay: Stay) -> Cell:
        """A stay that runs still is corrected on the board, with the state that clients see."""
        if stay.is_open or stay.state != State.NOT_READY:
            return Cell("", is_usual=True, values=())
        link = reverse("correct-interval", args=(stay.id,))
        return Cell("Correct", link=link, values=())

    def _corrections(self, stay: Stay) -> list[str]:
        if not stay.corrections:
            return []
        first = with_reason(stay.state, stay.first_label)
        return [f"First entered as {first}", *map(self._correction, stay.corrections)]

    def _correction(self, one: Correction) -> str:
        who = self.names.get(one.actor) or one.actor
        note = f": “{one.note}”" if one.note else ""
        return f"To {one.label or 'no reason'} by {who}, {self._whole(one.at)}{note}"

    def _cause(self, stay: Stay) -> Cell:
        name = self.names.get(stay.actor, "")
        text = brought_about_by(stay.cause, stay.actor, stay.login_id, name)
        note = [f"“{stay.note}”"] if stay.note else []
        return Cell(text, lines=note, is_usual=text == "the agent" and not note)

    def _at(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        day = f"{local:%a} {local.day} {local:%b}, " if self.has_many_days else ""
        return f"{day}{local:%H:%M:%S}{_offset(local)}"

    def _iso(self, at: datetime) -> str:
        return at.astimezone(self.zone).isoformat(timespec="seconds")

    def _whole(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local.day} {local:%b %Y, %H:%M}"


def _offset(local: datetime) -> str:
    """The offset of a time that comes twice, as clocks are set back."""
    comes_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f" {local:%z}" if comes_twice else ""
