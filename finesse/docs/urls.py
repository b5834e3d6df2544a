"""Paths of the description; with and without a trailing slash."""

from django.urls import re_path

from finesse.docs import views

urlpatterns = [
    re_path(r"^$", views.index, name="docs"),
    re_path(r"^openapi\.json$", views.openapi_json, name="docs-openapi-json"),
    re_path(r"^openapi\.yaml$", views.openapi_yaml, name="docs-openapi-yaml"),
    re_path(r"^finesse\.xsd$", views.xsd, name="docs-xsd"),
    re_path(r"^errors/?$", views.errors),
    re_path(r"^errors/(?P<name>\w+)/$", views.error, name="docs-error"),
    re_path(r"^errors/(?P<name>\w+)$", views.error),
]
