"""The operations of User and Team, for the description."""

from finesse.api.description import Callers, Operation
from finesse.api.errors import (
    AGENT_NOT_FOUND,
    AUTHORIZATION_FAILURE,
    INTERNAL_ERROR,
    INVALID_STATE,
    INVALID_SUPERVISOR,
    OTHER_USER,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    STATE_INVALID,
    STATE_MISSING,
    TEAM_NOT_FOUND,
    USER_NOT_FOUND,
)
from media.desktop import serializers, team_serializers

_THE_USER_AND_THOSE_ABOVE = Callers(
    text="The user of the path; supervisors of the user's team; administrators", example="1234"
)
GET_USER = Operation(
    summary="Read a user",
    page="User",
    callers=_THE_USER_AND_THOSE_ABOVE,
    answer=serializers.UserSerializer,
    errors=(OTHER_USER, INVALID_SUPERVISOR, USER_NOT_FOUND),
    notification=serializers.USER_NOTIFICATION,
)
PUT_USER = Operation(
    summary="Sign in to the desktop, change its state, sign out",
    page="User—Sign In to Finesse",
    callers=_THE_USER_AND_THOSE_ABOVE,
    text="Supervisors and administrators may send READY, NOT_READY and LOGOUT for other users, "
    "without a reason code: the server sets the system's code 999. LOGOUT signs the user out of "
    "all MRDs, too.",
    body=(serializers.UserSignInSerializer, serializers.UserChangeStateSerializer),
    status=202,
    errors=(
        OTHER_USER,
        INVALID_SUPERVISOR,
        USER_NOT_FOUND,
        STATE_MISSING,
        STATE_INVALID,
        PARAMETER_MISSING,
        PARAMETER_INVALID,
        INVALID_STATE,
        REASON_CODE_NOT_ALLOWED,
        REASON_CODE_REQUIRED,
        REASON_CODE_INVALID,
    ),
    notification=serializers.USER_NOTIFICATION,
    later=(INVALID_STATE, AGENT_NOT_FOUND, INTERNAL_ERROR),
)
GET_TEAM = Operation(
    summary="Read a team with its users",
    page="Team",
    callers=Callers(text="Supervisors of the team; administrators", example="2001"),
    answer=team_serializers.TeamSerializer,
    errors=(AUTHORIZATION_FAILURE, TEAM_NOT_FOUND),
    notification=team_serializers.TEAM_NOTIFICATION,
)
