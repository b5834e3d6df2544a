"""`/metrics`, for Prometheus. It says much of an installation, so strangers get nothing."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from finesse.local_requests import is_local_request, wsgi_headers
from finesse.metrics.exposition import exposition

_PLAIN = "text/plain; charset=utf-8"
_FOR_THIS_MACHINE = (
    "Metrics are for this machine alone: ask for them directly, by 127.0.0.1 or localhost, or set "
    "FINESSE_METRICS_TOKEN (docs/settings.md).\n"
)
_FOR_THE_TOKEN = "Metrics need the token.\n"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics; 401 without the token where one is set, 403 for other machines where none is."""
    if settings.FINESSE_METRICS_TOKEN:
        if not _has_token(request):
            headers = {"WWW-Authenticate": 'Bearer realm="Finesse metrics"'}
            return HttpResponse(_FOR_THE_TOKEN, _PLAIN, status=401, headers=headers)
    elif not is_local_request(request.META.get("REMOTE_ADDR", ""), wsgi_headers(request.META)):
        return HttpResponse(_FOR_THIS_MACHINE, _PLAIN, status=403)
    return HttpResponse(exposition(), CONTENT_TYPE_PLAIN_0_0_4)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(
        token.strip(), settings.FINESSE_METRICS_TOKEN
    )
