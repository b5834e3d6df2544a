"""The meaning of each error and the remedy, for people: one entry for each row of the error table.

The entries stand in the order of the table. The tests fail if one is missing.
"""

from dataclasses import dataclass
from enum import Enum


class Topic(Enum):
    """Further contents of an error's page."""

    MEDIA_STATES = "the allowed requests in each state of a Media"
    DESKTOP_STATES = "the allowed requests in each state of the desktop"
    REASON_CODES = "the rules of reason codes, and those that a user may choose"


@dataclass(frozen=True, slots=True)
class Explanation:
    happened: str
    remedy: str
    topics: tuple[Topic, ...] = ()


REASON_CODE_RULES = (
    "reasonCodeId is the database id of a reason code (its id, the last segment of its uri), not "
    "the code that reports show.",
    "Send it only with NOT_READY and LOGOUT, and only for your own Media or desktop. Supervisors "
    "who change the state of another user send none.",
    "It is required if there are reason codes that the user may choose for the state. Otherwise "
    "send none.",
    "A user may choose global reason codes (forAll) and those of the user's team, but neither "
    "retired ones nor the system's own.",
    "Programs read them with GET /finesse/api/User/{userId}/ReasonCodes?category=NOT_READY (or "
    "LOGOUT).",
)

_MEDIA, _DESKTOP = Topic.MEDIA_STATES, Topic.DESKTOP_STATES
_REASON_CODES = (Topic.REASON_CODES,)

