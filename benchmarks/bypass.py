"""Who asks, without asking whether that is true: what authentication costs is the difference."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from finesse.api.authentication import parse_basic
from finesse.users import passwords
from finesse.users.models import User


class Believed(BaseAuthentication):
    """The user of the name, read from the database as the service does: the views work with it."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        user = passwords._read(_name(request))
        assert isinstance(user, User)
        return user, None


class Invented(BaseAuthentication):
    """A user of that name in team 1, whether or not there is one."""

    def authenticate(self, request: Request) -> tuple[User, None]:
        return User(pk=_name(request), team_id=1), None


def _name(request: Request) -> str:
    given = parse_basic(request.META.get("HTTP_AUTHORIZATION", ""))
    return given[0] if given else ""
