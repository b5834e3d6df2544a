"""MRDs and memberships, for administrators to change; requests and history, to read."""

from typing import Any, ClassVar, cast

from django.contrib import admin, messages
from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from finesse.admin import (
    DeletedOneByOneAdmin,
    NamedBoxesAdmin,
    PlainFormsAdmin,
    ReadOnlyAdmin,
    moment,
)
from finesse.users.admin import UserAdmin
from finesse.users.models import User
from media.break_rules import admin as break_rules  # noqa: F401 (registers its pages)
from media.documents.user import desktop_of
from media.models import Cause, Media, MediaRequest, MediaRoutingDomain, StateInterval
from media.people.pages import PeopleFilesAdmin
from media.reason_codes import admin as reason_codes  # noqa: F401 (registers its pages)
from media.reason_codes import record_admin  # noqa: F401 (the same)
from media.states import Requested, State
from media.teams import admin as teams  # noqa: F401 (registers its page)
from media.writing.acceptance import accept
from media.writing.requests import new_request

FIRST_MRD_ID = 5000
"""Suggested as the ID of the first MRD, as in Cisco's samples."""
ABOUT_VOICE = (
    "Part of every installation: it cannot be changed, and the Media API does not serve it."
)


@admin.register(MediaRoutingDomain)
class MediaRoutingDomainAdmin(PlainFormsAdmin, DeletedOneByOneAdmin):
    """Deleted one by one: the voice MRD must not go along with others."""

    list_display = ("name", "id", "number_of_members", "interruptible", "description")
    search_fields = ("name", "=id")
    search_help_text = "A part of the name, or the ID"
    ordering = ("id",)
    fields = ("id", "name", "description", "interruptible")

    def get_fieldsets(self, request: HttpRequest, obj: MediaRoutingDomain | None = None) -> Any:
        description = ABOUT_VOICE if obj and obj.is_voice else ""
        return ((None, {"fields": self.fields, "description": description}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MediaRoutingDomain]:
        mrds: QuerySet[MediaRoutingDomain] = super().get_queryset(request)
        return mrds.annotate(member_count=Count("media"))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        highest = MediaRoutingDomain.objects.aggregate(id=Max("id"))["id"] or 0
        return {
            "id": max(FIRST_MRD_ID, highest + 1),
            **super().get_changeform_initial_data(request),
        }

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

    @admin.display(description="members", ordering="member_count")
    def number_of_members(self, mrd: MediaRoutingDomain) -> int:
        count: int = mrd.member_count  # type: ignore[attr-defined]
        return count


@admin.register(Media)
class MediaAdmin(NamedBoxesAdmin):
    """Memberships: which user belongs to which MRD. Only the agents change their states."""

    list_display = ("user", "mrd", "state", "reason_code", "since")
    list_filter = ("state", "mrd", "user__team")
    list_select_related = ("user", "mrd", "reason_code")
    search_fields = ("user__login_id", "user__first_name", "user__last_name")
    search_help_text = "A part of the user’s login ID or name"
    autocomplete_fields = ("user", "mrd")
    fields = (
        "user",
        "mrd",
        "state",
        "reason_code",
        "since",
        "routable",
        "max_dialog_limit",
        "interrupt_action",
        "dialog_logout_action",
    )
    readonly_fields = fields[2:]
    actions = ("lose_connection",)

    since = moment("state_change_time", "since", empty="never changed")

    def has_simulate_permission(self, request: HttpRequest) -> bool:
        return cast(User, request.user).is_superuser

    @admin.action(
        description="Simulate a lost connection: WORK, until the agent asks for ACTIVE",
        permissions=["simulate"],
    )
    def lose_connection(self, request: HttpRequest, queryset: "QuerySet[Media]") -> None:
        """For trying a client: nothing in this service itself makes an agent lose a connection."""
        lost = [
            new_request(
                media.user_id,
                media.mrd_id,
                Requested.CONNECTION_LOST,
                cause=Cause.SYSTEM,
                actor=cast(User, request.user).pk,
            )
            for media in queryset.exclude(state=State.LOGOUT)
        ]
        if lost:
            accept(lost)
            messages.success(request, f"A lost connection was simulated for {len(lost)}.")
        else:
            messages.info(request, "None of these users is signed in.")

    def get_fields(self, request: HttpRequest, obj: Media | None = None) -> tuple[Any, ...]:
        return self.fields if obj else self.fields[:2]

    def has_change_permission(self, request: HttpRequest, obj: Media | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": "Which user belongs to which MRD, and in which state"}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        title = {"title": "Assign a user to a media routing domain"}
        return super().add_view(request, form_url, {**title, **(extra_context or {})})


class MembershipInline(admin.TabularInline):
    """A user's MRDs. Deleting a row takes the user out of the MRD."""

    model = Media
    verbose_name = "media routing domain"
    verbose_name_plural = "Media routing domains"
    extra = 0
    autocomplete_fields = ("mrd",)
    fields = ("mrd", "state", "reason_code", "since")
    readonly_fields = fields[1:]

    since = moment("state_change_time", "since", empty="never changed")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


admin.site.unregister(User)


@admin.register(User)
class MemberAdmin(PeopleFilesAdmin, UserAdmin):
    """Users, with their desktop and the MRDs that they belong to."""

    inlines = (MembershipInline,)
    readonly_fields: ClassVar[Any] = (*UserAdmin.readonly_fields, "desktop_state")
    fieldsets: ClassVar[Any] = (
        *UserAdmin.fieldsets[:-1],
        ("Desktop", {"fields": ("desktop_state",)}),
        UserAdmin.fieldsets[-1],
    )

    @admin.display(description="state")
    def desktop_state(self, user: User) -> str:
        desktop = desktop_of(user)
        label = desktop.reason_code and desktop.reason_code.label
        return ", ".join(
            part for part in (desktop.get_state_display(), label, desktop.extension) if part
        )


@admin.register(MediaRequest)
class MediaRequestAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "accepted",
        "login_id",
        "mrd_id",
        "requested",
        "ended_in",
        "request_id",
    )
    list_filter = ("outcome", "requested", "cause", "accepted_at")
    search_fields = ("=login_id", "=request_id")
    search_help_text = "A whole login ID or requestId"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("id", "request_id", "login_id", "mrd_id", "cause", "actor")}),
        (
            "Requested",
            {
                "fields": (
                    "requested",
                    "reason_code",
                    "max_dialog_limit",
                    "interrupt_action",
                    "dialog_logout_action",
                    "extension",
                    "accepted",
                )
            },
        ),
        ("Outcome", {"fields": ("applied", "outcome", "error", "position")}),
    )

    accepted = moment("accepted_at", "accepted")
    applied = moment("applied_at", "applied", empty="not yet")

    @admin.display(description="outcome", ordering="outcome")
    def ended_in(self, request: MediaRequest) -> str:
        """In a word or two, so that the list fits on a screen."""
        return request.error or request.outcome or "not yet applied"


@admin.register(StateInterval)
class StateIntervalAdmin(ReadOnlyAdmin):
    list_display = ("login_id", "mrd_id", "state", "label", "started", "ended", "duration", "by")
    list_filter = ("state", "cause", "started_at")
    search_fields = ("=login_id", "label")
    search_help_text = "A whole login ID, or a part of a label"
    fields = (
        "login_id",
        "mrd_id",
        "state",
        "reason_code",
        "code",
        "label",
        "started",
        "ended",
        "duration",
        "cause",
        "actor",
    )

    started = moment("started_at", "from")
    ended = moment("ended_at", "to", empty="now")

    @admin.display(description="duration")
    def duration(self, interval: StateInterval) -> str:
        end = interval.ended_at or timezone.now()
        # Whole seconds, as the two times are shown.
        lasted = end.replace(microsecond=0) - interval.started_at.replace(microsecond=0)
        return str(lasted)

    @admin.display(description="by", ordering="actor")
    def by(self, interval: StateInterval) -> str:
        return interval.actor or interval.get_cause_display()
