"""Reason codes in the admin, for supervisors and administrators."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from reasoncodes.models import ReasonCode


@admin.register(ReasonCode)
class ReasonCodeAdmin(admin.ModelAdmin):
    list_display = ("label", "category", "code", "id", "offered_to", "retired")
    list_filter = ("category", "retired", "for_all", "teams")
    search_fields = ("label", "=code")
    filter_horizontal = ("teams",)
    readonly_fields = ("id",)
    fields = ("id", "category", "code", "label", "for_all", "teams", "retired")
    actions = ("retire", "bring_back")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReasonCode]":
        return super().get_queryset(request).prefetch_related("teams")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ReasonCode | None = None
    ) -> tuple[str, ...]:
        # The category is fixed after creation [ReasonCode API Parameters].
        return ("id", "category") if obj else ("id",)

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

    @admin.display(description="offered to")
    def offered_to(self, reason_code: ReasonCode) -> str:
        if reason_code.for_all:
            return "everybody"
        return ", ".join(team.name for team in reason_code.teams.all()) or "nobody yet"

    @admin.action(description="Retire: no longer offer them to agents", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        count = queryset.filter(system_code=False).update(retired=True)
        messages.success(request, f"Retired {count}. The history goes on naming them.")

    @admin.action(description="Bring back: offer them again", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        for reason_code in queryset.filter(retired=True):
            clash = ReasonCode.objects.filter(category=reason_code.category, retired=False)
            if clash.filter(code=reason_code.code) or clash.filter(label__iexact=reason_code.label):
                messages.error(request, f"{reason_code}: its code or label is in use again.")
            else:
                ReasonCode.objects.filter(pk=reason_code.pk).update(retired=False)
                messages.success(request, f"{reason_code} is offered again.")
