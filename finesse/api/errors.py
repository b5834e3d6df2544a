"""THE ERROR TABLE: every error a client can meet, synchronous or asynchronous, one row each.

The constants are part of the protocol: clients compare them, so do not rename them.
To add an error, add a row and raise it (`raise STATE_MISSING()`); README.md says where to describe
it.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from redis.exceptions import RedisError
from rest_framework import exceptions

from finesse.users.password_checks import PasswordChecksOverrunError

logger = logging.getLogger(__name__)

UNKNOWN_NUMBER = "-1"
"""After the 202, for errors whose number no page shows. Our choice: Finesse prints -1 where it has
no reason code."""
ALPHABETICAL = ("ErrorData", "ErrorMedia", "ErrorMessage", "ErrorType")


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One error of the protocol. `message` and `data` may contain {placeholders}."""

    status: int
    """The HTTP status; 400 for asynchronous errors, as Cisco's client library reports them."""
    type: str
    message: str
    data: str = ""
    elements: tuple[str, ...] = ALPHABETICAL
    """The elements of the body in the documented order [Media pages: alphabetical]."""
    later_message: str = ""
    """The message after the 202, where it differs."""
    later_number: str = ""
    """The data after the 202, where `data` is not a number: clients with types read an integer."""

    def __call__(self, *, headers: dict[str, str] | None = None, **values: str) -> "FinesseError":
        return FinesseError(self, headers=headers or {}, values=values)


class FinesseError(exceptions.APIException):
    """A row of the table with its placeholders filled: raise it, never return it."""

    def __init__(self, row: ErrorRow, *, headers: dict[str, str], values: dict[str, str]) -> None:
        self.row = row
        self.status_code = row.status
        self.headers = headers
        self.message = row.message.format(**values)
        self.data = row.data.format(**values)
        self.later_message = row.later_message or self.message
        """The message after the 202."""
        self.media: str | None = None
        """The MRD that the error is about, for requests whose path does not name it."""
        super().__init__(self.message, row.type)

    def body(self, *, media: str | None) -> dict[str, Any]:
        """The `<ApiErrors>` document; `media` is the MRD of the path, if it names one."""
        texts = {
            "ErrorData": self.data,
            "ErrorMedia": self.media or media,
            "ErrorMessage": self.message,
            "ErrorType": self.row.type,
        }
        ordered = {name: texts[name] for name in self.row.elements if texts[name] is not None}
        return {"ApiErrors": {"ApiError": ordered}}

    def notification_data(self, *, media: object = None) -> dict[str, Any]:
        """The same as `<data>` of a notification [Media and Dialogs/Media Asynchronous Error
        Notification]; `media` is the MRD of the request, None for a request about a User."""
        error = {"errorData": self.row.later_number or self.data}
        if media is not None:
            error["errorMedia"] = str(media)
        error |= {"errorMessage": self.later_message, "errorType": self.row.type}
        return {"apiErrors": {"apiError": error}}


# --- The service [Client Requests] --------------------------------------------------------------

OUT_OF_SERVICE = ErrorRow(
    503,
    "Service Unavailable",
    "SERVER_OUT_OF_SERVICE",
    # The only body that the pages print in another order, and never with an ErrorMedia.
    elements=("ErrorType", "ErrorData", "ErrorMessage"),
)
INTERNAL_ERROR = ErrorRow(
    500, "Internal Server Error", "RUNTIME_EXCEPTION", later_number=UNKNOWN_NUMBER
)

# --- The caller [Cisco Finesse API Errors], [Media API Errors] ----------------------------------

