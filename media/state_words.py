"""What people call states and requests; clients and documents have the protocol's names."""

from collections.abc import Iterable

from media.states import Requested, State

STATE_WORDS = {
    State.READY: "Ready",
    State.RESERVED: "Reserved",
    State.ACTIVE: "Active",
    State.PAUSED: "Paused",
    State.INTERRUPTED: "Interrupted",
    State.WORK: "Connection lost",
    State.WORK_READY: "Wrapping up",
    State.NOT_READY: "Not ready",
    State.LOGOUT: "Signed out",
}
"""In the order in which reports show them."""


REQUEST_WORDS = {
    Requested.LOGIN: "Sign in",
    Requested.READY: "Ready",
    Requested.NOT_READY: "Not ready",
    Requested.LOGOUT: "Sign out",
    Requested.ACTIVE: "Back after a lost connection",
    Requested.ROUTABLE: "Routable",
    Requested.NOT_ROUTABLE: "Not routable",
    Requested.FORCED_LOGOUT: "Sign out, by a supervisor or the system",
    Requested.CONNECTION_LOST: "Connection lost",
    Requested.CORRECT_REASON: "Correct the reason",
}


def state_word(state: str) -> str:
    return STATE_WORDS.get(State(state), state)


def choices(members: Iterable[State | Requested]) -> list[tuple[str, str]]:
    """For a column that has these values."""
    return [
        (one.value, REQUEST_WORDS[one] if isinstance(one, Requested) else STATE_WORDS[one])
        for one in members
    ]
