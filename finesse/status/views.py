"""/healthz and /readyz for people and load balancers, SystemInfo for Finesse clients."""

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from finesse import heartbeat, service_watch, wait_limit
from finesse.api.errors import as_finesse_error
from finesse.api.views import FinesseView
from finesse.status.description import GET_SYSTEM_INFO
from finesse.status.system_info import Status, represent

DOES_NOT_ANSWER = "does not answer"


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when in service, otherwise 503; the JSON says which part fails, and how."""
    parts = dict.fromkeys(["database", "cache", *heartbeat.parts()], "ok")
    seen = heartbeat.noted()
    parts |= (seen or heartbeat.read()).faults
    if seen is None and not service_watch.database_answers():
        parts["database"] = DOES_NOT_ANSWER
    is_healthy = set(parts.values()) == {"ok"}
    return JsonResponse(
        {"status": Status.IN_SERVICE if is_healthy else Status.OUT_OF_SERVICE, "parts": parts},
        status=200 if is_healthy else 503,
    )


@never_cache
@require_safe
def readyz_api(request: HttpRequest) -> JsonResponse:
    """200 if this server answers API calls by more than 503, otherwise 503: as /healthz."""
    return healthz(request)


@never_cache
@require_safe
def readyz_sockets(request: HttpRequest) -> JsonResponse:
    """200 if sockets can be opened at this server and get what is published, otherwise 503.

    They need the database alone: without workers there is nothing to publish, and the outage is
    published; without the channel layer the hub reads the log.
    """
    is_ready = wait_limit.DATABASE not in wait_limit.standing_still
    if heartbeat.noted() is None:
        is_ready = service_watch.database_answers()
    return JsonResponse(
        {"parts": {"database": "ok" if is_ready else DOES_NOT_ANSWER}},
        status=200 if is_ready else 503,
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The error page for HTML pages: 503 if a dependency is unavailable, as in the API, or 500."""
    error = sys.exc_info()[1]
    status = as_finesse_error(error).status_code if isinstance(error, Exception) else 500
    status = status if status == 503 else 500
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


class SystemInfo(FinesseView):
    """Readable without authentication and out of service, since clients read the status here."""

    needs_service = False
    authentication_classes = ()
    permission_classes = ()

    @GET_SYSTEM_INFO
    def get(self, request: Request) -> Response:
        host, port = _address(request)
        https_port = port if request.is_secure() else ""
        return Response({"SystemInfo": represent(host=host, https_port=https_port)})


def _address(request: Request) -> tuple[str, str]:
    """Host and port under which the client reaches this service. The host is empty if the client
    names one that this service does not know; it gets an answer nevertheless, as from the rest of
    the API."""
    try:
        host, port = split_domain_port(request.get_host())
    except DisallowedHost:
        return "", request.get_port()
    return host.strip("[]"), port or "443"
