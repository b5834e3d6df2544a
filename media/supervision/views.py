"""The addresses that the board's scripts call: actions, their outcomes, what waits, and why.

They answer JSON. A refusal has a status, and `{"error": "…"}` in words for people.
"""

from collections.abc import Callable
from datetime import tzinfo
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from finesse.users.access import managed_users, visible_users
from finesse.users.models import User
from finesse.users.time_zones import zone_of_name
from media.breaks.queues import reasons_with_queue
from media.states import Requested
from media.supervision.acting import act
from media.supervision.answers import action_as_json, waiting_as_json
from media.supervision.asking import AskingError, read_action, read_json, read_subjects
from media.supervision.explaining import why_not
from media.supervision.own_changes import wait_for_turn
from media.supervision.reasons import offered
from media.supervision.undoing import undo
from media.supervision.waiting import cancel, visible_to
from media.supervision_tables import SupervisorAction

View = Callable[..., HttpResponse]


def _answers_json(view: View) -> View:
    """Refuses who is not signed in, and answers an AskingError with its status."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated or not request.user.may_sign_in:
            return JsonResponse({"error": "Sign in again"}, status=401)
        try:
            return view(request, *args, **kwargs)
        except AskingError as error:
            return JsonResponse({"error": str(error)}, status=error.status)

    return answer


def _for_supervisors(view: View) -> View:
    @_answers_json
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _user(request).is_staff:
            raise AskingError("Only supervisors and administrators can do this", 403)
        return view(request, *args, **kwargs)

    return answer


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


@require_POST
@_for_supervisors
def actions(request: HttpRequest) -> HttpResponse:
    """Do something to the states of one agent or of many: 202, with what each row comes to."""
    asked = read_action(read_json(request))
    return JsonResponse(action_as_json(act(asked, _user(request))), status=202)


@require_safe
@_for_supervisors
def action(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The outcomes, as far as there are any; of one's own actions."""
    found = SupervisorAction.objects.filter(pk=action_id, actor=_user(request).pk).first()
    if found is None:
        raise AskingError("You have done no such action", 404)
    return JsonResponse(action_as_json(found))


@require_POST
@_for_supervisors
def undo_action(request: HttpRequest, action_id: UUID) -> HttpResponse:
    return JsonResponse(action_as_json(undo(action_id, _user(request))))


@require_POST
@_for_supervisors
def choices(request: HttpRequest) -> HttpResponse:
    """The reasons that there are for the agents of these rows, and who lacks which."""
    wanted = {one.login_id for one in read_subjects(read_json(request))}
    agents = [*managed_users(_user(request)).filter(pk__in=wanted).distinct()]
    queued = reasons_with_queue({agent.team_id for agent in agents})
    reasons = {
        name: [
            {
                "id": code.pk,
                "code": code.code,
                "label": code.label,
                "missing": missing,
                "hasQueue": code.pk in queued,
            }
            for code, missing in offered(agents, requested)
        ]
        for name, requested in (
            ("NOT_READY", Requested.NOT_READY),
            ("LOGOUT", Requested.FORCED_LOGOUT),
        )
    }
    return JsonResponse({"agents": len(agents), "reasons": reasons})


@require_safe
@_answers_json
def why(request: HttpRequest, login_id: str) -> HttpResponse:
    """Why an agent gets nothing: a sentence for each MRD and one for the desktop."""
    # PostgreSQL cannot compare text with a NUL, and no login id contains one.
    asked = "" if "\0" in login_id else login_id
    agent = visible_users(_user(request)).filter(pk=asked).first()
    if agent is None:
        raise AskingError("Not an agent of your teams", 404)
    return JsonResponse({"sentences": why_not(agent, _zone(request.GET.get("zone", "")))})


@require_http_methods(["GET", "HEAD", "POST"])
@_answers_json
def waiting(request: HttpRequest) -> HttpResponse:
    """The changes that wait: the own ones, and those of own agents.

    POST lets one of one's own wait, in the place of the one before: 202.
    """
    if request.method == "POST":
        made = wait_for_turn(_user(request), read_json(request))
        return JsonResponse({"waiting": waiting_as_json([made])}, status=202)
    return JsonResponse({"waiting": waiting_as_json(visible_to(_user(request)))})


@require_POST
@_answers_json
def cancel_waiting(request: HttpRequest, waiting_id: int) -> HttpResponse:
    cancelled = cancel(waiting_id, _user(request))
    return JsonResponse({"waiting": waiting_as_json([cancelled])})


def _zone(name: str) -> tzinfo:
    """The reader's time zone, by the name that browsers give; else that of all pages."""
    return zone_of_name(name) or timezone.get_current_timezone()
