"""What each error means and what to do about it, for people: one entry for each row of the table.

A row without an entry, or an entry without a row, fails the tests.
"""

from dataclasses import dataclass
from enum import Enum


class Topic(Enum):
    """What the page of an error shows beside its text."""

    MEDIA_STATES = "what may be asked for in each state of a Media"
    DESKTOP_STATES = "what may be asked for in each state of the desktop"
    REASON_CODES = "which reason codes may be chosen"


@dataclass(frozen=True, slots=True)
class Explanation:
    happened: str
    remedy: str
    topics: tuple[Topic, ...] = ()


REASON_CODE_RULES = (
    "reasonCodeId is the database id of a reason code (its id, the last segment of its uri), not "
    "the code that reports show.",
    "It goes with NOT_READY and LOGOUT of one's own Media or desktop, and with nothing else. "
    "Supervisors who change somebody else's state send none.",
    "It is required as soon as there is any reason code that the user may choose for that state, "
    "and left out as long as there is none.",
    "A user may choose the global ones (forAll) and those that are assigned to the user's team; "
    "never retired ones or the system's own.",
    "Programs read them with GET /finesse/api/User/{userId}/ReasonCodes?category=NOT_READY or "
    "LOGOUT.",
)

_MEDIA, _DESKTOP = Topic.MEDIA_STATES, Topic.DESKTOP_STATES
_REASON_CODES = (Topic.REASON_CODES,)

