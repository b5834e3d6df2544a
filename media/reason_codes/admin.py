"""Reason codes in the admin, for supervisors and administrators: `reasoncodes.access` says which.

Each change takes the writer's lock first, so that the forms' checks still hold when it is saved.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse

from finesse.admin import DeletedOneByOneAdmin, PlainFormsAdmin
from finesse.api.xml import identifier
from finesse.users.access import supervised_teams
from finesse.users.access_in_admin import OwnTeamsFilter, signed_in
from media.reason_codes.files.pages import ReasonCodeFilesAdmin
from media.reason_codes.forms import ReasonCodeForm
from media.reason_codes.history_pages import HistoryPages
from reasoncodes.access import changeable_by, others_assignments, visible_to
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive, hold
from reasoncodes.models import ReasonCode


@admin.register(ReasonCode)
class ReasonCodeAdmin(ReasonCodeFilesAdmin, HistoryPages, PlainFormsAdmin, DeletedOneByOneAdmin):
    """Deleted one by one: many at once would fail at codes that the history names."""

    list_display = ("label", "category", "code", "id", "offered_to")
    list_filter = ("category", "retired", "for_all", ("teams", OwnTeamsFilter), "system_code")
    search_fields = ("label", "=code")
    search_help_text = "A part of the label, or the code"
    form = ReasonCodeForm
    filter_horizontal = ("teams",)
    readonly_fields = ("id", "use", "offered_to")
    actions = ("retire", "bring_back")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReasonCode]":
        user = signed_in(request)
        codes: QuerySet[ReasonCode] = super().get_queryset(request)
        shown = Prefetch("teams", supervised_teams(user), to_attr="shown_teams")
        return (
            codes.filter(pk__in=visible_to(user))
            .prefetch_related(shown)
            .annotate(of_others=Exists(others_assignments(user)))
        )

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        # Other lookups than the filter's would reveal teams that are not the user's.
        if lookup.startswith("teams") and lookup not in OwnTeamsFilter.parameters("teams"):
            return signed_in(request).is_superuser
        return super().lookup_allowed(lookup, value, request)

    def get_fieldsets(self, request: HttpRequest, obj: ReasonCode | None = None) -> Any:
        names = ("category", "code", "label")
        # Shown read-only, the list of teams would name those of others, too.
        is_form = self.has_change_permission(request, obj)
        teams = "teams" if is_form else "offered_to"
        return (
            (None, {"fields": ("id", *names, "use") if obj else names}),
            ("Offered to", {"fields": ("for_all", teams, "retired")}),
        )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["queryset"] = supervised_teams(signed_in(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_form(
        self,
        request: HttpRequest,
        obj: ReasonCode | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.user = signed_in(request)  # type: ignore[attr-defined]
        if obj and "category" in form.base_fields:
            # The category is fixed after creation [ReasonCode API Parameters]. A read-only field
            # would not be part of the form, nor the uniqueness within a category of its checks.
            form.base_fields["category"].disabled = True
        return form

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return super().changeform_view(request, *args, **kwargs)
        with exclusive(signed_in(request), Way.ADMIN):
            return super().changeform_view(request, *args, **kwargs)

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
        names = [team.name for team in reason_code.shown_teams]  # type: ignore[attr-defined]
        if reason_code.of_others:  # type: ignore[attr-defined]
            names.append("other teams")
        return ", ".join(names) or "nobody yet"

    @admin.action(description="Retire: no longer offer them to agents", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        with exclusive(signed_in(request), Way.ADMIN):
            offered = list(_changeable(request, queryset).filter(retired=False))
            for reason_code in offered:
                reason_code.retired = True
                reason_code.save(update_fields=["retired"])
        count = len(offered)
        if count:
            messages.success(request, f"{count} retired. The history still shows them.")
        else:
            messages.info(request, "None of them could be retired.")

    @admin.action(description="Bring back: offer them again", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> None:
        with exclusive(signed_in(request), Way.ADMIN):
            retired = list(_changeable(request, queryset).filter(retired=True))
            for reason_code in retired:
                self._bring_back(request, reason_code)
        if not retired:
            messages.info(request, "None of them was retired and yours to bring back.")

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


def _changeable(request: HttpRequest, queryset: "QuerySet[ReasonCode]") -> "QuerySet[ReasonCode]":
    return changeable_by(signed_in(request)).filter(pk__in=queryset.values("pk"))


def _may_change(request: HttpRequest, reason_code: ReasonCode) -> bool:
    return changeable_by(signed_in(request)).filter(pk=reason_code.pk).exists()
