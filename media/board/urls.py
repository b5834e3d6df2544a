"""Paths of the viewer's page and its data, of signing in and out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from media.board.limits import limits
from media.board.views import SignIn, board, reason_codes, session, viewer

urlpatterns = [
    path("", viewer, name="viewer"),
    path("board/", board, name="board"),
    path("board/reason-codes/", reason_codes, name="reason-codes"),
    path("board/session/", session, name="session"),
    path("board/limits/", limits, name="limits"),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
