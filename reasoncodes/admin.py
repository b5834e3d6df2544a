"""Reason codes in the admin, for supervisors and administrators."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from reasoncodes.models import ReasonCode


@admin.register(ReasonCode)
class ReasonCodeAdmin(admin.ModelAdmin):
    list_display = ("label", "category", "code", "id", "offered_to")
    list_filter = ("category", "retired", "for_all", "teams")
    search_fields = ("label", "=code")
    search_help_text = "A part of the label, or the code"
    filter_horizontal = ("teams",)
    readonly_fields = ("id", "use")
    actions = ("retire", "bring_back")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReasonCode]":
        return super().get_queryset(request).prefetch_related("teams")

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

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Deleting many at once would meet codes that the history names; retiring never fails.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj and (obj.system_code or obj.is_used()))

    def has_change_permission(self, request: HttpRequest, obj: ReasonCode | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.system_code)

    @admin.display(description="use")
    def use(self, reason_code: ReasonCode) -> str:
        if reason_code.is_used():
            return "Used. It cannot be deleted any more, only retired."
        return "Not used yet. It can still be deleted."

    @admin.display(description="offered to")
    def offered_to(self, reason_code: ReasonCode) -> str:
        if reason_code.retired:
            return "nobody: retired"
        if reason_code.for_all:
            return "everybody"
        return ", ".join(team.name for team in reason_code.teams.all()) or "nobody yet"

    @admin.action(description="Retire: no longer offer them to agents", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        count = queryset.filter(system_code=False, retired=False).update(retired=True)
        if count:
            messages.success(request, f"{count} retired. The history goes on naming them.")
        else:
            messages.info(request, "There was nothing to retire.")

    @admin.action(description="Bring back: offer them again", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        retired = queryset.filter(retired=True)
        if not retired:
            messages.info(request, "None of them was retired.")
        for reason_code in retired:
            clash = ReasonCode.objects.filter(category=reason_code.category, retired=False)
            if clash.filter(code=reason_code.code) or clash.filter(label__iexact=reason_code.label):
                messages.error(request, f"{reason_code}: its code or label is in use again.")
            else:
                ReasonCode.objects.filter(pk=reason_code.pk).update(retired=False)
                messages.success(request, f"{reason_code} is offered again.")
