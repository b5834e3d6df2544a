"""Paths of the pages for one's own account."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from finesse.users.views import ChangePassword, ChoosePassword, account, open_link

urlpatterns = [
    path("account/", account, name="account"),
    path("password/", login_required(ChangePassword.as_view()), name="password"),
    path("password/choose/", ChoosePassword.as_view(), name="choose-password"),
    path("sign-in/<str:named>/<str:token>/", open_link, name="sign-in-link"),
]
