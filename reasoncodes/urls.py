"""Paths of the ReasonCode resource; with and without a trailing slash, never a redirect."""

from django.urls import re_path

from reasoncodes.views import (
    ReasonCodeCollection,
    ReasonCodeDetail,
    ReasonCodeList,
    TeamReasonCodeList,
    TeamResourceReasonCodeList,
    UserReasonCodeDetail,
    UserReasonCodeList,
)

urlpatterns = [
    re_path(r"^ReasonCode/?$", ReasonCodeCollection.as_view()),
    re_path(r"^ReasonCode/(?P<reason_code_id>[^/]+)/?$", ReasonCodeDetail.as_view()),
    re_path(r"^ReasonCodes/?$", ReasonCodeList.as_view()),
    re_path(r"^User/(?P<user_id>[^/]+)/ReasonCodes/?$", UserReasonCodeList.as_view()),
    re_path(
        r"^User/(?P<user_id>[^/]+)/ReasonCode/(?P<reason_code_id>[^/]+)/?$",
        UserReasonCodeDetail.as_view(),
    ),
    re_path(r"^Team/(?P<team_id>[^/]+)/ReasonCodes/?$", TeamReasonCodeList.as_view()),
    re_path(
        r"^TeamResource/(?P<team_id>[^/]+)/ReasonCodes/?$", TeamResourceReasonCodeList.as_view()
    ),
]
