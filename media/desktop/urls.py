"""Paths of User and Team; with and without a trailing slash, no redirect."""

from django.urls import re_path

from media.desktop.views import TeamDetail, UserDetail

urlpatterns = [
    re_path(r"^User/(?P<user_id>[^/]+)/?$", UserDetail.as_view()),
    re_path(r"^Team/(?P<team_id>[^/]+)/?$", TeamDetail.as_view()),
]
