"""Reason codes in the admin, for supervisors and administrators: `reasoncodes.access` says which.

Each change takes the writer's lock first, so that the forms' checks still hold when it is saved.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from finesse.admin import DeletedOneByOneAdmin, PlainFormsAdmin
from finesse.api.xml import identifier
from finesse.users.access_in_admin import SignedInFormAdmin, signed_in
from media.reason_codes.files.pages import ReasonCodeFilesAdmin
from media.reason_codes.forms import ReasonCodeForm
from media.reason_codes.history_pages import HistoryPages
from media.reason_codes.last_change import is_made_by, last_change
from media.reason_codes.life_pages import LifePages
from media.reason_codes.listing import ListingOfCodes
from media.reason_codes.preview_pages import PreviewPages, preview_context
from media.reason_codes.read_only import ReadOnlyPage
from media.reason_codes.undo_pages import UndoPages, tell_with_undo
from reasoncodes.access import changeable_by, manages_global
from reasoncodes.changes import Way, present_change
from reasoncodes.configuration import exclusive, hold
from reasoncodes.models import ReasonCode

MEANING = (
    "description",
    "colour",
    "place",
    "productive",
    "maximum_minutes",
    "warning_minutes",
    "translations",
)


@admin.register(ReasonCode)
class ReasonCodeAdmin(
    ReasonCodeFilesAdmin,
    HistoryPages,
    UndoPages,
    LifePages,
    PreviewPages,
    ReadOnlyPage,
    ListingOfCodes,
    SignedInFormAdmin,
    PlainFormsAdmin,
    DeletedOneByOneAdmin,
):
    """Deleted one by one: many at once would fail at codes that the history names."""

    form = ReasonCodeForm
    readonly_fields = (
        "id",
        "use",
        "offered_to",
        "kind",
        "is_retired",
        "seen_colour",
        "counts_as",
        "longest",
        "warned",
        "languages",
    )

    def get_fieldsets(self, request: HttpRequest, obj: ReasonCode | None = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return self.read_only_fieldsets
        user = signed_in(request)
        offer = (
            *(("for_all",) if manages_global(user) else ()),
            "teams",
            *(("nobody",) if user.is_superuser else ()),
        )
        names = ("category", "label", "again", "code")
        return (
            (None, {"fields": (*names, "version", *(("use",) if obj else ()))}),
            ("Offered to", {"fields": offer}),
            ("Meaning", {"fields": MEANING, "classes": ("collapse",)}),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST":
            context = (extra_context or {}) | self._beside(request, object_id)
            return super().changeform_view(request, object_id, form_url, context)
        with exclusive(signed_in(request), Way.ADMIN):
            context = (extra_context or {}) | self._beside(request, object_id)
            return super().changeform_view(request, object_id, form_url, context)

    def _beside(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        """What stands beside the form."""
        code = self.get_object(request, object_id) if object_id else None
        user = signed_in(request)
        context: dict[str, Any] = {
            "show_save_and_continue": False,
            "show_save_and_add_another": code is None,
        }
        if code:
            context |= {
                "title": f"“{code.label}”",
                "subtitle": f"{code.get_category_display()}, code {code.code}",
            }
        if code and not self.has_change_permission(request, code):
            return context | {"is_read_only": True}
        change = {"last_change": last_change(code, user)} if code else {}
        return context | preview_context(user, code) | change

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Without a change there is no version.
        if not change or form.has_changed():
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if not change or form.has_changed():
            super().save_related(request, form, formsets, change)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, obj, message) if message else None

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        text = f"“{obj.label}” is there: agents can choose it from now on."
        if not (obj.for_all or obj.teams.exists()):
            text = f"“{obj.label}” is there, and offered to nobody for now."
        tell_with_undo(request, text, present_change())
        page = "add" if "_addanother" in request.POST else "changelist"
        return _to(page)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        if is_made_by(obj, present_change()):
            tell_with_undo(request, f"“{obj.label}” is changed.", present_change())
        else:
            messages.info(request, f"“{obj.label}” is as it was: nothing was changed.")
        return _to("changelist")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        with exclusive(signed_in(request), Way.ADMIN):
            # It must still be unused when it is deleted.
            hold(identifier(object_id))
            return super().delete_view(request, object_id, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or (_may_change(request, obj) and not obj.is_used()))

    def has_change_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _may_change(request, obj))

    @admin.display(description="use")
    def use(self, reason_code: ReasonCode) -> str:
        if reason_code.system_code:
            return "The system’s own: part of every installation, never offered to agents."
        if reason_code.is_used():
            return "Used, or named by a break rule: it can only be retired, no longer deleted."
        return "Not used yet: it can still be deleted."


def _to(page: str) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"admin:reasoncodes_reasoncode_{page}"))


def _may_change(request: HttpRequest, reason_code: ReasonCode) -> bool:
    return changeable_by(signed_in(request)).filter(pk=reason_code.pk).exists()
