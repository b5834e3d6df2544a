"""MRDs and memberships, for administrators; requests and history, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from finesse.notifications.admin import ReadOnlyAdmin
from media.models import Media, MediaRequest, MediaRoutingDomain, StateInterval


@admin.register(MediaRoutingDomain)
class MediaRoutingDomainAdmin(admin.ModelAdmin):
    list_display = ("name", "id", "interruptible", "description")
    search_fields = ("name", "=id")

    def get_readonly_fields(
        self, request: HttpRequest, obj: MediaRoutingDomain | None = None
    ) -> tuple[str, ...]:
        return ("id",) if obj else ()

    def has_change_permission(
        self, request: HttpRequest, obj: MediaRoutingDomain | None = None
    ) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_voice)

    def has_delete_permission(
        self, request: HttpRequest, obj: MediaRoutingDomain | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_voice)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # One by one only: the voice MRD must not go with the others.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


@admin.register(Media)
class MediaAdmin(admin.ModelAdmin):
    """Memberships: which user belongs to which MRD. The state is the agents' own to change."""

    list_display = ("user", "mrd", "state", "reason_code", "state_change_time", "routable")
    list_filter = ("state", "mrd", "user__team")
    list_select_related = ("user", "mrd", "reason_code")
    search_fields = ("user__login_id", "user__first_name", "user__last_name")
    autocomplete_fields = ("user", "mrd")
    fields = (
        "user",
        "mrd",
        "state",
        "reason_code",
        "state_change_time",
        "routable",
        "max_dialog_limit",
        "interrupt_action",
        "dialog_logout_action",
    )
    readonly_fields = fields[2:]

    def get_fields(self, request: HttpRequest, obj: Media | None = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:2]

    def has_change_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        return False


@admin.register(MediaRequest)
class MediaRequestAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "accepted_at",
        "login_id",
        "mrd_id",
        "requested",
        "reason_code",
        "outcome",
        "error",
        "request_id",
    )
    list_filter = ("outcome", "requested", "cause", "accepted_at")
    list_select_related = ("reason_code",)
    search_fields = ("=login_id", "=request_id")
    ordering = ("-id",)


@admin.register(StateInterval)
class StateIntervalAdmin(ReadOnlyAdmin):
    list_display = (
        "login_id",
        "mrd_id",
        "state",
        "label",
        "started_at",
        "ended_at",
        "cause",
        "actor",
    )
    list_filter = ("state", "cause", "started_at")
    search_fields = ("=login_id", "label")
