"""The pages on which administrators import and export people."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from finesse.files import separated, spreadsheets
from finesse.files.kept import Kept
from finesse.files.pages import Done, FileKind, FilesAdmin, UploadForm
from finesse.files.plan import Outcome, Plan
from finesse.files.reading import read
from finesse.files.tables import Table
from finesse.users.models import User
from media.people.columns import EXPLANATIONS, NEW_TEAMS, PersonResource
from media.people.planning import plan
from media.people.present import Present
from media.people.saving import import_table


class PeopleUploadForm(UploadForm):
    new_teams = forms.BooleanField(label=NEW_TEAMS, required=False)

    def options(self) -> dict[str, Any]:
        return {"new_teams": self.cleaned_data["new_teams"]}


class PeopleFiles(FileKind):
    name = "people"
    file_name = "people"
    explanations: ClassVar[Sequence[Sequence[str]]] = EXPLANATIONS[1:]
    warning = (
        "An import of people cannot be undone in one step. Export them first if you may want to go "
        "back: that file brings back what an import has changed. New people are made inactive by "
        "hand."
    )

    def may(self, user: User) -> bool:
        return user.is_active and user.is_superuser

    def form(self, user: User, *data: Any) -> UploadForm:
        return PeopleUploadForm(*data)

    def read(self, content: bytes, user: User) -> Table:
        return read(content, set(PersonResource().columns))

    def plan(self, table: Table, user: User, options: Mapping[str, Any]) -> Plan:
        return plan(table, user, may_make_teams=options["new_teams"])

    def carry_out(self, kept: Kept, user: User) -> Done:
        done = import_table(
            kept.table, user, kept.name, kept.seen, may_make_teams=kept.options["new_teams"]
        )
        if not done.is_saved:
            return Done(plan=done.plan, moved=done.moved)
        new = [row.wanted for row in done.plan.of(Outcome.NEW)]
        context = {
            "title": f"Imported: {len(done.plan.to_save)} people",
            "new": len(new),
            "changed": len(done.plan.of(Outcome.CHANGED)),
            "without_password": [person.login_id for person in new if person.is_active],
        }
        return Done(plan=done.plan, page="imported_people", context=context)

    def export(self, user: User, extension: str) -> bytes:
        present = Present()
        resource = present.resource()
        people = sorted(present.people.values(), key=lambda person: person.login_id)
        rows = [list(resource.values(person).values()) for person in people]
        if extension == "csv":
            return separated.write(resource.columns, rows)
        return spreadsheets.write("People", resource.columns, rows)

    def count(self, user: User) -> int:
        return User.objects.count()

    def template(self, user: User, extension: str) -> bytes:
        columns = PersonResource().columns
        if extension == "csv":
            return separated.write(columns, [])
        return spreadsheets.write("People", columns, [], EXPLANATIONS)


class PeopleFilesAdmin(FilesAdmin):
    """The pages of files for the administration of users."""

    files: ClassVar[FileKind] = PeopleFiles()
