"""States, causes and reasons in the words of the people who read reports."""

from media.models import VOICE_MRD, Cause
from media.state_words import state_word

BY_SYSTEM = {
    Cause.SYSTEM: "the system",
    Cause.LIMIT: "the system: the time for the reason was over",
    Cause.DEACTIVATED: "the system: the user was deactivated",
    Cause.REMOVED: "the system: the user was taken out of the MRD",
    Cause.DELETED: "the system: the user was deleted",
}


def with_reason(state: str, label: str) -> str:
    """ "Not ready: Lunch"; a state without a reason alone."""
    return f"{state_word(state)}: {label}" if label else state_word(state)


def mrd_word(pk: int, name: str) -> str:
    """The voice MRD's history is that of the desktop."""
    return "Desktop" if pk == VOICE_MRD else name or f"MRD {pk}"


def brought_about_by(cause: str, actor: str, login_id: str, name: str) -> str:
    """Who has asked for a state; `name` is the actor's, empty if there is no such user any more."""
    if cause in BY_SYSTEM:
        return BY_SYSTEM[Cause(cause)]
    if cause == Cause.SELF or actor == login_id:
        return "the agent"
    return f"{name} ({actor})" if name else f"{actor or 'a supervisor'}"
