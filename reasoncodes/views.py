"""Reason codes: their configuration by administrators, and the choice that agents have.

Agents' lists have labels in the language that is asked for. The configuration has them as they were
written: clients send the whole object back, and a translation would become the label.
"""

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
from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from reasoncodes import configuration, description
from reasoncodes.changes import Way
from reasoncodes.documents import represent, represent_list
from reasoncodes.languages import asked_for
from reasoncodes.models import ReasonCode
from reasoncodes.parameters import ALL, read_category, read_changes, read_new, read_references
from reasoncodes.selection import listed_for


class ReasonCodeCollection(FinesseView):
    """Finds a reason code by category and code [ReasonCodeLookup], and adds one [ReasonCode]."""

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
        """Answers 200 with the new object's Location, as documented, not 201."""
        reason_code = read_new(self.document("ReasonCode"))
        with configuration.exclusive(cast(User, request.user), Way.API):
            configuration.save(reason_code)
            # Before the commit: a request with a refused Host must save nothing.
            location = request.build_absolute_uri(reason_code.uri)
        return Response(headers={"Location": location})


class ReasonCodeDetail(FinesseView):
    """One reason code, which may be a system code [ReasonCode]."""

    permission_classes = (IsAuthenticated, AdministratorsChange)

    @description.GET_REASON_CODE
    def get(self, request: Request, reason_code_id: str) -> Response:
        return Response({"ReasonCode": represent(configuration.find(reason_code_id))})

    @description.PUT_REASON_CODE
    def put(self, request: Request, reason_code_id: str) -> Response:
        # Looked up twice: a 404 comes before errors of the body, and a client that sends its body
        # slowly must not hold up the lock.
        configuration.find_changeable(reason_code_id)
        children = self.document("ReasonCode")
        with configuration.exclusive(cast(User, request.user), Way.API):
            reason_code = configuration.find_changeable(reason_code_id)
            read_changes(children, reason_code)
            configuration.save(reason_code)
        return Response()

    @description.DELETE_REASON_CODE
    def delete(self, request: Request, reason_code_id: str) -> Response:
        configuration.remove(reason_code_id, cast(User, request.user))
        return Response()


class ReasonCodeList(FinesseView):
    """All reason codes of a category or of both, system codes included [ReasonCode—Get List]."""

    permission_classes = (IsAuthenticated, AdministratorsOnly)

    @description.GET_REASON_CODES
    def get(self, request: Request) -> Response:
        category = read_category(request, ALL)
        reason_codes = ReasonCode.objects.not_retired()
        if category != ALL:
            reason_codes = reason_codes.filter(category=category)
        return Response(represent_list(reason_codes, category))


class UserReasonCodeList(FinesseView):
    """The reason codes that a user may choose [User—Get Reason Code List]."""

    permission_classes = (IsAuthenticated, OwnObjectsOrAdministrator)

    @description.GET_REASON_CODES_OF_USER
    def get(self, request: Request, user_id: str) -> Response:
        user = _user_of(request, user_id)
        category = read_category(request)
        languages = asked_for(request.META)
        reason_codes = listed_for(user, category, translated=bool(languages))
        return Response(represent_list(reason_codes, category, languages))


class UserReasonCodeDetail(FinesseView):
    """One reason code that a user may choose [User—Get Reason Code]."""

    permission_classes = (IsAuthenticated, OwnObjectsOrAdministrator)

    @description.GET_REASON_CODE_OF_USER
    def get(self, request: Request, user_id: str, reason_code_id: str) -> Response:
        offered = ReasonCode.objects.offered_to(_user_of(request, user_id).team_id)
        reason_code = offered.filter(pk=identifier(reason_code_id)).first()
        if reason_code is None:
            raise REASON_CODE_NOT_FOUND(id=reason_code_id)
        return Response({"ReasonCode": represent(reason_code, asked_for(request.META))})


class TeamReasonCodeList(FinesseView):
    """The reason codes that are assigned to a team, for administrators [Team]."""

    permission_classes = (IsAuthenticated, AdministratorsOnly)

    @description.GET_REASON_CODES_OF_TEAM
    def get(self, request: Request, team_id: str) -> Response:
        team = configuration.find_team(team_id)
        category = read_category(request)
        reason_codes = ReasonCode.objects.assigned_to(team, category).in_order()
        return Response(represent_list(reason_codes, category))

    @description.PUT_REASON_CODES_OF_TEAM
    def put(self, request: Request, team_id: str) -> Response:
        """Replaces the team's reason codes of the category; an empty list removes them."""
        configuration.find_team(team_id)
        category = read_category(request)
        children = self.document("ReasonCodes")
        body: Any = request.data
        if body["ReasonCodes"] and not children:
            raise BAD_REQUEST(reason="The list must contain <ReasonCode> elements")
        configuration.assign(team_id, category, read_references(children), cast(User, request.user))
        return Response()


class TeamResourceReasonCodeList(FinesseView):
    """The reason codes that members of a team may choose [TeamResource].

    It replaces the list of each user. Members, their supervisors and administrators may read it.
    """

    @description.GET_REASON_CODES_FOR_TEAM
    def get(self, request: Request, team_id: str) -> Response:
        team = _readable_team(cast(User, request.user), team_id)
        category = read_category(request)
        offered = ReasonCode.objects.offered_to(team.pk).filter(category=category).in_order()
        return Response(represent_list(offered, category, asked_for(request.META)))


def _user_of(request: Request, login_id: str) -> User:
    """The user of the path, after the permissions. Raises FinesseError `User Not Found`."""
    if login_id == request.user.pk:
        return request.user
    user = User.objects.filter(pk=login_id).first()
    if user is None:
        raise USER_NOT_FOUND(user=login_id)
    return user


def _readable_team(caller: User, text: str) -> Team:
    """Raises the same FinesseError 401 for other teams and for unknown ones, so that callers cannot
    find out which exist. Administrators get `Not Found`."""
    team = Team.objects.filter(pk=identifier(text)).first()
    if caller.is_superuser:
        if team is None:
            raise TEAM_NOT_FOUND(team=text)
        return team
    if team is not None:
        if caller.team_id == team.pk:
            return team
        if supervised_teams(caller).filter(pk=team.pk).exists():
            return team
    raise AUTHORIZATION_FAILURE(user=caller.pk)
