"""Authentication without a check of the password. The difference shows what the check costs."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from finesse.api.authentication import parse_basic
from finesse.users import passwords
from finesse.users.models import User


class Believed(BaseAuthentication):
    """Reads the user of this name from the database, as the service does."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        user = passwords._read(_name(request))
        assert isinstance(user, User)
        return user, None


class Invented(BaseAuthentication):
    """Makes up a user of this name in team 1, without a read."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        return User(pk=_name(request), team_id=1), None


def _name(request: Request) -> str:
    given = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
    return given[0] if given else ""
