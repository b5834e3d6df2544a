"""Users and teams in the admin, for administrators."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format

from finesse.admin import NamedBoxesAdmin, PlainFormsAdmin, ReadOnlyAdmin, moment
from finesse.users.access import runs_accounts, supervised_teams, visible_users
from finesse.users.access_in_admin import hide_strangers, signed_in
from finesse.users.account_admin import AccountPages
from finesse.users.forms import AdminSignInForm
from finesse.users.lockout import are_blocked, blocked_until, lift
from finesse.users.models import SignInFailures, Team, User
from finesse.users.password_forms import NewPasswordForm, NewUserForm

admin.site.login_form = AdminSignInForm
admin.site.empty_value_display = "–"
# Permissions follow from a user's role, so groups would have no effect.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(AccountPages, PlainFormsAdmin, DjangoUserAdmin):
    add_form = NewUserForm
    # Django's template announces more options after the first save; this form has them all.
    add_form_template = None
    change_password_form = NewPasswordForm
    change_user_password_template = "admin/users/user/password.html"
    list_display = ("login_id", "first_name", "last_name", "team", "role", "is_active")
    list_filter = ("is_active", "is_supervisor", "is_superuser", "must_change_password", "team")
    list_select_related = ("team",)
    search_fields = ("login_id", "first_name", "last_name")
    search_help_text = "A part of the login ID or of the name"
    ordering = ("login_id",)
    filter_horizontal = ()
    autocomplete_fields = ("team",)
    readonly_fields = ("sign_in", "supervises", "last_sign_in", "made")
    fieldsets = (
        (None, {"fields": ("login_id", "sign_in", "must_change_password")}),
        ("Person", {"fields": ("first_name", "last_name", "team")}),
        (
            "Access",
            {
                "fields": (
                    "is_active",
                    "is_supervisor",
                    "supervises",
                    "manages_global_reason_codes",
                    "is_superuser",
                )
            },
        ),
        ("Dates", {"fields": ("last_sign_in", "made")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "fields": ("login_id", "password1", "password2", "must_change_password"),
                "description": "Leave the password empty if you give the user a sign-in link "
                "instead: it is on the next page.",
            },
        ),
        ("Person", {"fields": ("first_name", "last_name", "team")}),
        (
            "Access",
            {"fields": ("is_supervisor", "manages_global_reason_codes", "is_superuser")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # The login id is the primary key: saving another one would add another user.
        return (*self.readonly_fields, "login_id") if obj else self.readonly_fields

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        if unquote(id) == signed_in(request).pk:
            # One's own is asked for the old one first, and need not be changed again.
            return redirect("password")
        return super().user_change_password(request, id, form_url)

    last_sign_in = moment("last_login", "last sign-in")
    made = moment("date_joined", "made")

    @admin.display(description="supervises")
    def supervises(self, user: User) -> str:
        teams = ", ".join(str(team) for team in user.supervised_teams.all())
        if teams and not user.is_supervisor:
            return f"{teams}, once marked as a supervisor"
        return teams or "No team. Choose supervisors on the team’s page."


@admin.register(Team)
class TeamAdmin(PlainFormsAdmin):
    """The list of teams; `media.teams` adds what a team's page shows of its agents and codes."""

    list_display = ("name", "id", "number_of_members", "supervised_by")
    search_fields = ("name",)
    search_help_text = "A part of the name"
    ordering = ("name",)
    readonly_fields = ("id", "supervised_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        user = signed_in(request)
        shown = Prefetch("supervisors", visible_users(user), to_attr="shown_supervisors")
        teams = super().get_queryset(request).filter(pk__in=supervised_teams(user))
        counted: QuerySet[Team] = teams.prefetch_related(shown).annotate(
            member_count=Count("members", distinct=True),
            supervisor_count=Count("supervisors", distinct=True),
        )
        return counted

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        history = super().history_view(request, object_id, extra_context)
        return hide_strangers(signed_in(request), history)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # A user who is not marked as a supervisor would not see the team.
        kwargs["queryset"] = User.objects.filter(is_supervisor=True)
        kwargs["widget"] = forms.CheckboxSelectMultiple
        kwargs["help_text"] = "Users who are marked as supervisors. They watch the team’s members."
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @admin.display(description="members", ordering="member_count")
    def number_of_members(self, team: Team) -> int:
        count: int = team.member_count  # type: ignore[attr-defined]
        return count

    @admin.display(description="supervisors")
    def supervised_by(self, team: Team) -> str:
        names = [str(user) for user in team.shown_supervisors]  # type: ignore[attr-defined]
        if hidden := team.supervisor_count - len(names):  # type: ignore[attr-defined]
            names.append(f"{hidden} more")
        return ", ".join(names)


class BlockedFilter(admin.SimpleListFilter):
    title = "blocked"
    parameter_name = "blocked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "Now"), ("not", "Not now")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        chosen = {"now": are_blocked(), "not": ~are_blocked()}
        return queryset.filter(chosen.get(self.value() or "", Q()))


@admin.register(SignInFailures)
class SignInFailuresAdmin(NamedBoxesAdmin, ReadOnlyAdmin):
    """Blocked sign-ins, and those that may soon be; an administrator may lift each."""

    list_display = ("login_id", "from_where", "count", "last", "blocked")
    list_filter = (BlockedFilter,)
    search_fields = ("=login_id", "=origin")
    search_help_text = "A whole login ID, or an address"
    fields = ("login_id", "from_where", "count", "last", "blocked")
    actions = ("lift_block",)

    last = moment("last_at", "last")

    @admin.display(description="from", ordering="origin")
    def from_where(self, failures: SignInFailures) -> str:
        return failures.origin or "this machine"

    @admin.display(description="blocked", ordering="blocked_until")
    def blocked(self, failures: SignInFailures) -> str:
        until = blocked_until(failures)
        if until is None:
            return "no"
        return f"until {date_format(timezone.localtime(until), 'H:i:s')}"

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return runs_accounts(signed_in(request))

    @admin.action(description="Lift the block: forget these failures", permissions=["lift"])
    def lift_block(self, request: HttpRequest, queryset: "QuerySet[SignInFailures]") -> None:
        lifted = lift(queryset)
        messages.success(request, f"Lifted: {lifted}. The right password is accepted again.")