_WITHOUT_MEDIA = ("ErrorData", "ErrorMessage", "ErrorType")
AUTHENTICATION_FAILURE = ErrorRow(
    401, "Authentication Failure", "UNAUTHORIZED", "{user}", elements=_WITHOUT_MEDIA
)
AUTHORIZATION_FAILURE = ErrorRow(
    401, "Authorization Failure", "UNAUTHORIZED", "{user}", elements=_WITHOUT_MEDIA
)
OTHER_USER = ErrorRow(
    401,
    "Invalid Authorization User Specified",
    "The user specified in the authentication credentials and the uri don't match",
    "{user}",
    elements=_WITHOUT_MEDIA,
)
# The page of the list of users has an error of its own [User—Get List].
LIST_NOT_AUTHORIZED = ErrorRow(
    401,
    "Unauthorized",
    "The user is not authorized to perform this operation",
    "{user}",
    elements=_WITHOUT_MEDIA,
)
# Ours, since Finesse has no such authentication: a page's request without proof that it is ours.
PAGE_NOT_PROVED = ErrorRow(
    403,
    "Forbidden",
    "The X-CSRFToken header is missing or wrong, or the request comes from another site",
    "X-CSRFToken",
    elements=_WITHOUT_MEDIA,
)
INVALID_SUPERVISOR = ErrorRow(
    401,
    "Invalid Supervisor",
    "The supervisor does not supervise this user's team",
    "{user}",
    elements=_WITHOUT_MEDIA,
)

# --- The resource and the parameters [Media API Errors] -----------------------------------------

NOT_FOUND = ErrorRow(404, "Not Found", "No such resource", "{resource}")
USER_NOT_FOUND = ErrorRow(404, "User Not Found", "UNKNOWN_USER", "{user}")
TEAM_NOT_FOUND = ErrorRow(404, "Not Found", "Invalid team specified", "{team}")
MRD_NOT_FOUND = ErrorRow(404, "Not Found", "Invalid mrdId specified for media", "{mrd}")
METHOD_NOT_ALLOWED = ErrorRow(
    405, "Method Not Allowed", "{method} is not supported here", "{method}"
)

BAD_REQUEST = ErrorRow(400, "Bad Request", "{reason}")
STATE_MISSING = ErrorRow(400, "Parameter Missing", "State Parameter missing", "state")
PARAMETER_MISSING = ErrorRow(
    400, "Parameter Missing", "{parameter} Parameter missing", "{parameter}"
)
STATE_INVALID = ErrorRow(
    400,
    "Invalid Input",
    "Invalid State specified for user",
    "state",
    later_number=UNKNOWN_NUMBER,
)
PARAMETER_INVALID = ErrorRow(
    400, "Invalid Input", "Invalid {parameter} specified for {object}", "{parameter}"
)
ROUTABLE_INVALID = ErrorRow(
    400,
    "Invalid Input",
    "Invalid routable specified for media",
    "routable",
    later_number=UNKNOWN_NUMBER,
)
STATE_AND_ROUTABLE = ErrorRow(
    400, "Invalid Input", "state and routable cannot be changed in one request", "routable"
)
# An error of the User only: the Media pages do not list this type [User API Errors]. Message and
# number after the 202 are those of a capture of release 12.5.
INVALID_STATE = ErrorRow(
    400,
    "Invalid State",
    "The user's current state does not allow this state",
    "state",
    later_message="CF_INVALID_OBJECT_STATE",
    later_number="22",
)
# NOT_READY while signed out is a sign-in without a password to the software behind Finesse
# [User—Change Agent State].
INVALID_PASSWORD_SPECIFIED = replace(
    INVALID_STATE, later_message="CF_INVALID_PASSWORD_SPECIFIED", later_number="257"
)
REASON_CODE_REQUIRED = ErrorRow(
    400,
    "Parameter Missing",
    "The state change requires a valid reason code.",
    "finesse.api.reasoncode.require_reasoncode",
)
REASON_CODE_NOT_ALLOWED = ErrorRow(
    400,
    "Invalid Input",
    "For this operation, Reason Codes are not allowed.",
    "finesse.api.reasoncode.not_allowed",
)
# A capture of 2016 has these texts for an id that does not exist; no page documents them.
REASON_CODE_INVALID = ErrorRow(
    400,
    "Invalid Input",
    "The Reason Code specified in the request does not exist",
    "finesse.api.reasoncode.not_valid",
)
# Ours: Finesse has no such rules. The type is that of a number that is exceeded elsewhere.
REASON_CODE_FULL = ErrorRow(
    400,
    "Maximum Exceeded",
    "All places that the team has for this reason are taken",
    "finesse.api.reasoncode.all_places_taken",
    later_number=UNKNOWN_NUMBER,
)

