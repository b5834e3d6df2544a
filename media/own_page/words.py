"""The words in which agents are told of requests and errors."""

from finesse.api.errors import PARAMETER_INVALID, PARAMETER_MISSING, TABLE
from media.supervision_tables import WaitingOutcome

_ERRORS = {
    "OUT_OF_SERVICE": "The service is out of service at the moment.",
    "INTERNAL_ERROR": "The server failed at this request. Your state has not changed; try again, "
    "and tell your administrator if it happens again.",
    "AUTHENTICATION_FAILURE": "You are not signed in any more. Sign in again; your states are as "
    "they were.",
    "AUTHORIZATION_FAILURE": "You may not do this.",
    "OTHER_USER": "Somebody else has signed in in this browser meanwhile. Reload the page.",
    "PAGE_NOT_PROVED": "This page is an old one. Reload it and try again.",
    "NOT_FOUND": "This does not exist any more. Reload the page.",
    "USER_NOT_FOUND": "Your user does not exist any more. Ask an administrator.",
    "MRD_NOT_FOUND": "This channel does not exist any more. Reload the page.",
    "METHOD_NOT_ALLOWED": "The server does not know this request. Reload the page.",
    "BAD_REQUEST": "The server could not read the request. Reload the page and try again.",
    "STATE_MISSING": "The request named no state. Reload the page and try again.",
    "STATE_INVALID": "Your state has changed meanwhile, and this is not possible in it.",
    "ROUTABLE_INVALID": "Your state has changed meanwhile, and this is not possible in it.",
    "STATE_AND_ROUTABLE": "The request asked for two things at once. Reload the page.",
    "INVALID_STATE": "Your state has changed meanwhile, and this is not possible in it.",
    "INVALID_PASSWORD_SPECIFIED": "You are signed out. Sign in first.",
    "REASON_CODE_REQUIRED": "A reason is required. Choose one.",
    "REASON_CODE_NOT_ALLOWED": "No reason can be given for this. Reload the page.",
    "REASON_CODE_INVALID": "This reason is not offered to you any more. Choose another one.",
    "REASON_CODE_FULL": "As many of your team as may be are in this reason already. Choose it "
    "again to wait for a place, if that is offered, or choose another one.",
    "AGENT_ALREADY_LOGGED_IN": "You were signed in already; your state stays as it is.",
    "AGENT_NOT_FOUND": "Your user was deactivated or deleted. Ask your supervisor.",
    "MRD_LIST_ENTRY_NOT_FOUND": "This channel does not exist any more.",
    "AGENT_NOT_LOGGED_IN": "You are signed out here. Sign in first.",
    "CANT_LOGIN_TO_VOICE_MRD": "This channel is for the desktop alone.",
    "ALREADY_IN_REQUESTED_AGENT_MODE": "It was so already; nothing has changed.",
    "LOGIN_NOT_ALLOWED_FOR_APP_PATH": "You do not belong to this channel any more. Ask your "
    "supervisor.",
}
"""By the names of the rows of the error table that a PUT of one's own may end in."""

_OF_MANY_TYPES = {"UNAUTHORIZED"}
"""Messages that do not say which error it is."""
_OF_PARAMETERS = {
    PARAMETER_MISSING(parameter="extension").message: "Type your extension: the number of your "
    "telephone.",
    PARAMETER_INVALID(parameter="extension", object="user").message: "This is no extension. It "
    "has up to 32 digits or letters, and + * # . _ -",
    PARAMETER_INVALID(parameter="maxDialogLimit", object="media").message: "The number of tasks "
    "at once is a number from 1 to 10.",
    PARAMETER_INVALID(parameter="interruptAction", object="media").message: "Say whether tasks "
    "may interrupt you.",
    PARAMETER_INVALID(parameter="dialogLogoutAction", object="media").message: "Say what becomes "
    "of your tasks when you sign out.",
}
"""By the ErrorMessage."""


WAITING_ENDS = {
    WaitingOutcome.REPLACED: "Another change waits in the place of what waited.",
    WaitingOutcome.CANCELLED: "What waited was cancelled.",
    WaitingOutcome.VOID: "You were signed out: what waited is dropped.",
    WaitingOutcome.OVERTAKEN: "Your state was changed otherwise: what waited is dropped.",
    WaitingOutcome.NO_QUEUE: "The rule was changed, and nobody can wait for a place any more: what "
    "waited is dropped.",
}
"""How a change that waited ended without being made."""


def errors() -> dict[str, str]:
    """The sentence for each error, by its ErrorMessage; where that depends on the request, as with
    a body that cannot be read, by its ErrorType."""
    by_text = {}
    for name, sentence in _ERRORS.items():
        row = TABLE[name]
        if "{" in row.message or row.message in _OF_MANY_TYPES:
            by_text[row.type] = sentence
        else:
            # Rows that differ only after the 202 have the message of the first one before it.
            by_text.setdefault(row.message, sentence)
            by_text[row.later_message or row.message] = sentence
    return by_text | _OF_PARAMETERS
