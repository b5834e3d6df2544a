"""Users and teams in the admin, for administrators."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from finesse.users.models import Team, User

admin.site.site_header = "Finesse Media administration"
admin.site.site_title = "Finesse Media"
admin.site.index_title = "What do you want to manage?"
# Rights follow from the roles of users; groups would be a second, idle way.
admin.site.unregister(Group)


class NewUserForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("login_id", "first_name", "last_name", "team", "is_supervisor", "is_superuser")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    add_form = NewUserForm
    list_display = ("login_id", "first_name", "last_name", "team", "role", "is_active")
    list_filter = ("is_active", "is_supervisor", "is_superuser", "team")
    list_select_related = ("team",)
    search_fields = ("login_id", "first_name", "last_name")
    ordering = ("login_id",)
    filter_horizontal = ()
    autocomplete_fields = ("team",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("login_id", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "team")}),
        ("Access", {"fields": ("is_active", "is_supervisor", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("login_id", "usable_password", "password1", "password2")}),
        ("Person", {"fields": ("first_name", "last_name", "team")}),
        ("Access", {"fields": ("is_supervisor", "is_superuser")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # It is the primary key: another one would be another user.
        return (*self.readonly_fields, "login_id") if obj else self.readonly_fields


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ("name", "id", "number_of_members", "supervised_by")
    search_fields = ("name",)
    autocomplete_fields = ("supervisors",)
    readonly_fields = ("id", "member_list")
    fields = ("id", "name", "supervisors", "member_list")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams = super().get_queryset(request).prefetch_related("supervisors")
        counted: QuerySet[Team] = teams.annotate(member_count=Count("members"))
        return counted

    @admin.display(description="members", ordering="member_count")
    def number_of_members(self, team: Team) -> int:
        count: int = team.member_count  # type: ignore[attr-defined]
        return count

    @admin.display(description="supervisors")
    def supervised_by(self, team: Team) -> str:
        return ", ".join(str(user) for user in team.supervisors.all()) or "–"

    @admin.display(description="members")
    def member_list(self, team: Team) -> SafeString | str:
        members = team.members.all() if team.pk else []
        return format_html_join("", "{}<br>", ((member,) for member in members)) or "–"
