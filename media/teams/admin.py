"""The page of a team, for administrators to change and its supervisors to read."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Prefetch
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from finesse.users.access_in_admin import signed_in
from finesse.users.admin import TeamAdmin
from finesse.users.models import Team
from media.models import Media
from media.teams.forms import TeamForm
from reasoncodes.access import changeable_by, visible_to
from reasoncodes.models import ReasonCode

admin.site.unregister(Team)


@admin.register(Team)
class TeamPage(TeamAdmin):
    form = TeamForm
    readonly_fields: ClassVar[Any] = ("id", "agents", "supervised_by", "codes")

    class Media:
        css: ClassVar[Any] = {"all": ("users/account-admin.css",)}

    def get_fields(self, request: HttpRequest, obj: Team | None = None) -> tuple[str, ...]:
        return ("name", "supervisors", "members", "new_members")

    def get_fieldsets(self, request: HttpRequest, obj: Team | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "supervisors", "new_members")}),)
        # Shown read-only, the list would name supervisors who are members of other teams.
        is_form = self.has_change_permission(request, obj)
        return (
            (None, {"fields": ("id", "name")}),
            (
                "Agents",
                {"fields": ("agents", "members", "new_members") if is_form else ("agents",)},
            ),
            ("Supervisors", {"fields": ("supervisors" if is_form else "supervised_by",)}),
            ("Reason codes", {"fields": ("codes",)}),
        )

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Team | None:
        team: Team | None = super().get_object(request, *args, **kwargs)
        if team is not None:
            # The methods that show it do not know the reader.
            team.reader = signed_in(request)  # type: ignore[attr-defined]
        return team

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if moved := form.change_members():
            names = ", ".join(str(user) for user in moved)
            messages.info(request, f"From another team: {names}.")

    @admin.display(description="agents now")
    def agents(self, team: Team) -> SafeString:
        media = Media.objects.select_related("mrd", "reason_code").order_by("mrd")
        members = team.members.prefetch_related(Prefetch("media", media))
        context = {"team": team, "members": members, "reader": team.reader}  # type: ignore[attr-defined]
        return render_to_string("admin/users/team/agents.html", context)

    @admin.display(description="reason codes")
    def codes(self, team: Team) -> SafeString:
        reader = team.reader  # type: ignore[attr-defined]
        visible = visible_to(reader).not_retired()  # type: ignore[attr-defined]
        changeable = set(changeable_by(reader).values_list("pk", flat=True))
        own = visible.filter(teams=team, for_all=False, system_code=False)
        context = {
            "team": team,
            "codes": [(code, code.pk in changeable) for code in own],
            "global_count": ReasonCode.objects.configured().filter(for_all=True).count(),
        }
        return render_to_string("admin/users/team/codes.html", context)
