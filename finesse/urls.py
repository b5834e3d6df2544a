"""Where everything is."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from finesse.api.views import UnknownResource
from finesse.status.views import SystemInfo, healthz
from finesse.xmpp.views import password

handler500 = "finesse.status.views.server_error"

urlpatterns = [
    # What is asked for most comes first.
    path("finesse/api/", include("media.api.urls")),
    path("finesse/api/", include("media.desktop.urls")),
    path("finesse/api/", include("reasoncodes.urls")),
    re_path(r"^finesse/api/SystemInfo/?$", SystemInfo.as_view()),
    # Whatever else begins so, line breaks included.
    re_path(r"^finesse/api/", UnknownResource.as_view()),
    path("finesse/xmpp/password", password),
    path("finesse/docs/", include("finesse.docs.urls")),
    re_path(r"^finesse/docs$", RedirectView.as_view(pattern_name="docs")),
    path("", include("media.board.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
]
