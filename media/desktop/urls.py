"""Paths of User and Team; with and without a trailing slash, no redirect."""

from django.urls import re_path

from media.desktop import empty_lists
from media.desktop.views import TeamDetail, TeamList, UserDetail, UserList

_OF_USER = r"^User/(?P<user_id>[^/]+)/"

urlpatterns = [
    re_path(r"^User/(?P<user_id>[^/]+)/?$", UserDetail.as_view()),
    re_path(r"^Users/?$", UserList.as_view()),
    re_path(r"^Team/(?P<team_id>[^/]+)/?$", TeamDetail.as_view()),
    re_path(r"^Teams/?$", TeamList.as_view()),
    re_path(rf"{_OF_USER}Queues/?$", empty_lists.QueueList.as_view()),
    re_path(rf"{_OF_USER}WrapUpReasons/?$", empty_lists.WrapUpReasonList.as_view()),
    re_path(rf"{_OF_USER}PhoneBooks/?$", empty_lists.PhoneBookList.as_view()),
    re_path(
        rf"{_OF_USER}MediaPropertiesLayouts/?$", empty_lists.MediaPropertiesLayoutList.as_view()
    ),
    re_path(rf"{_OF_USER}ClientLog/?$", empty_lists.ClientLog.as_view()),
]
