"""ReasonCode: the configuration for administrators, and what agents may choose."""

import re
from typing import Any, cast

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from finesse.api.errors import (
    AUTHORIZATION_FAILURE,
    BAD_REQUEST,
    REASON_CODE_NOT_FOUND,
    TEAM_NOT_FOUND,
    USER_NOT_FOUND,
)
from finesse.api.permissions import (
    AdministratorsChange,
    AdministratorsOnly,
    OwnObjectsOrAdministrator,
)
from finesse.api.views import FinesseView
from finesse.api.xml import identifier
from finesse.users.models import Team, User
from reasoncodes import configuration, description
from reasoncodes.documents import represent, represent_list
from reasoncodes.models import ReasonCode
from reasoncodes.parameters import ALL, read_category, read_changes, read_new, read_references
from reasoncodes.selection import selectable_by


class ReasonCodeCollection(FinesseView):
    """Looking one up by what reports show, and adding one [ReasonCodeLookup], [ReasonCode]."""

    permission_classes = (IsAuthenticated, AdministratorsChange)

    @description.FIND_REASON_CODE
    def get(self, request: Request) -> Response:
        category = read_category(request)
        code = request.query_params.get("code", "")
        if not re.fullmatch(r"[0-9]{1,10}", code):
            raise BAD_REQUEST(reason="The code must be a number")
        reason_codes = ReasonCode.objects.not_retired()
        reason_code = reason_codes.filter(category=category, code=int(code)).first()
        if reason_code is None:
            raise REASON_CODE_NOT_FOUND(id=code)
        return Response({"ReasonCode": represent(reason_code)})

    @description.POST_REASON_CODE
    def post(self, request: Request) -> Response:
        """200 with the new object's address, as documented: no 201."""
        reason_code = read_new(self.document("ReasonCode"))
        with configuration.exclusive():
            configuration.save(reason_code)
            # Before the commit: a Host that is refused must leave nothing behind.
            location = request.build_absolute_uri(reason_code.uri)
        return Response(headers={"Location": location})


class ReasonCodeDetail(FinesseView):
    """One reason code, a system code, too [ReasonCode]."""

    permission_classes = (IsAuthenticated, AdministratorsChange)

    @description.GET_REASON_CODE
    def get(self, request: Request, reason_code_id: str) -> Response:
        return Response({"ReasonCode": represent(configuration.find(reason_code_id))})

    @description.PUT_REASON_CODE
    def put(self, request: Request, reason_code_id: str) -> Response:
        # Found twice: 404 comes before what is wrong with the body, and the lock must not wait for
        # a client that sends its body slowly.
        configuration.find_changeable(reason_code_id)
        children = self.document("ReasonCode")
        with configuration.exclusive():
            reason_code = configuration.find_changeable(reason_code_id)
            read_changes(children, reason_code)
            configuration.save(reason_code)
        return Response()

    @description.DELETE_REASON_CODE
    def delete(self, request: Request, reason_code_id: str) -> Response:
        configuration.remove(reason_code_id)
        return Response()


class ReasonCodeList(FinesseView):
    """All of a category or of both, with the system's [ReasonCode—Get List]."""

    permission_classes = (IsAuthenticated, AdministratorsOnly)

    @description.GET_REASON_CODES
    def get(self, request: Request) -> Response:
        category = read_category(request, ALL)
        reason_codes = ReasonCode.objects.not_retired()
        if category != ALL:
            reason_codes = reason_codes.filter(category=category)
        return Response(represent_list(reason_codes, category))


class UserReasonCodeList(FinesseView):
    """What a user may choose [User—Get Reason Code List]."""

    permission_classes = (IsAuthenticated, OwnObjectsOrAdministrator)

    @description.GET_REASON_CODES_OF_USER
    def get(self, request: Request, user_id: str) -> Response:
        user = _user_of(request, user_id)
        category = read_category(request)
        reason_codes = selectable_by(user, category)
        return Response(represent_list(reason_codes, category))


class UserReasonCodeDetail(FinesseView):
    """One that a user may choose [User—Get Reason Code]."""

    permission_classes = (IsAuthenticated, OwnObjectsOrAdministrator)

    @description.GET_REASON_CODE_OF_USER
    def get(self, request: Request, user_id: str, reason_code_id: str) -> Response:
        offered = ReasonCode.objects.offered_to(_user_of(request, user_id).team_id)
        reason_code = offered.filter(pk=identifier(reason_code_id)).first()
        if reason_code is None:
            raise REASON_CODE_NOT_FOUND(id=reason_code_id)
        return Response({"ReasonCode": represent(reason_code)})


class TeamReasonCodeList(FinesseView):
    """Which reason codes are a team's own, for administrators [Team]."""

    permission_classes = (IsAuthenticated, AdministratorsOnly)

    @description.GET_REASON_CODES_OF_TEAM
    def get(self, request: Request, team_id: str) -> Response:
        team = configuration.find_team(team_id)
        category = read_category(request)
        reason_codes = ReasonCode.objects.assigned_to(team, category)
        return Response(represent_list(reason_codes, category))

    @description.PUT_REASON_CODES_OF_TEAM
    def put(self, request: Request, team_id: str) -> Response:
        """The list replaces the team's own of the category; an empty one leaves it none."""
        configuration.find_team(team_id)
        category = read_category(request)
        children = self.document("ReasonCodes")
        body: Any = request.data
        if body["ReasonCodes"] and not children:
            raise BAD_REQUEST(reason="The list must hold <ReasonCode> elements")
        configuration.assign(team_id, category, read_references(children))
        return Response()


class TeamResourceReasonCodeList(FinesseView):
    """What the members of a team may choose: the successor of the users' own list [TeamResource].

    For the members, their supervisors and administrators.
    """

    @description.GET_REASON_CODES_FOR_TEAM
    def get(self, request: Request, team_id: str) -> Response:
        team = _readable_team(cast(User, request.user), team_id)
        category = read_category(request)
        reason_codes = ReasonCode.objects.offered_to(team.pk).filter(category=category)
        return Response(represent_list(reason_codes, category))


def _user_of(request: Request, login_id: str) -> User:
    """The user of the path, whom the caller may see. Raises FinesseError `User Not Found`."""
    if login_id == request.user.pk:
        return request.user
    user = User.objects.filter(pk=login_id).first()
    if user is None:
        raise USER_NOT_FOUND(user=login_id)
    return user


def _readable_team(caller: User, text: str) -> Team:
    """Raises FinesseError 401 alike for another team and for none: nobody learns which exist."""
    team = Team.objects.filter(pk=identifier(text)).first()
    if caller.is_superuser:
        if team is None:
            raise TEAM_NOT_FOUND(team=text)
        return team
    if team is not None:
        if caller.team_id == team.pk:
            return team
        if caller.supervises().filter(pk=team.pk).exists():
            return team
    raise AUTHORIZATION_FAILURE(user=caller.pk)
