"""What a file of reason codes would do, row by row."""

from collections.abc import Collection
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError

from finesse.files import columns
from finesse.files.plan import Difference, Outcome, Plan, PlannedRow
from finesse.files.tables import Row, Table
from finesse.users.models import User
from media.reason_codes.files.checking import check_access, check_rivals, check_values
from media.reason_codes.files.columns import (
    NOBODY,
    OFFERED_TO,
    REQUIRED,
    TRANSLATION,
    Offer,
    ReasonCodeResource,
)
from media.reason_codes.files.matching import Matcher
from media.reason_codes.files.present import Present, resource_for
from reasoncodes.census import Census
from reasoncodes.languages import tag
from reasoncodes.many import Wanted
from reasoncodes.models import ReasonCode

_NO_OFFER = (
    f"Whom is it offered to? Write names of teams, “everybody” or “{NOBODY}” into “{OFFERED_TO}”, "
    "or choose the teams for all such rows when you upload the file."
)


def plan(table: Table, by: User, teams: Collection[int]) -> Plan:
    """`teams` are those of new codes whose row names none.

    Certain only under the writer's lock. Raises FileRefusedError for the file as a whole.
    """
    return _Planning(table, by, teams).plan()


class _Planning:
    def __init__(self, table: Table, by: User, teams: Collection[int]) -> None:
        self.table = table
        self.present = Present(by)
        self.chosen = self.present.own_pks & {*teams}
        self.resource = resource_for(self.present.own, self.present.visible.values(), _tags(table))
        known = {columns.spelling(name) for name in self.resource.columns}
        self.columns = columns.find(table.head, known, REQUIRED)
        self.matcher = Matcher(self.present)

    def plan(self) -> Plan:
        rows = [self._read(row) for row in self.table.rows]
        self._check_together(rows)
        for row in rows:
            self._compare(row)
        return Plan(rows=rows, notes=(*self.table.notes, *self.columns.notes))

    def _read(self, row: Row) -> PlannedRow:
        """The row with the code that it wants, checked by itself."""
        cells = self.columns.values(row)
        shown = " ".join(filter(None, (cells["category"], cells["code"])))
        planned = PlannedRow(number=row.number, name=f"{shown} “{cells['label']}”")
        if len(row.cells) > self.columns.width:
            planned.refuse("", "It has more cells than the first row has names of columns.")
            return planned
        values = self._by_column(cells)
        wanted = self._filled(planned, ReasonCode(for_all=False), values)
        if planned.is_refused or self._is_left_out(planned, wanted):
            return planned
        stored = self.matcher.find(wanted)
        if stored is None and wanted.retired:
            planned.outcome = Outcome.LEFT_OUT
            planned.note = "It is retired in the file, and no code here has its number and label."
            return planned
        if stored is not None:
            is_retired = wanted.retired
            wanted = self._filled(planned, self._copied(stored), values)
            # Also in a file that does not say it: whatever is in it is offered.
            wanted.retired = is_retired
        if (earlier := self.matcher.earlier_row(wanted, row.number)) is not None:
            planned.refuse("code", f"Row {earlier} is about the same code. Keep one of the two.")
            return planned
        self._set_offer(planned, wanted, stored)
        check_values(planned, wanted, self.resource)
        planned.wanted = wanted
        return planned

    def _by_column(self, cells: dict[str, str]) -> dict[str, str]:
        named = {columns.spelling(name): name for name in self.resource.columns}
        return {named[name]: text for name, text in cells.items()}

    def _copied(self, stored: ReasonCode) -> ReasonCode:
        wanted = copy(stored)
        wanted.translations = dict(stored.translations)
        wanted.offered_to = None  # type: ignore[attr-defined]
        return wanted

    def _filled(self, planned: PlannedRow, code: ReasonCode, values: dict[str, str]) -> ReasonCode:
        code.offered_to = None  # type: ignore[attr-defined]
        try:
            self.resource.import_instance(code, values)
        except ValidationError as error:
            for attribute, errors in error.error_dict.items():
                text = " ".join(ValidationError(errors).messages)
                planned.refuse(self.resource.column_of(attribute), text)
        if code.code is None and not planned.is_refused:
            planned.refuse("code", "It is empty. Write a number from 1 to 65535.")
        return code

    def _is_left_out(self, planned: PlannedRow, read: ReasonCode) -> bool:
        if not read.system_code:
            return False
        planned.outcome = Outcome.LEFT_OUT
        planned.note = "It is the system’s own: every server has these, and nobody changes them."
        return True

    def _set_offer(
        self, planned: PlannedRow, wanted: ReasonCode, stored: ReasonCode | None
    ) -> None:
        before: Offer | None = stored.offered_to if stored else None  # type: ignore[attr-defined]
        offer: Offer | None = wanted.offered_to or before  # type: ignore[attr-defined]
        if offer is None:
            if not self.chosen:
                planned.refuse(OFFERED_TO, _NO_OFFER)
            offer = Offer(for_all=False, teams=self.chosen)
        if before and before.for_all and offer.for_all:
            # The teams of a global code have no effect, and stay.
            offer = before
        wanted.offered_to = offer  # type: ignore[attr-defined]
        wanted.for_all = offer.for_all

    def _check_together(self, rows: Collection[PlannedRow]) -> None:
        """Access, uniqueness and limits: for what would change alone."""
        census = Census(self.present.not_retired)
        changing = [row for row in rows if row.wanted and not row.is_refused and self._changes(row)]
        for row in changing:
            if stored := self.present.visible.get(row.wanted.pk):
                census.take_out(stored)
        # Those that stay in their scope first: a limit does not turn them out.
        changing.sort(key=self._enters)
        for row in changing:
            stored = self.present.visible.get(row.wanted.pk)
            check_access(row, row.wanted, stored, self.present)
            check_rivals(row, row.wanted, census, self.present)
            if not row.is_refused:
                census.add(row.wanted)

    def _enters(self, row: PlannedRow) -> bool:
        stored = self.present.visible.get(row.wanted.pk)
        return stored is None or (stored.for_all, stored.retired) != (
            row.wanted.for_all,
            row.wanted.retired,
        )

    def _changes(self, row: PlannedRow) -> bool:
        stored = self.present.visible.get(row.wanted.pk)
        return stored is None or _values(self.resource, stored) != _values(
            self.resource, row.wanted
        )

    def _compare(self, row: PlannedRow) -> None:
        if row.wanted is None or row.is_refused:
            return
        stored = self.present.visible.get(row.wanted.pk)
        after = _values(self.resource, row.wanted)
        before = _values(self.resource, stored or _blank())
        row.differences = [
            Difference(name, before[name], text)
            for name, text in after.items()
            if text != before[name] and (stored or name not in REQUIRED)
        ]
        row.name = str(stored or row.wanted)
        if stored is None:
            row.outcome = Outcome.NEW
        elif row.differences:
            row.outcome = Outcome.CHANGED
            if stored.retired and not row.wanted.retired:
                row.note = "It is brought back."


def _blank() -> ReasonCode:
    """What a new code is unless its row says otherwise."""
    blank = ReasonCode(for_all=False)
    blank.offered_to = None  # type: ignore[attr-defined]
    return blank


def wanted_of(row: PlannedRow, present: Present) -> Wanted:
    """The row for `save_all`, with the teams that its user does not see."""
    code: Any = row.wanted
    hidden = present.hidden_teams.get(code.pk, frozenset())
    return Wanted(code=code, teams=code.offered_to.teams | hidden)


def _tags(table: Table) -> set[str]:
    """The languages that the file has a column for, as they are stored: pt-BR."""
    found = (TRANSLATION.fullmatch(columns.spelling(name)) for name in table.head.cells)
    return {tag(one[1].replace(" ", "-")) for one in found if one} - {""}


def _values(resource: ReasonCodeResource, code: Any) -> dict[str, str]:
    shown = zip(resource.columns, resource.values(code), strict=True)
    return {name: str(value) for name, value in shown}
