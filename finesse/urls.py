"""The paths of the whole service."""

from collections.abc import Callable

from django.contrib import admin
from django.http.response import HttpResponseBase
from django.urls import include, path, re_path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from finesse.api.views import UnknownResource
from finesse.metrics.views import metrics
from finesse.status.views import SystemInfo, healthz, readyz_api, readyz_sockets
from finesse.xmpp.views import password

handler500 = "finesse.status.views.server_error"


def _leads_to(page: str) -> Callable[..., HttpResponseBase]:
    """The way from an address as people type it to the page that they mean."""
    return require_safe(RedirectView.as_view(pattern_name=page, query_string=True))


urlpatterns = [
    # What is asked for most comes first.
    path("finesse/api/", include("media.api.urls")),
    path("finesse/api/", include("media.desktop.urls")),
    path("finesse/api/", include("reasoncodes.urls")),
    re_path(r"^finesse/api/SystemInfo/?$", SystemInfo.as_view()),
    # Whatever else begins so, line breaks included.
    re_path(r"^finesse/api/", UnknownResource.as_view()),
    path("finesse/xmpp/password", password),
    path("finesse-media/api/", include("media.reports.urls")),
    path("finesse/docs/", include("finesse.docs.urls")),
    path("finesse/docs", _leads_to("docs")),
    path("finesse/", _leads_to("viewer")),
    path("finesse", _leads_to("viewer")),
    path("", include("media.board.urls")),
    path("supervision/", include("media.supervision.urls")),
    path("", include("media.own_page.urls")),
    path("", include("finesse.users.urls")),
    path("", include("media.report_pages.urls")),
    path("board", _leads_to("viewer")),
    path("login", _leads_to("login")),
    path("account", _leads_to("account")),
    path("password", _leads_to("password")),
    path("admin", _leads_to("admin:index")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("healthz/", _leads_to("healthz")),
    path("readyz/api", readyz_api),
    path("readyz/sockets", readyz_sockets),
    path("metrics", metrics),
]