EXPLANATIONS = {
    # --- the service ----------------------------------------------------------------------------
    "OUT_OF_SERVICE": Explanation(
        "A part that the service depends on does not answer, or the service is still starting. "
        "Nothing was changed.",
        "Try again in a few seconds. Poll SystemInfo until its status is IN_SERVICE; /healthz "
        "says which part is down.",
    ),
    "INTERNAL_ERROR": Explanation(
        "The server failed during this request. That is a fault of the server, not of the "
        "request; its log has the details. As a notification: an accepted request has failed in "
        "this way.",
        "Read the object to see its state, then try again. If it happens again, report it with "
        "the time and the requestId.",
    ),
    # --- who is calling -------------------------------------------------------------------------
    "AUTHENTICATION_FAILURE": Explanation(
        "The request has no Authorization header, or its user name and password are not right, "
        "or the user is not active. After five wrong passwords from one address the user is "
        "blocked there for five minutes, and even the right password gets this answer, unless it "
        "was verified there before.",
        "Send HTTP Basic with every request: the login id, a colon and the password, in base64. "
        "If you are sure of the password, wait five minutes.",
    ),
    "AUTHORIZATION_FAILURE": Explanation(
        "The user name and password are right, but this user may not make this call. It is for "
        "administrators, or for the supervisors of the team.",
        "Use the login of a user who may make it; see “Who may call” at each call.",
    ),
    "OTHER_USER": Explanation(
        "The path names another user than the one who has authenticated. Users act on their own "
        "objects only; for Media there is no exception, not even for administrators.",
        "Put the login id that you authenticate with into the path. Upper and lower case differ, "
        "and blanks are not ignored.",
    ),
    "LIST_NOT_AUTHORIZED": Explanation(
        "The user name and password are right, but only administrators may read the list of all "
        "users or of all teams.",
        "Use the login of an administrator. A supervisor reads a team by its id, with its users.",
    ),
    "PAGE_NOT_PROVED": Explanation(
        "The request has the cookie of a browser's session instead of an Authorization header, but "
        "not the token of the page that it comes from, or it comes from a page of another site.",
        "Programs send HTTP Basic. A page of this server sends the value of the cookie csrftoken "
        "in the header X-CSRFToken; reload the page if it is an old one.",
    ),
    "INVALID_SUPERVISOR": Explanation(
        "You are a supervisor, but the user of the path is in none of your teams, or does not "
        "exist.",
        "Name a member of one of your teams; GET Team lists them. An administrator can make you "
        "supervisor of another team.",
    ),
    # --- what is asked for ----------------------------------------------------------------------
    "NOT_FOUND": Explanation(
        "There is no resource at this path.",
        "Compare it with the paths of this description. Upper and lower case differ: it is "
        "/finesse/api/User/…, not /finesse/api/user/….",
    ),
    "USER_NOT_FOUND": Explanation(
        "There is no user with the id of the path. Only administrators get this answer.",
        "Use a login id, not a login name.",
    ),
    "TEAM_NOT_FOUND": Explanation(
        "There is no team with the id of the path. Only administrators get this answer.",
        "Read the user: teamId is the id of the user's team.",
    ),
    "MRD_NOT_FOUND": Explanation(
        "There is no Media Routing Domain with the id of the path; or it is voice (1), which has "
        "no Media.",
        "GET MediaDomain lists all MRDs. Ids are texts: 05001 is not 5001.",
    ),
    "METHOD_NOT_ALLOWED": Explanation(
        "This resource exists, but not with this method.",
        "The Allow header of the answer lists the methods of this resource.",
    ),
    "BAD_REQUEST": Explanation(
        "The server could not read the request. The message names the reason: the body is not "
        "well-formed XML, not encoded as declared or too large, it has a wrong root element or "
        "content type, or the query lacks a parameter.",
        "Correct the body or the query as the message says.",
    ),
    "STATE_MISSING": Explanation(
        "The body has no state, or an empty one. The body of a Media has no routable either.",
        "Send a state; or, for a Media, routable alone.",
        (_MEDIA, _DESKTOP),
    ),
    "PARAMETER_MISSING": Explanation(
        "An element that this request needs is missing or empty. ErrorData names the element.",
        "Add the element. Signing in to an MRD needs maxDialogLimit and interruptAction; signing "
        "in to the desktop needs extension or activeDeviceId; a new reason code needs category, "
        "code, label and forAll.",
    ),
    "STATE_INVALID": Explanation(
        "The state cannot be requested at all, or not in the present state. As a notification: the "
        "state has changed between the 202 and the turn of this request. Nothing was changed.",
        "Read the Media for its present state, and request a state that the table below allows. "
        "States are in upper case.",
        (_MEDIA, _DESKTOP),
    ),
    "PARAMETER_INVALID": Explanation(
        "An element has a value that is not allowed. ErrorData names the element.",
        "Compare the value with the elements of the call in this description.",
    ),
    "ROUTABLE_INVALID": Explanation(
        "The value of routable is neither true nor false; or the present state of the Media does "
        "not allow a change of the mode.",
        "Send true or false, in a state that allows it by the table below. In WORK, first request "
        "ACTIVE, or sign in again.",
        (_MEDIA,),
    ),
    "STATE_AND_ROUTABLE": Explanation(
        "The body contains both a state and routable. Neither was changed.",
        "Send two requests, one after the other. READY and LOGIN also make the agent routable.",
        (_MEDIA,),
    ),
    "INVALID_STATE": Explanation(
        "The present state of the desktop does not allow the requested state. As a notification: "
        "the state has changed between the 202 and the turn of this request. Nothing was changed.",
        "Read the User for the present state, and request a state that the table below allows. To "
        "sign out, request NOT_READY first.",
        (_DESKTOP,),
    ),
    "INVALID_PASSWORD_SPECIFIED": Explanation(
        "The desktop is signed out, and NOT_READY was requested. Unified CCE takes that for a "
        "sign-in without a password. Nothing was changed.",
        "Request LOGIN with an extension; it leads to NOT_READY.",
        (_DESKTOP,),
    ),
    "REASON_CODE_REQUIRED": Explanation(
        "There are reason codes that the user may choose for this state, so the request must name "
        "one of them. Nothing was changed.",
        "Add reasonCodeId with the database id of one of them.",
        _REASON_CODES,
    ),
    "REASON_CODE_NOT_ALLOWED": Explanation(
        "The request has a reasonCodeId but may not have one: it is neither NOT_READY nor LOGOUT, "
        "or a supervisor sent it for another user. Nothing was changed.",
        "Remove reasonCodeId. Only NOT_READY and LOGOUT of your own Media or desktop take it.",
        _REASON_CODES,
    ),
    "REASON_CODE_INVALID": Explanation(
        "This reasonCodeId does not exist for this user and this state: it is unknown, deleted, of "
        "the other category, of another team, the system's own, or not a number. Nothing was "
        "changed.",
        "Send the database id (id, or the last segment of uri), not the code. Read the list again: "
        "it may have changed.",
        _REASON_CODES,
    ),
    "REASON_CODE_FULL": Explanation(
        "A break rule says how many agents of a team may have this reason at once, and as many "
        "have it. As a notification: another agent got the last place between the 202 and the turn "
        "of this request. Nothing was changed. Agents who have the reason already, in another MRD, "
        "are not refused; supervisors are not bound by the rule.",
        "Try again later, or choose another reason. Supervisors see and change the rule in the "
        "administration, under Break rules.",
        _REASON_CODES,
    ),
    # --- configuration --------------------------------------------------------------------------
    "REASON_CODE_NOT_FOUND": Explanation(
        "There is no such reason code, or it is retired. In a path of a user: the user may not "
        "choose it.",
        "Read the list again. If you do not know the id, look the reason code up by its category "
        "and code.",
        _REASON_CODES,
    ),
    "REASON_CODE_DUPLICATE": Explanation(
        "Another reason code of the category has this code or this label; ErrorData says which. "
        "Labels that differ only in upper and lower case count as the same. The system's own "
        "reason codes count, too.",
        "Choose another code or label, or change or delete the other reason code.",
    ),
    "REASON_CODE_STALE": Explanation(
        "A reason code of the list does not exist, or was deleted. The team was not changed.",
        "Read the reason codes again and send the list without it.",
    ),
    "REASON_CODE_OF_SYSTEM": Explanation(
        "The reason code is the system's own, for changes of state by the system. It cannot be "
        "changed or deleted.",
        "Add a reason code of your own with another code.",
    ),
    "REASON_CODES_EXCEEDED": Explanation(
        "The category has reached its limit of reason codes. Global reason codes and those of "
        "teams have separate limits; retired ones and the system's own do not count.",
        "Delete one that is not needed. The operators of the server can raise the limits "
        "(FINESSE_MAX_GLOBAL_REASON_CODES, FINESSE_MAX_TEAM_REASON_CODES).",
    ),
    "TEAM_ASSIGNMENT_INVALID_TEAM": Explanation(
        "The team of the path does not exist.",
        "Read a user: teamId is the id of the user's team.",
    ),
    # --- after the 202 --------------------------------------------------------------------------
    "AGENT_ALREADY_LOGGED_IN": Explanation(
        "The request was LOGIN, but the agent is signed in to this MRD already. The state stays; "
        "the three options of the sign-in are renewed. After a lost connection this is the "
        "documented way to recover, and the error is expected.",
        "Nothing, if you wanted to be signed in with these options. Otherwise read the Media.",
        (_MEDIA,),
    ),
    "AGENT_NOT_FOUND": Explanation(
        "The user was deleted or deactivated after the request had been accepted.",
        "This login cannot be used any more.",
    ),
    "MRD_LIST_ENTRY_NOT_FOUND": Explanation(
        "The Media Routing Domain was deleted after the request had been accepted.",
        "GET MediaDomain lists the MRDs that exist.",
    ),
    "AGENT_NOT_LOGGED_IN": Explanation(
        "The request was not LOGIN, but the user is signed out of this MRD, or is not assigned to "
        "it. Nothing was changed.",
        "Sign in to the MRD first: LOGIN with maxDialogLimit and interruptAction.",
        (_MEDIA,),
    ),
    "CANT_LOGIN_TO_VOICE_MRD": Explanation(
        "The request was about the voice MRD (1), which has no Media.",
        "Change the User instead: PUT /finesse/api/User/{userId}.",
        (_DESKTOP,),
    ),
    "ALREADY_IN_REQUESTED_AGENT_MODE": Explanation(
        "The agent is in the requested mode already: routable, or not routable. Nothing was "
        "changed. Finesse prints the number 1 for this error and for AGENT_ALREADY_LOGGED_IN, so "
        "compare the message.",
        "Nothing: the agent is in the mode that you wanted.",
        (_MEDIA,),
    ),
    "LOGIN_NOT_ALLOWED_FOR_APP_PATH": Explanation(
        "The request was LOGIN, but the user is not assigned to this MRD.",
        "GET the list of the user's Media to see the MRDs of the user. An administrator can assign "
        "the user to this one.",
        (_MEDIA,),
    ),
}
