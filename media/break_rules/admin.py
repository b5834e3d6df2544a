"""Break rules in the administration: supervisors have those of their teams, administrators all.

Each change takes the writer's lock first: so a rule never changes while the writer counts places.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from finesse.admin import DeletedOneByOneAdmin, PlainFormsAdmin
from finesse.notifications import log
from finesse.users.access_in_admin import SignedInFormAdmin, hide_strangers, signed_in
from media.break_rules.circles import new_circles
from media.break_rules.forms import BreakRuleForm
from media.break_tables import BreakRule
from media.breaks.access import may_change, visible_rules
from media.breaks.rules import every_rule
from media.breaks.words import sentence

NOTHING = "Nothing can be read yet: something in the form is missing or wrong."


def _circle_without(rule: BreakRule) -> str:
    """Why the rule cannot be deleted; empty if it can. A team's own rule may have hidden one for
    all teams that leads its agents back."""
    rules = every_rule()
    circles = new_circles(rules, rules.without(rule), rule.reason_code)
    if not circles:
        return ""
    return (
        f"The rule for {rule} is needed. Without it: {circles[0]} Change one of these rules first."
    )


@admin.register(BreakRule)
class BreakRuleAdmin(SignedInFormAdmin, PlainFormsAdmin, DeletedOneByOneAdmin):
    form = BreakRuleForm
    list_display = ("reason", "for_whom", "says", "history")
    list_per_page = 200
    search_fields = ("reason_code__label", "team__name")
    search_help_text = "A part of the reason’s label, or of the team’s name"
    readonly_fields = ("reason", "for_whom", "says")
    sortable_by = ()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.says_page)
        return [path("says/", view, name="media_breakrule_says"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[BreakRule]":
        rules: QuerySet[BreakRule] = super().get_queryset(request)
        visible = rules.filter(pk__in=visible_rules(signed_in(request)).values("pk"))
        return visible.select_related("reason_code", "team", "then_reason_code")

    def get_fieldsets(self, request: HttpRequest, obj: BreakRule | None = None) -> Any:
        if obj and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("reason", "for_whom", "says")}),)
        times = ("maximum_minutes", "budget_minutes", "time_zone")
        told = ("tell_agent_after", "tell_supervisors_after")
        return (
            (None, {"fields": ("reason_code", "team", "version")}),
            ("Places", {"fields": ("most_at_once", "when_full")}),
            ("Time", {"fields": times}),
            (
                "When the time is over",
                {"fields": (*told, "then", "then_reason_code", "then_after")},
            ),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {"title": "Break rules", **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"show_save_and_continue": False, **(extra_context or {})}
        if request.method != "POST":
            return super().changeform_view(request, object_id, form_url, context)
        with transaction.atomic():
            log.lock()
            return super().changeform_view(request, object_id, form_url, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with transaction.atomic():
            log.lock()
            rule = self.get_object(request, unquote(object_id))
            said = rule and self.has_delete_permission(request, rule) and _circle_without(rule)
            if said:
                messages.error(request, said)
                return HttpResponseRedirect(reverse("admin:media_breakrule_changelist"))
            return super().delete_view(request, object_id, extra_context)

    def says_page(self, request: HttpRequest) -> HttpResponse:
        """A part of a page: what the rule in the form says, which is not saved."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        number = request.POST.get("rule", "")
        rule = get_object_or_404(self.get_queryset(request), pk=number) if number else None
        allowed = (
            self.has_change_permission(request, rule) if rule else self.has_add_permission(request)
        )
        if not allowed:
            raise PermissionDenied
        sent = request.POST.copy()
        # What others have changed meanwhile is told when it is saved.
        sent.pop("version", None)
        form = self.get_form(request, rule, change=rule is not None)(sent, instance=rule)
        says = sentence(form.instance) if form.is_valid() else NOTHING
        return TemplateResponse(request, "admin/media/breakrule/says.html", {"says": says})

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        history = super().history_view(request, object_id, extra_context)
        return hide_strangers(signed_in(request), history)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """In the words of the rule, before and after: the history shows it."""
        now = sentence(form.instance)
        return f"Made: {now}" if add else f"Was: {form.said_before} Is: {now}"

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.success(request, f"The rule for {obj} is there: {sentence(obj)}")
        page = "add" if "_addanother" in request.POST else "changelist"
        return HttpResponseRedirect(reverse(f"admin:media_breakrule_{page}"))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, f"The rule for {obj} says now: {sentence(obj)}")
        return HttpResponseRedirect(reverse("admin:media_breakrule_changelist"))

    def has_change_permission(self, request: HttpRequest, obj: BreakRule | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_change(signed_in(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: BreakRule | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or may_change(signed_in(request), obj))

    @admin.display(description="reason")
    def reason(self, rule: BreakRule) -> str:
        retired = " (retired)" if rule.reason_code.retired else ""
        return f"{rule.reason_code.label}{retired}"

    @admin.display(description="for whom")
    def for_whom(self, rule: BreakRule) -> str:
        return rule.team.name if rule.team else "All teams"

    @admin.display(description="what it says")
    def says(self, rule: BreakRule) -> str:
        return sentence(rule)

    @admin.display(description="more")
    def history(self, rule: BreakRule) -> SafeString:
        return format_html(
            '<a href="{}">History<span class="visually-hidden"> of {}</span></a>',
            reverse("admin:media_breakrule_history", args=[rule.pk]),
            str(rule),
        )
