"""What a file of people would do, row by row."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError

from finesse.files import columns
from finesse.files.columns import spelling
from finesse.files.plan import Difference, Outcome, Plan, PlannedRow
from finesse.files.tables import FileRefusedError, Row, Table
from finesse.users.models import Team, User
from media.people.columns import REQUIRED
from media.people.present import Person, Present

FIELDS = {
    "login_id": "login_id",
    "first_name": "first_name",
    "last_name": "last_name",
    "manages_global_reason_codes": "manages_global",
    "is_active": "is_active",
}
"""Fields of a user, and where a `Person` has them."""
_TEAM_NAME: Any = Team._meta.get_field("name")
_NO_PASSWORDS = (
    "The file has a column “{}”. Passwords are never in files: take the column out. New people get "
    "a sign-in link, with which they choose a password."
)


def plan(
    table: Table, by: User, *, may_make_teams: bool, leaving: Collection[str] = frozenset()
) -> Plan:
    """Certain only under the writer's lock. Raises FileRefusedError for the file as a whole.

    `leaving` are login ids of people who came by an import that is undone: they go again.
    """
    return _Planning(table, by, may_make_teams, leaving).plan()


class _Planning:
    def __init__(
        self, table: Table, by: User, may_make_teams: bool, leaving: Collection[str]
    ) -> None:
        self.table, self.by, self.leaving = table, by, leaving
        self.present = Present()
        self.resource = self.present.resource(may_make_teams=may_make_teams)
        for cell in table.head.cells:
            if "password" in spelling(cell):
                raise FileRefusedError(_NO_PASSWORDS.format(cell))
        self.columns = columns.find(table.head, set(self.resource.columns), REQUIRED)
        self.rows_of: dict[str, int] = {}

    def plan(self) -> Plan:
        rows = [self._read(row) for row in self.table.rows]
        wanted = (row.wanted for row in rows if row.wanted and not row.is_refused)
        named = {name for one in wanted for name in {one.team, *one.supervises} if name}
        new = sorted(named - self.present.teams.keys())
        notes = [*self.table.notes, *self.columns.notes]
        if new:
            quoted = ", ".join(f"“{name}”" for name in new)
            notes.append(f"New teams would be made: {quoted}.")
        return Plan(rows=rows, notes=notes)

    def _read(self, row: Row) -> PlannedRow:
        cells = self.columns.values(row)
        login_id = cells["login id"]
        planned = PlannedRow(number=row.number, name=login_id or "no login id")
        if len(row.cells) > self.columns.width:
            planned.refuse("", "It has more cells than the first row has names of columns.")
            return planned
        stored = self.present.people.get(login_id)
        wanted = replace(stored) if stored else Person()
        try:
            self.resource.import_instance(wanted, cells)
        except ValidationError as error:
            self._refuse(planned, error)
        if not planned.is_refused:
            self._check(planned, wanted, stored)
            self._compare(planned, wanted, stored)
        return planned

    def _check(self, row: PlannedRow, wanted: Person, stored: Person | None) -> None:
        known = self.present.by_folded_id.get(wanted.login_id.lower())
        if stored is None and known:
            row.refuse("login id", f"There is “{known}” already. Write it in the same case.")
        earlier = self.rows_of.setdefault(wanted.login_id.lower(), row.number)
        if earlier != row.number:
            row.refuse("login id", f"Row {earlier} is about the same person. Keep one of the two.")
        if wanted == stored:
            return
        user = User(
            is_supervisor="supervisor" in wanted.roles,
            **{field: getattr(wanted, attribute) for field, attribute in FIELDS.items()},
        )
        try:
            user.clean_fields(exclude={"password", "team"})
        except ValidationError as error:
            self._refuse(row, error)
        wanted.first_name, wanted.last_name = user.first_name, user.last_name
        self._check_teams(row, wanted)
        self._check_roles(row, wanted, stored)

    def _check_teams(self, row: PlannedRow, wanted: Person) -> None:
        for name in sorted({wanted.team, *wanted.supervises} - {"", *self.present.teams}):
            try:
                _TEAM_NAME.clean(name, None)
            except ValidationError as error:
                row.refuse("team", f"“{name}” cannot be a team: {' '.join(error.messages)}")

    def _check_roles(self, row: PlannedRow, wanted: Person, stored: Person | None) -> None:
        supervised = stored.supervises if stored else frozenset()
        if "supervisor" not in wanted.roles and wanted.supervises - supervised:
            row.refuse(
                "supervises",
                "Only supervisors watch teams. Write “supervisor” into “role”, or empty this cell.",
            )
        if wanted.login_id == self.by.pk and stored:
            if not wanted.is_active:
                row.refuse("active", "This is you: you would lock yourself out.")
            if "administrator" not in wanted.roles:
                row.refuse("role", "This is you: you would no longer be an administrator.")

    def _compare(self, row: PlannedRow, wanted: Person, stored: Person | None) -> None:
        if row.is_refused:
            return
        row.name = f"{wanted.first_name} {wanted.last_name}".strip() + f" ({wanted.login_id})"
        after = self.resource.values(wanted)
        before = self.resource.values(stored or Person())
        row.differences = [
            Difference(name, before[name], text)
            for name, text in after.items()
            if text != before[name] and (stored or name not in {*REQUIRED, "last name"})
        ]
        if stored is None:
            row.outcome = Outcome.NEW
        elif row.differences or stored.login_id in self.leaving:
            row.outcome = Outcome.CHANGED
        row.wanted = wanted

    def _refuse(self, row: PlannedRow, error: ValidationError) -> None:
        names: Mapping[str, str] = FIELDS
        for attribute, errors in error.error_dict.items():
            column = self.resource.column_of(names.get(attribute, attribute))
            row.refuse(column, " ".join(ValidationError(errors).messages))
