"""Paths of the Media resource; with and without a trailing slash, never a redirect."""

from django.urls import re_path

from media.views import MediaDetail, MediaList

urlpatterns = [
    re_path(r"^User/(?P<user_id>[^/]+)/Media/?$", MediaList.as_view()),
    re_path(r"^User/(?P<user_id>[^/]+)/Media/(?P<mrd_id>[^/]+)/?$", MediaDetail.as_view()),
]
