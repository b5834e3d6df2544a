"""The pages of history and reports, for supervisors and administrators; an agent's own, too."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finesse import wait_limit
from finesse.users.access_in_admin import signed_in
from finesse.users.models import User
from finesse.users.time_zones import zone_of
from media.report_pages import links
from media.report_pages.agent_report import AgentReport, report_on_agent
from media.report_pages.files import FORMATS, file_of
from media.report_pages.questions import STEPS, Question, plain_question, question_of
from media.report_pages.team_report import TeamReport, report_on
from media.report_pages.whose import MOST_AGENTS, whose
from media.reports.periods import RefusedError
from media.reports.scope import login_ids_in, scope_of

REPORT_SECONDS = 30.0
"""For which a page may wait for the database: more than others, as its reader expects."""


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Teams and reasons: how long, how often, and who was over a limit."""
    reader = signed_in(request)
    question, problem = _question(request)
    try:
        chosen = whose(reader, question.asked, question.period)
    except RefusedError as error:
        problem = problem or str(error)
        chosen = whose(reader, {}, question.period)
    with wait_limit.raised(REPORT_SECONDS):
        report = None if problem else report_on(reader, question, chosen)
    context: dict[str, Any] = {
        "title": "History and reports",
        "chosen": chosen,
        "step": question.step,
        "steps": STEPS,
        "shown": links.shown(question),
        "most_agents": MOST_AGENTS,
        "report": report,
        "all_stays": links.streamed(question, "api-stays", **chosen.parameters(reader)),
    }
    return _page(request, "report.html", question, problem, context)


@require_safe
def agent_report(request: HttpRequest, login_id: str) -> HttpResponse:
    """One agent's days, as far as the reader may see them."""
    scope = scope_of(signed_in(request))
    if login_id not in login_ids_in(scope):
        raise Http404
    return _agent_page(request, login_id)


@never_cache
@require_safe
@login_required
def own_report(request: HttpRequest) -> HttpResponse:
    """One's own days: for agents, who have no page of the administration."""
    return _agent_page(request, signed_in(request).pk)


def _agent_page(request: HttpRequest, login_id: str) -> HttpResponse:
    reader = signed_in(request)
    question, problem = _question(request)
    scope = scope_of(reader).asked(login_ids=[login_id])
    person = User.objects.filter(pk=login_id).first()
    is_file = "file" in request.GET
    with wait_limit.raised(REPORT_SECONDS):
        report = (
            None if problem else report_on_agent(reader, login_id, question, scope, whole=is_file)
        )
    context: dict[str, Any] = {
        "title": f"History of {person or login_id}",
        "is_about_one": True,
        "is_deleted": person is None,
        "report": report,
    }
    return _page(request, "agent.html", question, problem, context)


def _question(request: HttpRequest) -> tuple[Question, str]:
    """What is asked for, and what is wrong with it: then it is today."""
    now, zone = timezone.now(), zone_of(request)
    try:
        return question_of(request.GET.dict(), zone, now), ""
    except RefusedError as error:
        return plain_question(zone, now), str(error)


def _file(
    request: HttpRequest, report: TeamReport | AgentReport, question: Question
) -> HttpResponse:
    """One of the tables that the page shows."""
    tables = {table.name: table for table in report.tables()}
    table, extension = tables.get(request.GET.get("table", "")), request.GET["file"]
    if table is None or extension not in FORMATS:
        raise Http404
    return file_of(table, extension, question)


def _page(
    request: HttpRequest, name: str, question: Question, problem: str, context: dict[str, Any]
) -> HttpResponse:
    period, report = question.period, context["report"]
    if "file" in request.GET and report:
        return _file(request, report, question)
    runs_until = question.now.astimezone(question.zone) if period.end > question.now else None
    common = {
        **admin.site.each_context(request),
        "problem": problem,
        "presets": links.presets(question),
        "from": period.first_day.isoformat(),
        "to": period.last_day.isoformat(),
        "kept_with_days": links.kept(question, without=("period", "from", "to", "step")),
        "kept_with_filters": links.kept(question, without=("team", "agent", "mrd", "step")),
        "earlier": links.earlier(question),
        "later": links.later(question),
        "period_words": links.period_words(question),
        "zone_words": links.zone_words(question),
        "runs_until": f"{runs_until:%H:%M}" if runs_until else "",
        "formats": FORMATS,
        "this": links.address(question),
        "definitions": report.series.looks.definitions() if report else "",
    }
    status = 400 if problem else 200
    return TemplateResponse(request, f"admin/reports/{name}", common | context, status=status)
