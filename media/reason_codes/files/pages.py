"""The pages on which supervisors import and export reason codes."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from finesse.files import separated, spreadsheets
from finesse.files.columns import spelling
from finesse.files.kept import Kept
from finesse.files.pages import Done, FileKind, FilesAdmin, UploadForm
from finesse.files.plan import Plan
from finesse.files.reading import read
from finesse.files.tables import Table
from finesse.users.models import User
from media.reason_codes.files import xml
from media.reason_codes.files.columns import EXPLANATIONS
from media.reason_codes.files.planning import plan
from media.reason_codes.files.present import own_teams, resource_for, visible_codes
from media.reason_codes.files.saving import import_table
from reasoncodes.access import visible_to
from reasoncodes.changes import Way
from reasoncodes.going_back import HiddenError, undo
from reasoncodes.history import Version


class ReasonCodeUploadForm(UploadForm):
    teams = forms.MultipleChoiceField(
        label="New codes without a team are for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="For rows that do not say whom the code is offered to, as in the XML of a "
        "Finesse server. Codes that exist keep their teams.",
    )

    def __init__(self, user: User, *data: Any) -> None:
        super().__init__(*data)
        own = own_teams(user)
        field = cast(forms.MultipleChoiceField, self.fields["teams"])
        field.choices = [(str(team.pk), team.name) for team in own]
        if len(own) == 1:
            field.initial = [str(own[0].pk)]
        if not own:
            del self.fields["teams"]

    def options(self) -> dict[str, Any]:
        return {"teams": [int(pk) for pk in self.cleaned_data.get("teams", ())]}


class ReasonCodeFiles(FileKind):
    name = "reason codes"
    file_name = "reason-codes"
    accepts = ".csv,.xlsx,.xml,.txt"
    formats: ClassVar[Mapping[str, str]] = {
        **FileKind.formats,
        "xml": "XML, as a Finesse server answers",
    }
    explanations: ClassVar[Sequence[Sequence[str]]] = EXPLANATIONS[1:]

    def may(self, user: User) -> bool:
        return user.is_active and user.is_staff

    def form(self, user: User, *data: Any) -> UploadForm:
        return ReasonCodeUploadForm(user, *data)

    def read(self, content: bytes, user: User) -> Table:
        known = {spelling(name) for name in resource_for((), ()).columns}
        return read(content, known, xml.read)

    def plan(self, table: Table, user: User, options: Mapping[str, Any]) -> Plan:
        return plan(table, user, options["teams"])

    def carry_out(self, kept: Kept, user: User) -> Done:
        done = import_table(kept.table, user, kept.options["teams"], kept.seen)
        if done.change is None:
            return Done(plan=done.plan, moved=done.moved)
        context = {"change_id": done.change}
        return Done(plan=done.plan, page="imported_codes", context=context)

    def export(self, user: User, extension: str) -> bytes:
        own = own_teams(user)
        codes = visible_codes(user, own)
        if extension == "xml":
            return xml.write(codes)
        resource = resource_for(own, codes)
        rows = [resource.values(code) for code in codes]
        if extension == "csv":
            return separated.write(resource.columns, rows)
        return spreadsheets.write("Reason codes", resource.columns, rows)

    def count(self, user: User) -> int:
        return visible_to(user).count()

    def template(self, user: User, extension: str) -> bytes:
        columns = [name for name in resource_for((), ()).columns if name != "system"]
        if extension == "csv":
            return separated.write(columns, [])
        return spreadsheets.write("Reason codes", columns, [], EXPLANATIONS)


class ReasonCodeFilesAdmin(FilesAdmin):
    """The pages of files for the administration of reason codes, with the result of an import."""

    files: ClassVar[FileKind] = ReasonCodeFiles()

    def get_urls(self) -> list[Any]:
        result = self.admin_site.admin_view(require_safe(self.imported_view))
        undo = self.admin_site.admin_view(require_POST(self.undo_view))
        return [
            path("import/<uuid:change_id>/", result, name=self.page("imported")),
            path("import/<uuid:change_id>/undo/", undo, name=self.page("undo_import")),
            *super().get_urls(),
        ]

    def _result_page(self, request: HttpRequest, done: Done) -> HttpResponse:
        # A page with an address of its own: it may be loaded again, and come back to.
        return redirect(f"admin:{self.page('imported')}", done.context["change_id"])

    def imported_view(self, request: HttpRequest, change_id: uuid.UUID) -> HttpResponse:
        _, versions = self._own_import(request, change_id)
        codes = [
            {
                "name": str(version.instance),
                "page": reverse("admin:reasoncodes_reasoncode_change", args=[version.id]),
                "is_new": version.history_type == "+",
            }
            for version in versions.order_by("category", "code")
        ]
        context = {
            "title": f"Imported: {len(codes)} reason code{'s' if len(codes) > 1 else ''}",
            "codes": codes,
            "change_id": change_id,
        }
        return self._page(request, "imported_codes", context)

    def undo_view(self, request: HttpRequest, change_id: uuid.UUID) -> HttpResponse:
        """All of it or nothing."""
        user, _ = self._own_import(request, change_id)
        results, hidden = [], 0
        try:
            results = undo(change_id, user, whole=True)
        except HiddenError as error:
            hidden = error.count
        refused = [one for one in results if one.refused]
        is_undone = not refused and not hidden
        context = {
            "title": "The import is undone" if is_undone else "The import is not undone",
            "results": results,
            "refused": refused,
            "hidden": hidden,
        }
        return self._page(request, "undone_codes", context)

    def _own_import(self, request: HttpRequest, change_id: uuid.UUID) -> tuple[User, Any]:
        """The user and the versions of the import. Raises Http404, PermissionDenied."""
        user = self._allowed(request)
        versions = Version.objects.filter(change=change_id, way=Way.IMPORT)
        if not versions.exists():
            raise Http404
        if not user.is_superuser and versions.exclude(history_user_id=user.pk).exists():
            raise PermissionDenied
        return user, versions
