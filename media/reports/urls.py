"""Paths of the API of reports."""

from django.urls import path

from media.reports.api import Description, SignIns, Stays, Sums

urlpatterns = [
    path("reports/sums", Sums.as_view(), name="api-sums"),
    path("reports/stays", Stays.as_view(), name="api-stays"),
    path("reports/sign-ins", SignIns.as_view(), name="api-sign-ins"),
    path("openapi.json", Description.as_view(), name="api-description"),
]
