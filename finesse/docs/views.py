"""The pages of the description. They are public and read-only, also while out of service."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from finesse.api.errors import TABLE
from finesse.docs import allowed_requests, page_contents
from finesse.docs.explanations import EXPLANATIONS, REASON_CODE_RULES, Topic
from finesse.docs.general_texts import GENERAL_RULES, SUMMARY
from finesse.docs.openapi_document import as_json, as_yaml
from finesse.docs.xml_schema import xml_schema
from finesse.users.models import User

_BY_CONSTANT = {
    message: name
    for name, row in TABLE.items()
    for message in (row.message, row.later_message)
    if message.isupper()
}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All resources, notifications and errors on one page."""
    base = f"{request.scheme}://{request.get_host()}"
    password = settings.FINESSE_DEMO_PASSWORD if settings.FINESSE_DEMO else ""
    context = {
        "summary": SUMMARY,
        # Every second part stands between backticks.
        "general_rules": [rule.split("`") for rule in GENERAL_RULES],
        "resources": [
            (
                resource,
                [(one, page_contents.curl(one, base, password)) for one in resource.operations],
            )
            for resource in page_contents.resources()
        ],
        "notifications": page_contents.notifications(),
        "error_update": page_contents.notification_form("AGENT_NOT_LOGGED_IN"),
        "socket": base.replace("http", "ws", 1) + "/ws/notifications/",
        "errors": page_contents.errors(),
    }
    return render(request, "docs/index.html", context)


@require_safe
@never_cache
def error(request: HttpRequest, name: str) -> HttpResponse:
    """The meaning of an error and the requests that are allowed instead.

    `name` is the name of its row in the error table, or its constant.
    """
    if name in _BY_CONSTANT:
        return redirect("docs-error", _BY_CONSTANT[name])
    if name not in TABLE:
        raise Http404
    topics = EXPLANATIONS[name].topics
    context = {
        "error": next(one for one in page_contents.errors() if one.name == name),
        "http_form": page_contents.http_form(name),
        "media_is_optional": page_contents.media_is_optional(name),
        "notification_form": page_contents.notification_form(name),
        "answering": page_contents.operations_with(name),
        "failing_later": page_contents.operations_failing_later(name),
        "media_states": allowed_requests.rules_of_media() if Topic.MEDIA_STATES in topics else [],
        "desktop_states": (
            allowed_requests.rules_of_desktops() if Topic.DESKTOP_STATES in topics else []
        ),
        "rules": REASON_CODE_RULES if Topic.REASON_CODES in topics else (),
        # A page without personal content does not look for a session.
        "personal": bool(topics),
    }
    # Users see their own states and reason codes only.
    if topics and request.user.is_authenticated:
        context |= _own(request.user, topics)
    return render(request, "docs/error.html", context)


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    return redirect(reverse("docs") + "#errors")


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    return HttpResponse(as_json(), content_type="application/json")


@require_safe
def openapi_yaml(request: HttpRequest) -> HttpResponse:
    return HttpResponse(as_yaml(), content_type="application/yaml")


@require_safe
def xsd(request: HttpRequest) -> HttpResponse:
    return HttpResponse(xml_schema(), content_type="application/xml")


def _own(user: User, topics: tuple[Topic, ...]) -> dict[str, Any]:
    own: dict[str, Any] = {"person": user}
    if Topic.MEDIA_STATES in topics or Topic.DESKTOP_STATES in topics:
        media = allowed_requests.current_media(user) if Topic.MEDIA_STATES in topics else []
        desktop = [allowed_requests.current_desktop(user)] if Topic.DESKTOP_STATES in topics else []
        own["now"] = [*media, *desktop]
    if Topic.REASON_CODES in topics:
        own["choices"] = allowed_requests.reason_code_choices(user)
    return own
