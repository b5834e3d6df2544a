"""The pages of an import and an export, in the administration: upload, check, confirm, result.

A `FileKind` says what the file is about. Nothing is stored between the check and the confirmation.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_safe

from finesse.files import kept as keeping
from finesse.files.limits import FILE_BYTES, FILE_SIZE, ROWS
from finesse.files.plan import Outcome, Plan
from finesse.files.tables import FileRefusedError, Table
from finesse.users.models import User

MOST_SHOWN = 300
"""Rows of each outcome on a page."""
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml; charset=utf-8",
}


@dataclass(frozen=True, kw_only=True)
class Done:
    """How an import ended."""

    plan: Plan
    moved: Collection[str] = ()
    """What has changed since the check: nothing was imported then."""
    page: str = ""
    """The template of the result; empty if nothing was imported."""
    context: Mapping[str, Any] = field(default_factory=dict)


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        error_messages={"required": "Choose a file first."},
    )

    def options(self) -> dict[str, Any]:
        """What else it asks for, as JSON knows it."""
        return {}


class FileKind:
    """What is imported and exported, and by whom."""

    name: ClassVar[str]
    """In the plural: "reason codes"."""
    file_name: ClassVar[str]
    accepts: ClassVar[str] = ".csv,.xlsx,.txt"
    formats: ClassVar[Mapping[str, str]] = {"xlsx": "Excel (XLSX)", "csv": "CSV"}
    explanations: ClassVar[Sequence[Sequence[str]]] = ()
    warning: ClassVar[str] = ""
    """Shown before the confirmation."""

    def may(self, user: User) -> bool:
        raise NotImplementedError

    def form(self, user: User, *data: Any) -> UploadForm:
        return UploadForm(*data)

    def read(self, content: bytes, user: User) -> Table:
        """Raises FileRefusedError."""
        raise NotImplementedError

    def plan(self, table: Table, user: User, options: Mapping[str, Any]) -> Plan:
        """Raises FileRefusedError."""
        raise NotImplementedError

    def carry_out(self, kept: keeping.Kept, user: User) -> Done:
        """Import it, if it still means what its user has seen. Raises FileRefusedError."""
        raise NotImplementedError

    def export(self, user: User, extension: str) -> bytes:
        """All that this user may see."""
        raise NotImplementedError

    def count(self, user: User) -> int:
        """How many that are."""
        raise NotImplementedError

    def template(self, user: User, extension: str) -> bytes:
        raise NotImplementedError


class FilesAdmin(admin.ModelAdmin):
    """Adds the pages to a model's administration; the list has buttons that lead there.

    (`templates/admin/<app>/<model>/change_list_object_tools.html` puts them there.)
    """

    files: ClassVar[FileKind]

    def get_urls(self) -> list[Any]:
        pages: dict[str, tuple[str, Any]] = {
            "import": ("import/", self.import_view),
            "export": ("export/", self.export_view),
            "export_file": ("export/<str:extension>/", self.export_file_view),
            "template": ("import/template/<str:extension>/", self.template_view),
        }
        own = [
            path(address, self._guarded(view, name), name=self.page(name))
            for name, (address, view) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def _guarded(self, view: Any, name: str) -> Any:
        return self.admin_site.admin_view(view if name == "import" else require_safe(view))

    def page(self, name: str) -> str:
        """The name of a page's address, within "admin:"."""
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def import_view(self, request: HttpRequest) -> HttpResponse:
        user = self._allowed(request)
        if request.method != "POST":
            return self._upload_page(request, self.files.form(user))
        if "kept" in request.POST:
            return self._confirmed(request, user, request.POST["kept"])
        form = self.files.form(user, request.POST, request.FILES)
        if not form.is_valid():
            return self._upload_page(request, form)
        return self._checked(request, user, form)

    def _checked(self, request: HttpRequest, user: User, form: UploadForm) -> HttpResponse:
        file, options = form.cleaned_data["file"], form.options()
        try:
            if file.size > FILE_BYTES:
                raise FileRefusedError(f"The file is too large: {FILE_SIZE} are the most.")
            table = self.files.read(file.read(), user)
            plan = self.files.plan(table, user, options)
            return self._plan_page(request, user, file.name, table, options, plan)
        except FileRefusedError as error:
            form.add_error("file", str(error))
            return self._upload_page(request, form)

    def _confirmed(self, request: HttpRequest, user: User, text: str) -> HttpResponse:
        form = self.files.form(user)
        try:
            kept = keeping.open_kept(text, user.pk, self.files.name)
            done = self.files.carry_out(kept, user)
        except keeping.ExpiredError:
            problem = "This check is too old, or was made by somebody else. Upload the file again."
            return self._upload_page(request, form, problem)
        except FileRefusedError as error:
            return self._upload_page(request, form, str(error))
        if done.page:
            return self._result_page(request, done)
        return self._plan_page(
            request, user, kept.name, kept.table, kept.options, done.plan, done.moved
        )

    def _result_page(self, request: HttpRequest, done: Done) -> HttpResponse:
        return self._page(request, done.page, dict(done.context))

    def _upload_page(
        self, request: HttpRequest, form: UploadForm, problem: str = ""
    ) -> HttpResponse:
        form.fields["file"].widget.attrs |= {
            "accept": self.files.accepts,
            "data-most-bytes": FILE_BYTES,
            "data-most": FILE_SIZE,
        }
        context = {
            "title": f"Import {self.files.name}",
            "form": form,
            "problem": problem,
            "file_size": FILE_SIZE,
            "most_rows": ROWS,
        }
        return self._page(request, "upload", context)

    def _plan_page(
        self,
        request: HttpRequest,
        user: User,
        name: str,
        table: Table,
        options: Mapping[str, Any],
        plan: Plan,
        moved: Collection[str] = (),
    ) -> HttpResponse:
        kept = keeping.Kept(name=name, table=table, options=options, seen=plan.digests())
        context = {
            "title": f"Import {self.files.name}: check of {name}",
            "plan": plan,
            "moved": list(moved)[:MOST_SHOWN],
            "groups": [_group(plan, outcome) for outcome in Outcome if plan.of(outcome)],
            "count": len(plan.to_save),
            "refused": len(plan.of(Outcome.REFUSED)),
            "kept": keeping.keep(kept, user.pk, self.files.name) if plan.may_be_saved else "",
        }
        return self._page(request, "check", context)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        user = self._allowed(request)
        context = {"title": f"Export {self.files.name}", "count": self.files.count(user)}
        return self._page(request, "export", context)

    def export_file_view(self, request: HttpRequest, extension: str) -> HttpResponse:
        user = self._allowed(request)
        self._refuse_unknown(extension)
        day = timezone.localdate().isoformat()
        return file_response(
            self.files.export(user, extension), f"{self.files.file_name}-{day}", extension
        )

    def template_view(self, request: HttpRequest, extension: str) -> HttpResponse:
        user = self._allowed(request)
        self._refuse_unknown(extension)
        if extension == "xml":
            raise Http404
        content = self.files.template(user, extension)
        return file_response(content, f"{self.files.file_name}-template", extension)

    def _refuse_unknown(self, extension: str) -> None:
        if extension not in self.files.formats:
            raise Http404

    def _allowed(self, request: HttpRequest) -> User:
        user = request.user
        if not (isinstance(user, User) and self.files.may(user)):
            raise PermissionDenied
        return user

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        known = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "files": self.files,
            "import_page": f"admin:{self.page('import')}",
            "export_page": f"admin:{self.page('export')}",
            "export_file_page": f"admin:{self.page('export_file')}",
            "template_page": f"admin:{self.page('template')}",
            "list_page": f"admin:{self.page('changelist')}",
        }
        return TemplateResponse(request, f"admin/files/{template}.html", known | context)


def file_response(content: bytes, name: str, extension: str) -> HttpResponse:
    """A download. What it shows may be of few eyes: no cache keeps it."""
    response = HttpResponse(content, CONTENT_TYPES[extension])
    response["Content-Disposition"] = f'attachment; filename="{name}.{extension}"'
    response["Cache-Control"] = "no-store"
    return response


def _group(plan: Plan, outcome: Outcome) -> dict[str, Any]:
    rows = plan.of(outcome)
    return {
        "outcome": outcome,
        "count": len(rows),
        "rows": rows[:MOST_SHOWN],
        "more": max(0, len(rows) - MOST_SHOWN),
        "open": outcome in {Outcome.REFUSED, Outcome.NEW, Outcome.CHANGED},
    }
