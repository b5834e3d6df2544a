"""Sign-in to the HTML pages, with the same password check and lock-out as the API."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from finesse.client_networks import origin_of_request
from finesse.users.models import User
from finesse.users.passwords import verify_password


class LockoutBackend(ModelBackend):
    """`authenticate` also finds a user who has to choose a new password, for the sign-in page to
    ask for it; a session of that user is nobody's until then."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        login_id = username or kwargs.get(User.USERNAME_FIELD)
        if not login_id or password is None or "\0" in login_id + password:
            return None
        origin = origin_of_request(request.META) if request else ""
        user = verify_password(login_id, password, origin)
        return user if isinstance(user, User) else None

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and user.may_sign_in
