"""One-time sign-in links, for users who have no password or have forgotten it.

An administrator gives them out; who opens one chooses a password and is signed in. They are
Django's tokens for resetting passwords, and void once the password has changed, the user has signed
in in a browser, or all sign-ins of the user were ended.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from finesse.users.models import User


class _Tokens(PasswordResetTokenGenerator):
    def __init__(self, user: User) -> None:
        super().__init__()
        self.key_salt = f"finesse.users.sign_in_links {user.get_session_auth_hash()}"


def token_of(user: User) -> str:
    return _Tokens(user).make_token(user)


def user_of(login_id: str, token: str) -> User | None:
    """The user whose token it is; None if it is void, or the user is not active."""
    user = User.objects.filter(pk=login_id, is_active=True).first()
    return user if user and _Tokens(user).check_token(user, token) else None


def link_of(user: User, request: HttpRequest) -> str:
    """The address, by the name under which this request has come."""
    named = urlsafe_base64_encode(user.pk.encode())
    return request.build_absolute_uri(reverse("sign-in-link", args=[named, token_of(user)]))


def login_id_of(named: str) -> str:
    """Of the user whom a link names; empty if it names nobody."""
    try:
        login_id = urlsafe_base64_decode(named).decode()
    except ValueError:
        return ""
    return "" if "\0" in login_id else login_id


def valid_until() -> datetime:
    """The end of a link that is made now."""
    return timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
