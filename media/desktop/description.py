"""The operations of User and Team, for the description."""

from finesse.api.description import (
    ADMINISTRATORS,
    THE_USER,
    THE_USER_OR_ADMINISTRATORS,
    Callers,
    Operation,
    XMLSerializer,
)
from finesse.api.errors import (
    AGENT_NOT_FOUND,
    AUTHORIZATION_FAILURE,
    INTERNAL_ERROR,
    INVALID_PASSWORD_SPECIFIED,
    INVALID_STATE,
    INVALID_SUPERVISOR,
    LIST_NOT_AUTHORIZED,
    OTHER_USER,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_FULL,
    REASON_CODE_INVALID,
    REASON_CODE_NOT_ALLOWED,
    REASON_CODE_REQUIRED,
    STATE_INVALID,
    STATE_MISSING,
    TEAM_NOT_FOUND,
    USER_NOT_FOUND,
)
from media.desktop import list_serializers, serializers, team_serializers

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
        REASON_CODE_FULL,
    ),
    notification=serializers.USER_NOTIFICATION,
    later=(
        INVALID_STATE,
        INVALID_PASSWORD_SPECIFIED,
        REASON_CODE_FULL,
        AGENT_NOT_FOUND,
        INTERNAL_ERROR,
    ),
)
GET_TEAM = Operation(
    summary="Read a team with its users",
    page="Team",
    callers=Callers(text="Supervisors of the team; administrators", example="2001"),
    answer=team_serializers.TeamSerializer,
    errors=(AUTHORIZATION_FAILURE, TEAM_NOT_FOUND),
    notification=team_serializers.TEAM_NOTIFICATION,
)
GET_USERS = Operation(
    summary="Read all users",
    page="User—Get List",
    callers=ADMINISTRATORS,
    answer=list_serializers.UsersSerializer,
    errors=(LIST_NOT_AUTHORIZED,),
)
GET_TEAMS = Operation(
    summary="Read all teams, without their users",
    page="Team",
    callers=ADMINISTRATORS,
    answer=list_serializers.TeamsSerializer,
    errors=(LIST_NOT_AUTHORIZED,),
)


def _empty(summary: str, page: str, answer: type[XMLSerializer]) -> Operation:
    return Operation(
        summary=summary,
        page=page,
        callers=THE_USER_OR_ADMINISTRATORS,
        text="Always empty here. No page prints an empty list: our reading.",
        answer=answer,
        errors=(OTHER_USER, USER_NOT_FOUND),
    )


GET_QUEUES = _empty("Read the queues of a user", "Queue", list_serializers.QueuesSerializer)
GET_WRAP_UP_REASONS = _empty(
    "Read the wrap-up reasons of a user",
    "User—Get Wrap-Up Reason List",
    list_serializers.WrapUpReasonsSerializer,
)
GET_PHONE_BOOKS = _empty(
    "Read the phone books of a user",
    "User—Get Phone Book List",
    list_serializers.PhoneBooksSerializer,
)
GET_MEDIA_PROPERTIES_LAYOUTS = _empty(
    "Read the layouts of call data of a user",
    "User—Get Media Properties Layout List",
    list_serializers.MediaPropertiesLayoutsSerializer,
)
GET_CLIENT_LOG = _empty(
    "Read the client log of a user", "ClientLog", list_serializers.ClientLogSerializer
)
POST_CLIENT_LOG = Operation(
    summary="Send the client log of a user",
    page="ClientLog",
    callers=THE_USER,
    text="The server accepts the log and does not keep it.",
    body=(list_serializers.ClientLogRequestSerializer,),
    status=202,
    errors=(OTHER_USER, PARAMETER_MISSING),
)