EXPLANATIONS = {
    # --- the service ----------------------------------------------------------------------------
    "OUT_OF_SERVICE": Explanation(
        "A part that the service depends on does not answer, or the service is just starting. "
        "Nothing was changed.",
        "Try again in a few seconds. Poll SystemInfo until its status is IN_SERVICE; /healthz "
        "says which part is down.",
    ),
    "INTERNAL_ERROR": Explanation(
        "The server failed at this request. That is a fault of the server, not of the request; "
        "its log says what it was. As a notification it ends a request that had been accepted.",
        "Read the object to see its state, then try again. If it happens again, report it with "
        "the time and the requestId.",
    ),
    # --- who is calling -------------------------------------------------------------------------
    "AUTHENTICATION_FAILURE": Explanation(
        "The request has no Authorization header, or its user name and password are not right, "
        "or the user is not active. After five wrong passwords in a row the user is blocked for "
        "five minutes, and even the right password gets this answer.",
        "Send HTTP Basic with every request: the login id, a colon and the password, in base64. "
        "If you are sure of the password, wait five minutes.",
    ),
    "AUTHORIZATION_FAILURE": Explanation(
        "You are who you say you are, but this call is for others: administrators, or the "
        "supervisors of the team.",
        "Call it with the login of somebody who may. “Who may call” stands with each call.",
    ),
    "OTHER_USER": Explanation(
        "The path names another user than the one who has authenticated. Users act on their own "
        "objects only; for Media there is no exception, not even for administrators.",
        "Put the login id that you authenticate with into the path. Ids are compared as they are: "
        "in upper and lower case, without blanks.",
    ),
    "INVALID_SUPERVISOR": Explanation(
        "You are a supervisor, but the user of the path is in none of your teams, or does not "
        "exist.",
        "Ask for the members of your own teams; GET Team lists them. An administrator can make "
        "you supervisor of another team.",
    ),
    # --- what is asked for ----------------------------------------------------------------------
    "NOT_FOUND": Explanation(
        "Nothing is at this path.",
        "Compare it with the paths of this description. They are written in upper and lower case: "
        "/finesse/api/User/…, not /finesse/api/user/….",
    ),
    "USER_NOT_FOUND": Explanation(
        "There is no user with the id of the path. Only administrators get this answer.",
        "Use a login id, not a login name.",
    ),
    "TEAM_NOT_FOUND": Explanation(
        "There is no team with the id of the path. Only administrators get this answer.",
        "Read the user: its teamId is the id of its team.",
    ),
    "MRD_NOT_FOUND": Explanation(
        "There is no Media Routing Domain with the id of the path; or it is voice (1), which has "
        "no Media to read.",
        "GET MediaDomain lists every MRD. Ids are texts: 05001 is not 5001.",
    ),
    "METHOD_NOT_ALLOWED": Explanation(
        "This resource exists, but not with this method.",
        "The Allow header of the answer names the methods that there are.",
    ),
    "BAD_REQUEST": Explanation(
        "The request could not be read: no well-formed XML, another root element, another "
        "encoding than UTF-8, too large, another content type than XML, or a query without what "
        "it needs. The message says which.",
        "Correct the body or the query as the message says.",
    ),
    "STATE_MISSING": Explanation(
        "The body has no state, or an empty one, and for a Media no routable either.",
        "Say what you ask for: a state, or for a Media routable alone.",
        (_MEDIA, _DESKTOP),
    ),
    "PARAMETER_MISSING": Explanation(
        "An element that this request needs is not in the body, or is empty. ErrorData names it.",
        "Add the element. Signing in to an MRD needs maxDialogLimit and interruptAction; signing "
        "in to the desktop needs extension or activeDeviceId; a new reason code needs category, "
        "code, label and forAll.",
    ),
    "STATE_INVALID": Explanation(
        "The state is none that can be asked for, or cannot be asked for now: ACTIVE outside WORK, "
        "READY while tasks decide, anything but LOGIN and ACTIVE in WORK. As a notification: the "
        "state has changed between the 202 and the request's turn. Nothing was changed.",
        "Read the Media for its present state, and ask for one that is legal there. States are "
        "written in upper case.",
        (_MEDIA, _DESKTOP),
    ),
    "PARAMETER_INVALID": Explanation(
        "An element has a value that it cannot have. ErrorData names it.",
        "Compare the value with the fields of the call in this description.",
    ),
    "ROUTABLE_INVALID": Explanation(
        "The value of routable is neither true nor false; or the Media is in WORK, where the mode "
        "cannot be changed.",
        "Send true or false. From WORK, go back to work first: ask for ACTIVE, or sign in again.",
        (_MEDIA,),
    ),
    "STATE_AND_ROUTABLE": Explanation(
        "The body holds both a state and routable. Neither was changed.",
        "Send two requests, one after the other. READY and LOGIN make the agent routable anyway.",
        (_MEDIA,),
    ),
    "INVALID_STATE": Explanation(
        "The desktop cannot go from its present state to the one that was asked for: READY, "
        "NOT_READY or LOGOUT while signed out, or LOGOUT while READY. As a notification: the state "
        "has changed between the 202 and the request's turn. Nothing was changed.",
        "Read the User for the present state. To sign out, go to NOT_READY first.",
        (_DESKTOP,),
    ),
    "REASON_CODE_REQUIRED": Explanation(
        "Reason codes are configured for this state and apply to the user, so one of them must be "
        "chosen. Nothing was changed.",
        "Add reasonCodeId with the database id of one of them.",
        _REASON_CODES,
    ),
    "REASON_CODE_NOT_ALLOWED": Explanation(
        "A reasonCodeId was sent where there is no reason to give: with LOGIN, READY, ACTIVE or "
        "routable, or by a supervisor for somebody else. Nothing was changed.",
        "Leave reasonCodeId out. It belongs to one's own NOT_READY and LOGOUT.",
        _REASON_CODES,
    ),
    "REASON_CODE_INVALID": Explanation(
        "The reasonCodeId is none that this user may choose for this state: unknown, deleted, of "
        "the other category, of another team, the system's own, or no number. Nothing was changed.",
        "Send the database id (id, or the last segment of uri), not the code. Read the list again: "
        "it may have changed since.",
        _REASON_CODES,
    ),
    # --- configuration --------------------------------------------------------------------------
    "REASON_CODE_NOT_FOUND": Explanation(
        "There is no such reason code: unknown, retired, or, where a user's are asked for, not one "
        "that the user may choose.",
        "Read the list again. Look one up by its category and code if you do not know its id.",
        _REASON_CODES,
    ),
    "REASON_CODE_DUPLICATE": Explanation(
        "Another reason code of the category has this code or this label; ErrorData says which. "
        "Labels are compared without upper and lower case; the system's own count, too.",
        "Choose another one, or change or delete the one that has it.",
    ),
    "REASON_CODE_STALE": Explanation(
        "A reason code of the list does not exist, or does not exist any more. The team was not "
        "changed.",
        "Read the reason codes again and send the list without it.",
    ),
    "REASON_CODE_OF_SYSTEM": Explanation(
        "The reason code is the system's own: it says what the system did to an agent. Such codes "
        "can neither be changed nor deleted.",
        "Leave it, or add a reason code of your own with another code.",
    ),
    "REASON_CODES_EXCEEDED": Explanation(
        "The category has as many reason codes as it may have, global ones and those for teams "
        "counted apart; retired and system ones do not count.",
        "Delete one that nobody needs. Whoever runs the server can raise the limit "
        "(FINESSE_MAX_GLOBAL_REASON_CODES, FINESSE_MAX_TEAM_REASON_CODES).",
    ),
    "TEAM_ASSIGNMENT_INVALID_TEAM": Explanation(
        "The team whose reason codes were to be read or assigned does not exist.",
        "Read a user: its teamId is the id of its team.",
    ),
    # --- after the 202 --------------------------------------------------------------------------
    "AGENT_ALREADY_LOGGED_IN": Explanation(
        "LOGIN was asked for while signed in to this MRD. The state stays; the three options of "
        "the sign-in are renewed. This is the documented way to recover after a lost connection, "
        "where the error is expected.",
        "Nothing, if you wanted to be signed in with these options. Otherwise read the Media.",
        (_MEDIA,),
    ),
    "AGENT_NOT_FOUND": Explanation(
        "The user was deleted after the request had been accepted.",
        "Nothing can be done with this login any more.",
    ),
    "MRD_LIST_ENTRY_NOT_FOUND": Explanation(
        "The Media Routing Domain was deleted after the request had been accepted.",
        "GET MediaDomain lists the MRDs that there are.",
    ),
    "AGENT_NOT_LOGGED_IN": Explanation(
        "Something else than LOGIN was asked for while signed out of this MRD, or by somebody who "
        "is not assigned to it. Nothing was changed.",
        "Sign in to the MRD first: LOGIN with maxDialogLimit and interruptAction.",
        (_MEDIA,),
    ),
    "CANT_LOGIN_TO_VOICE_MRD": Explanation(
        "The request was about the voice MRD (1), which has no Media.",
        "Use the User for it: PUT /finesse/api/User/{userId}.",
        (_DESKTOP,),
    ),
    "ALREADY_IN_REQUESTED_AGENT_MODE": Explanation(
        "The agent is routable, or not routable, already. Nothing was changed. The number is the "
        "printed one; error 1 is AGENT_ALREADY_LOGGED_IN, too, so compare the message.",
        "Nothing: it is as you wanted it.",
        (_MEDIA,),
    ),
    "LOGIN_NOT_ALLOWED_FOR_APP_PATH": Explanation(
        "LOGIN was asked for in an MRD that the user is not assigned to.",
        "GET the list of the user's Media for those that there are. An administrator can assign "
        "the user to the MRD.",
        (_MEDIA,),
    ),
}
