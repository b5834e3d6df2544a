"""Reason codes in the admin, for supervisors and administrators.

Each change takes the writer's lock first, so that the forms' checks still hold when it is saved.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from finesse.admin import DeletedOneByOneAdmin
from finesse.api.xml import identifier
from reasoncodes.configuration import exclusive, hold
from reasoncodes.models import ReasonCode


@admin.register(ReasonCode)
class ReasonCodeAdmin(DeletedOneByOneAdmin):
    """Deleted one by one: many at once would fail at codes that the history names."""

    list_display = ("label", "category", "code", "id", "offered_to")
    list_filter = ("category", "retired", "for_all", "teams")
    search_fields = ("label", "=code")
    search_help_text = "A part of the label, or the code"
    filter_horizontal = ("teams",)
    readonly_fields = ("id", "use")
    actions = ("retire", "bring_back")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReasonCode]":
        reason_codes: QuerySet[ReasonCode] = super().get_queryset(request)
        if not _administers(request):
            # System codes are for administrators to see; nobody chooses or changes them.
            reason_codes = reason_codes.filter(system_code=False)
        return reason_codes.prefetch_related("teams")

    def get_list_filter(self, request: HttpRequest) -> Any:
        return (*self.list_filter, "system_code") if _administers(request) else self.list_filter

    def get_fieldsets(self, request: HttpRequest, obj: ReasonCode | None = None) -> Any:
        names = ("category", "code", "label")
        return (
            (None, {"fields": ("id", *names, "use") if obj else names}),
            ("Offered to", {"fields": ("for_all", "teams", "retired")}),
        )

    def get_form(
        self,
        request: HttpRequest,
        obj: ReasonCode | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj and "category" in form.base_fields:
            # The category is fixed after creation [ReasonCode API Parameters]. A read-only field
            # would not be part of the form, nor the uniqueness within a category of its checks.
            form.base_fields["category"].disabled = True
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, *args, **kwargs)
        with exclusive():
            return super().changeform_view(request, *args, **kwargs)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        with exclusive():
            # It must still be unused when it is deleted.
            hold(identifier(object_id))
            return super().delete_view(request, object_id, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and (obj.system_code or obj.is_used()))

    def has_change_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.system_code)

    @admin.display(description="use")
    def use(self, reason_code: ReasonCode) -> str:
        if reason_code.system_code:
            return "The system’s own: part of every installation, never offered to agents."
        if reason_code.is_used():
            return "Used: it can only be retired, no longer deleted."
        return "Not used yet: it can still be deleted."

    @admin.display(description="offered to")
    def offered_to(self, reason_code: ReasonCode) -> str:
        if reason_code.system_code:
            return "nobody: the system’s own"
        if reason_code.retired:
            return "nobody: retired"
        if reason_code.for_all:
            return "everybody"
        return ", ".join(team.name for team in reason_code.teams.all()) or "nobody yet"

    @admin.action(description="Retire: no longer offer them to agents", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        with exclusive():
            count = queryset.filter(system_code=False, retired=False).update(retired=True)
        if count:
            messages.success(request, f"{count} retired. The history still shows them.")
        else:
            messages.info(request, "None of them could be retired.")

    @admin.action(description="Bring back: offer them again", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        with exclusive():
            retired = list(queryset.filter(retired=True))
            for reason_code in retired:
                self._bring_back(request, reason_code)
        if not retired:
            messages.info(request, "None of them was retired.")

    def _bring_back(self, request: HttpRequest, reason_code: ReasonCode) -> None:
        reason_code.retired = False
        if reason_code.taken():
            messages.error(
                request, f"{reason_code}: another reason code has its code or label now."
            )
        elif reason_code.exceeds():
            messages.error(
                request,
                f"{reason_code}: its category has {reason_code.limit} {reason_code.scope} "
                "reason codes already.",
            )
        else:
            reason_code.save(update_fields=["retired"])
            messages.success(request, f"{reason_code} is offered again.")


def _administers(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