# --- Configuration [ReasonCode API Errors] ------------------------------------------------------
# The pages document types and cases, but no texts: messages and data are ours.

REASON_CODE_NOT_FOUND = ErrorRow(404, "Not Found", "Invalid reason code specified", "{id}")
REASON_CODE_DUPLICATE = ErrorRow(
    400,
    "Finesse API Error",
    "Another reason code of this category has this {parameter}",
    "{parameter}",
)
REASON_CODE_STALE = ErrorRow(
    400, "Finesse API Error", "The reason code does not exist or was deleted", "{id}"
)
REASON_CODE_OF_SYSTEM = ErrorRow(
    400, "Finesse API Error", "Reason codes of the system cannot be changed", "{id}"
)
REASON_CODES_EXCEEDED = ErrorRow(
    400, "Maximum Exceeded", "No more than {limit} {scope} reason codes of a category", "{limit}"
)
# Type and data are those of the documented sample for a team's reason codes.
TEAM_ASSIGNMENT_INVALID_TEAM = ErrorRow(
    404, "finesse.api.team.team_assignment_invalid_team", "The team does not exist", "{team}"
)

# --- After the 202 [Errors for Agent State and Mode Changes] ------------------------------------

AGENT_ALREADY_LOGGED_IN = ErrorRow(
    400, "Agent already logged into MRD", "E_ARM_STAT_AGENT_ALREADY_LOGGED_IN", "1"
)
AGENT_NOT_FOUND = ErrorRow(400, "Agent not found", "E_ARM_STAT_AGENT_NOT_FOUND", "2")
MRD_LIST_ENTRY_NOT_FOUND = ErrorRow(
    400, "MRD not found", "E_ARM_STAT_MRD_LIST_ENTRY_NOT_FOUND", "3"
)
AGENT_NOT_LOGGED_IN = ErrorRow(400, "Agent is not logged in", "E_ARM_STAT_AGENT_NOT_LOGGED_IN", "6")
CANT_LOGIN_TO_VOICE_MRD = ErrorRow(
    400, "The voice MRD cannot be used here", "E_ARM_STAT_CANT_LOGIN_TO_VOICE_MRD", "11"
)
# The page prints 1 for this error, too, and no page has another number for it.
ALREADY_IN_REQUESTED_AGENT_MODE = ErrorRow(
    400, "Agent already in requested mode", "E_ARM_STAT_ALREADY_IN_REQUESTED_AGENT_MODE", "1"
)
LOGIN_NOT_ALLOWED_FOR_APP_PATH = ErrorRow(
    400, "Sign in not allowed for this media", "E_ARM_STAT_LOGIN_NOT_ALLOWED_FOR_APP_PATH", "27"
)

TABLE: dict[str, ErrorRow] = {
    name: row for name, row in globals().items() if isinstance(row, ErrorRow)
}
"""All rows by name. The transition table and the documentation refer to these names."""
NAMES = {row: name for name, row in TABLE.items()}
"""The name of each row."""


def as_finesse_error(exc: Exception) -> FinesseError:
    """The error of the table for this exception; an unexpected exception is logged."""
    match exc:
        case FinesseError():
            return exc
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return AUTHENTICATION_FAILURE(user="")
        case exceptions.PermissionDenied() | PermissionDenied():
            return AUTHORIZATION_FAILURE(user="")
        case exceptions.NotFound() | Http404():
            return NOT_FOUND(resource="")
        case SuspiciousOperation() | UnreadablePostError():
            return BAD_REQUEST(reason="The request cannot be read")
        case exceptions.APIException():
            return BAD_REQUEST(reason=str(exc.detail))
        case PasswordChecksOverrunError():
            return OUT_OF_SERVICE(headers={"Retry-After": "1"})
        case OperationalError() | InterfaceError() | RedisError():
            logger.error("A dependency failed during a request: %s", " ".join(str(exc).split()))
            return OUT_OF_SERVICE()
        case _:
            logger.error("Unexpected error during a request", exc_info=exc)
            return INTERNAL_ERROR()
