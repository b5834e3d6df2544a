"""Paths of the data of the agent's own page, which is a part of the viewer's page."""

from django.urls import path

from media.own_page.views import outcome, own_page

urlpatterns = [
    path("own-page/", own_page, name="own-page"),
    path("own-page/outcome/", outcome, name="own-page-outcome"),
]
