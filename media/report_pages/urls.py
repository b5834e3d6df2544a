"""Paths of history and reports."""

from django.contrib import admin
from django.urls import path

from media.report_pages.views import agent_report, own_report, reports

urlpatterns = [
    path("admin/reports/", admin.site.admin_view(reports), name="reports"),
    path(
        "admin/reports/agent/<str:login_id>/",
        admin.site.admin_view(agent_report),
        name="agent-report",
    ),
    path("account/history/", own_report, name="own-report"),
]
