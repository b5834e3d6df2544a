"""/healthz for load balancers and people, SystemInfo for Finesse clients."""

import sys

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import split_domain_port
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from finesse import heartbeat
from finesse.api.errors import as_finesse_error
from finesse.api.views import FinesseView
from finesse.status.description import GET_SYSTEM_INFO
from finesse.status.system_info import Status, represent


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when in service, 503 when not; the JSON says which part is down and how."""
    parts = dict.fromkeys(["database", "cache", *heartbeat.parts()], "ok")
    parts |= heartbeat.faults()
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        parts["database"] = "does not answer"
    sound = set(parts.values()) == {"ok"}
    return JsonResponse(
        {"status": Status.IN_SERVICE if sound else Status.OUT_OF_SERVICE, "parts": parts},
        status=200 if sound else 503,
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what a page failed at: 503 if a dependency is away, as in the API."""
    error = sys.exc_info()[1]
    away = isinstance(error, Exception) and as_finesse_error(error).status_code == 503
    status = 503 if away else 500
    return HttpResponse(render_to_string(f"{status}.html"), status=status)


class SystemInfo(FinesseView):
    """Readable without authentication and out of service: it is how clients learn the status."""

    needs_service = False
    authentication_classes = ()
    permission_classes = ()

    @GET_SYSTEM_INFO
    def get(self, request: Request) -> Response:
        host, port = split_domain_port(request.get_host())
        https_port = (port or "443") if request.is_secure() else ""
        return Response({"SystemInfo": represent(host=host.strip("[]"), https_port=https_port)})
