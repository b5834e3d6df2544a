"""The pages on which administrators import and export people."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from finesse.files import kept as keeping
from finesse.files import separated, spreadsheets
from finesse.files.kept import Kept
from finesse.files.pages import Done, FileKind, FilesAdmin, UploadForm
from finesse.files.plan import Outcome, Plan
from finesse.files.reading import read
from finesse.files.tables import FileRefusedError, Table
from finesse.users.models import User
from media.people.columns import EXPLANATIONS, NEW_TEAMS, PersonResource
from media.people.planning import plan
from media.people.present import Present
from media.people.undoing import UNDO, import_with_way_back, undo_import


class PeopleUploadForm(UploadForm):
    new_teams = forms.BooleanField(label=NEW_TEAMS, required=False)

    def options(self) -> dict[str, Any]:
        return {"new_teams": self.cleaned_data["new_teams"]}


class PeopleFiles(FileKind):
    name = "people"
    file_name = "people"
    explanations: ClassVar[Sequence[Sequence[str]]] = EXPLANATIONS[1:]
    warning = (
        "You can undo it on the next page, for a day, as long as nobody has changed these people."
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
        done, way_back = import_with_way_back(kept, user)
        if way_back is None:
            return Done(plan=done.plan, moved=done.moved)
        new = [row.wanted for row in done.plan.of(Outcome.NEW)]
        context = {
            "undo_page": "admin:users_user_undo_import",
            "title": f"Imported: {len(done.plan.to_save)} people",
            "new": len(new),
            "changed": len(done.plan.of(Outcome.CHANGED)),
            "without_password": [person.login_id for person in new if person.is_active],
            "undo": _kept(way_back, user),
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


def _kept(way_back: Kept, user: User) -> str:
    """As text for the form; empty if it is too much, which must not refuse what is imported."""
    try:
        return keeping.keep(way_back, user.pk, UNDO)
    except FileRefusedError:
        return ""


class PeopleFilesAdmin(FilesAdmin):
    """The pages of files for the administration of users, with the undo of an import."""

    files: ClassVar[FileKind] = PeopleFiles()

    def get_urls(self) -> list[Any]:
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [path("import/undo/", undo, name=self.page("undo_import")), *super().get_urls()]

    def undo_view(self, request: HttpRequest) -> HttpResponse:
        """All of it or nothing."""
        user = self._allowed(request)
        try:
            kept = keeping.open_kept(request.POST.get("undo", ""), user.pk, UNDO)
            undone = undo_import(kept, user)
        except keeping.ExpiredError:
            problem = "This import can no longer be undone: it is too old, or was somebody else’s."
            return self._upload_page(request, self.files.form(user), problem)
        except FileRefusedError as error:
            return self._upload_page(request, self.files.form(user), str(error))
        title = "The import is not undone" if undone.refused else "The import is undone"
        return self._page(request, "undone_people", {"title": title, "undone": undone})
