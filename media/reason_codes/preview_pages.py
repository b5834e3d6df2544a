"""Pages that show what agents get: of their own, and beside the form of a code."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path

from finesse.users.access import supervised_teams, visible_users
from finesse.users.access_in_admin import signed_in
from finesse.users.models import Team, User
from media.reason_codes.preview import Line, list_after, lists_of
from reasoncodes.models import Category, ReasonCode

MOST_AGENTS = 200
"""More are shown one team at a time."""


@dataclass(frozen=True)
class Reader:
    """Whose list it is: an agent's, or any agent's of a team."""

    name: str
    team_id: int | None
    agent: str = ""


class PreviewPages(admin.ModelAdmin):
    """What agents see."""

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        return [
            path("preview/", guard(self.preview_page), name="reasoncodes_reasoncode_preview"),
            path(
                "preview/form/",
                guard(self.preview_of_form),
                name="reasoncodes_reasoncode_preview_form",
            ),
            *super().get_urls(),
        ]

    def preview_page(self, request: HttpRequest) -> HttpResponse:
        """The lists of one agent or team, among those of one's own."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user = signed_in(request)
        teams = list(supervised_teams(user).order_by("name"))
        reader = _chosen(request, user, teams)
        context = {
            **self.admin_site.each_context(request),
            "title": "What agents see",
            "opts": self.opts,
            "groups": _groups(user, teams, reader),
            "reader": reader,
            "lists": lists_of(reader.team_id) if reader else (),
        }
        return TemplateResponse(request, "admin/reasoncodes/preview.html", context)

    def preview_of_form(self, request: HttpRequest) -> HttpResponse:
        """A part of a page: the list with what is typed into the form, which is not saved."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        number = request.POST.get("preview_of", "")
        code = get_object_or_404(self.get_queryset(request), pk=number) if number else None
        if code:
            allowed = self.has_change_permission(request, code)
        else:
            allowed = self.has_add_permission(request)
        if not allowed:
            raise PermissionDenied
        user = signed_in(request)
        team = supervised_teams(user).filter(pk=request.POST.get("preview_team") or 0).first()
        form = self.get_form(request, code, change=code is not None)(request.POST, instance=code)
        is_whole = form.is_valid() or {"code", "label"} <= form.cleaned_data.keys()
        chosen = form.cleaned_data.get("teams") or ()
        context = {
            "lines": _lines(form.instance, form.cleaned_data, [one.pk for one in chosen], team),
            "is_whole": is_whole,
            "team": team,
        }
        return TemplateResponse(request, "admin/reasoncodes/preview_beside.html", context)


def preview_context(user: User, code: ReasonCode | None) -> dict[str, Any]:
    """What the preview beside a form needs: the teams that it can be shown for."""
    teams = list(supervised_teams(user).order_by("name"))
    own = set(code.teams.values_list("pk", flat=True)) if code else set()
    first = next((team for team in teams if team.pk in own), teams[0] if teams else None)
    return {"preview_teams": teams, "preview_first": first}


def _lines(
    instance: ReasonCode, data: dict[str, Any], teams: list[int], team: Team | None
) -> list[Line]:
    # What the form refuses is not on the instance: its list is to be seen all the same.
    for name in ("category", "code", "label", "for_all"):
        if name in data:
            setattr(instance, name, data[name])
    instance.category = instance.category or Category.NOT_READY
    team_id = team.pk if team else None
    if not (instance.code and instance.label):
        return next(lines for category, lines in lists_of(team_id) if category == instance.category)
    return list_after(instance, teams, team_id)


def _chosen(request: HttpRequest, user: User, teams: list[Team]) -> Reader | None:
    if login_id := request.GET.get("agent"):
        agent = visible_users(user).filter(pk=login_id).first()
        if agent is None:
            raise Http404
        return Reader(agent.get_full_name(), agent.team_id, agent.pk)
    if number := request.GET.get("team"):
        team = next((one for one in teams if str(one.pk) == number), None)
        if team is None:
            raise Http404
        return Reader(f"Agents of {team}", team.pk)
    return Reader(f"Agents of {teams[0]}", teams[0].pk) if teams else None


def _groups(user: User, teams: list[Team], reader: Reader | None) -> list[tuple[Team, list[User]]]:
    """The teams with their agents; where they are many, those of the chosen team alone."""
    agents = User.objects.filter(team__in=teams, is_active=True).order_by("first_name", "last_name")
    if agents.count() > MOST_AGENTS:
        agents = agents.filter(Q(team=reader.team_id) if reader else Q(pk=user.pk))
    of_team: dict[int | None, list[User]] = {}
    for agent in agents:
        of_team.setdefault(agent.team_id, []).append(agent)
    return [(team, of_team.get(team.pk, [])) for team in teams]
