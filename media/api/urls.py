"""Paths of Media, MediaDomain and Dialogs; with and without a trailing slash, no redirect."""

from django.urls import re_path

from media.api.views import DialogList, MediaDetail, MediaDomainDetail, MediaDomainList, MediaList

urlpatterns = [
    # What is asked for most comes first.
    re_path(r"^User/(?P<user_id>[^/]+)/Media/(?P<mrd_id>[^/]+)/?$", MediaDetail.as_view()),
    re_path(r"^User/(?P<user_id>[^/]+)/Media/?$", MediaList.as_view()),
    re_path(r"^User/(?P<user_id>[^/]+)/Dialogs/?$", DialogList.as_view()),
    re_path(r"^User/(?P<user_id>[^/]+)/Dialogs/Media/?$", DialogList.as_view()),
    re_path(r"^MediaDomain/?$", MediaDomainList.as_view()),
    re_path(r"^MediaDomain/(?P<mrd_id>[^/]+)/?$", MediaDomainDetail.as_view()),
]
