"""/finesse/api/User/<id>, /finesse/api/Team/<id>, and the lists of both: desktop sign-in, and a
team's users."""

from typing import cast

from django.http import FileResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from finesse.api.errors import (
    AUTHORIZATION_FAILURE,
    INVALID_SUPERVISOR,
    OTHER_USER,
    REASON_CODE_NOT_ALLOWED,
    TEAM_NOT_FOUND,
    USER_NOT_FOUND,
)
from finesse.api.permissions import AdministratorsList
from finesse.api.responses import long_list
from finesse.api.views import FinesseView, request_id_of
from finesse.api.xml import identifier
from finesse.users.access import supervised_teams
from finesse.users.models import User
from media.api.parameters import read_reason_code, read_state, reason_code_id
from media.desktop import description
from media.desktop.parameters import read_extension, read_logout_all_media
from media.documents.user import (
    desktop_of,
    every_user,
    represent_team,
    represent_teams,
    represent_user,
    with_desktops,
)
from media.models import Cause
from media.states import USER_STATES, Requested, State
from media.writing.acceptance import accept, refuse, refuse_without_place
from media.writing.requests import new_request
from reasoncodes.models import Category, ReasonCode
from reasoncodes.system_codes import SUPERVISOR_INITIATED, system_code


class UserDetail(FinesseView):
    """One user [User]; sign-in, states and sign-out of the desktop."""

    @description.GET_USER
    def get(self, request: Request, user_id: str) -> Response:
        return Response({"User": represent_user(_find(cast(User, request.user), user_id))})

    @description.PUT_USER
    def put(self, request: Request, user_id: str) -> Response:
        """Answers 202; the outcome arrives as a User notification [User—Sign In to Finesse]."""
        caller = cast(User, request.user)
        user = _find(caller, user_id)
        children = self.document("User")
        requested = read_state(children, USER_STATES)
        is_own = user.pk == caller.pk
        if requested is Requested.LOGIN and not is_own:
            raise OTHER_USER(user=caller.pk)
        extension = read_extension(children) if requested is Requested.LOGIN else ""
        logout_all_media = read_logout_all_media(children, requested)
        if requested is Requested.LOGOUT and not is_own:
            requested = Requested.FORCED_LOGOUT
        state = State(desktop_of(user).state)
        refuse(requested, state, user.pk, None)
        if is_own:
            reason_code = read_reason_code(children, requested, user)
            refuse_without_place(user, requested, reason_code)
        elif reason_code_id(children):
            raise REASON_CODE_NOT_ALLOWED()
        else:
            reason_code = _of_supervisors(requested)
        accept(
            [
                new_request(
                    user.pk,
                    None,
                    requested,
                    reason_code=reason_code,
                    extension=extension,
                    logout_all_media=logout_all_media,
                    request_id=request_id_of(request),
                    cause=Cause.SELF if is_own else Cause.SUPERVISOR,
                    actor=caller.pk,
                )
            ]
        )
        return Response(status=202)


class UserList(FinesseView):
    """All users, for administrators [User—Get List]."""

    permission_classes = (IsAuthenticated, AdministratorsList)

    @description.GET_USERS
    def get(self, request: Request) -> FileResponse:
        return long_list("Users", "User", map(represent_user, every_user()))


class TeamList(FinesseView):
    """All teams, for administrators. No page about it was found: our reading."""

    permission_classes = (IsAuthenticated, AdministratorsList)

    @description.GET_TEAMS
    def get(self, request: Request) -> Response:
        return Response({"Teams": {"Team": represent_teams()}})


class TeamDetail(FinesseView):
    """One team with its users, for its supervisors and administrators [Team]."""

    @description.GET_TEAM
    def get(self, request: Request, team_id: str) -> Response:
        caller, pk = cast(User, request.user), identifier(team_id)
        team = supervised_teams(caller).filter(pk=pk).first()
        if team is not None:
            return Response({"Team": represent_team(team)})
        if caller.is_superuser:
            raise TEAM_NOT_FOUND(team=team_id)
        # Also for a team that does not exist, so that callers cannot find out which do.
        raise AUTHORIZATION_FAILURE(user=caller.pk)


def _find(caller: User, login_id: str) -> User:
    """The user of the path. Callers may see themselves and the members of teams that they
    supervise, administrators everybody. Raises FinesseError 401 or `User Not Found`."""
    users = with_desktops(User.objects.filter(pk=login_id))
    if caller.pk == login_id or caller.is_superuser:
        user = users.first()
        if user is None:
            raise USER_NOT_FOUND(user=login_id)
        return user
    if not caller.is_supervisor:
        raise OTHER_USER(user=caller.pk)
    user = users.filter(team__in=supervised_teams(caller)).first()
    if user is None:
        raise INVALID_SUPERVISOR(user=login_id)
    return user


def _of_supervisors(requested: Requested) -> ReasonCode | None:
    """The system's reason code for a change by a supervisor; None for states without reasons."""
    categories = {
        Requested.NOT_READY: Category.NOT_READY,
        Requested.FORCED_LOGOUT: Category.LOGOUT,
    }
    if requested not in categories:
        return None
    return system_code(categories[requested], SUPERVISOR_INITIATED)
