"""The operations of reason codes, for the description."""

from finesse.api.description import (
    ADMINISTRATORS,
    EVERY_USER,
    THE_USER_OR_ADMINISTRATORS,
    Callers,
    Operation,
)
from finesse.api.errors import (
    AUTHORIZATION_FAILURE,
    BAD_REQUEST,
    OTHER_USER,
    PARAMETER_INVALID,
    PARAMETER_MISSING,
    REASON_CODE_DUPLICATE,
    REASON_CODE_NOT_FOUND,
    REASON_CODE_OF_SYSTEM,
    REASON_CODE_STALE,
    REASON_CODES_EXCEEDED,
    TEAM_ASSIGNMENT_INVALID_TEAM,
    TEAM_NOT_FOUND,
    USER_NOT_FOUND,
)
from reasoncodes import serializers
from reasoncodes.update_serializers import (
    REASON_CODES_NOTIFICATION,
    TEAM_REASON_CODES_NOTIFICATION,
)

_IN_LANGUAGES = (
    "The labels are in the language of the header `locale` (de_DE), or else `Accept-Language`, "
    "where they are translated; codes with a place come first."
)

GET_REASON_CODE = Operation(
    summary="Read a reason code",
    page="ReasonCode",
    callers=EVERY_USER,
    answer=serializers.ReasonCodeSerializer,
    errors=(REASON_CODE_NOT_FOUND,),
)
FIND_REASON_CODE = Operation(
    summary="Look a reason code up by category and code",
    page="ReasonCodeLookup",
    callers=EVERY_USER,
    query=serializers.LookupQuerySerializer,
    answer=serializers.ReasonCodeSerializer,
    errors=(BAD_REQUEST, REASON_CODE_NOT_FOUND),
)
POST_REASON_CODE = Operation(
    summary="Add a reason code",
    page="ReasonCode API Parameters",
    callers=ADMINISTRATORS,
    body=(serializers.ReasonCodeAddSerializer,),
    headers={"Location": "The address of the new reason code"},
    errors=(
        AUTHORIZATION_FAILURE,
        PARAMETER_MISSING,
        PARAMETER_INVALID,
        REASON_CODE_DUPLICATE,
        REASON_CODES_EXCEEDED,
    ),
)
PUT_REASON_CODE = Operation(
    summary="Change a reason code",
    page="ReasonCode API Parameters",
    callers=ADMINISTRATORS,
    body=(serializers.ReasonCodeChangeSerializer,),
    errors=(
        AUTHORIZATION_FAILURE,
        REASON_CODE_NOT_FOUND,
        REASON_CODE_OF_SYSTEM,
        PARAMETER_INVALID,
        REASON_CODE_DUPLICATE,
        REASON_CODES_EXCEEDED,
    ),
)
DELETE_REASON_CODE = Operation(
    summary="Delete a reason code",
    page="ReasonCode",
    callers=ADMINISTRATORS,
    text="A reason code that an agent has chosen before is retired instead: users can no longer "
    "choose it, and the history still shows it.",
    errors=(AUTHORIZATION_FAILURE, REASON_CODE_NOT_FOUND, REASON_CODE_OF_SYSTEM),
)
GET_REASON_CODES = Operation(
    summary="Read all reason codes",
    page="ReasonCode—Get List",
    callers=ADMINISTRATORS,
    query=serializers.AnyCategoryQuerySerializer,
    answer=serializers.ReasonCodesSerializer,
    errors=(AUTHORIZATION_FAILURE, BAD_REQUEST),
    notification=REASON_CODES_NOTIFICATION,
)
GET_REASON_CODES_OF_USER = Operation(
    summary="Read the reason codes that a user may choose",
    page="User—Get Reason Code List",
    callers=THE_USER_OR_ADMINISTRATORS,
    text=f"They are the global ones and those of the user's team. {_IN_LANGUAGES}",
    query=serializers.CategoryQuerySerializer,
    answer=serializers.ReasonCodesSerializer,
    errors=(OTHER_USER, USER_NOT_FOUND, BAD_REQUEST),
)
GET_REASON_CODE_OF_USER = Operation(
    summary="Read a reason code that a user may choose",
    page="User—Get Reason Code",
    callers=THE_USER_OR_ADMINISTRATORS,
    answer=serializers.ReasonCodeSerializer,
    errors=(OTHER_USER, USER_NOT_FOUND, REASON_CODE_NOT_FOUND),
)
GET_REASON_CODES_OF_TEAM = Operation(
    summary="Read the reason codes of a team",
    page="ReasonCode API Errors",
    callers=ADMINISTRATORS,
    text="They are those that are assigned to it, without the global ones.",
    query=serializers.CategoryQuerySerializer,
    answer=serializers.ReasonCodesSerializer,
    errors=(AUTHORIZATION_FAILURE, TEAM_ASSIGNMENT_INVALID_TEAM, BAD_REQUEST),
)
PUT_REASON_CODES_OF_TEAM = Operation(
    summary="Assign reason codes to a team",
    page="ReasonCode API Errors",
    callers=ADMINISTRATORS,
    text="The list replaces the team's reason codes of the category. No page prints the body: our "
    "reading.",
    query=serializers.CategoryQuerySerializer,
    body=(serializers.TeamReasonCodesSerializer,),
    errors=(
        AUTHORIZATION_FAILURE,
        TEAM_ASSIGNMENT_INVALID_TEAM,
        PARAMETER_MISSING,
        PARAMETER_INVALID,
        REASON_CODE_STALE,
        REASON_CODES_EXCEEDED,
    ),
)
GET_REASON_CODES_FOR_TEAM = Operation(
    summary="Read the reason codes that the members of a team may choose",
    page="TeamResource",
    callers=Callers(text="Members of the team; its supervisors; administrators", example="1234"),
    text="They are the global ones and those of the team. This list succeeds the one of a user. "
    f"{_IN_LANGUAGES}",
    query=serializers.CategoryQuerySerializer,
    answer=serializers.ReasonCodesSerializer,
    errors=(AUTHORIZATION_FAILURE, TEAM_NOT_FOUND, BAD_REQUEST),
    notification=TEAM_REASON_CODES_NOTIFICATION,
)
