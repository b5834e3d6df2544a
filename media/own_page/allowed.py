"""What an agent may ask for in each state, and why not: THE TRANSITION TABLES, for a page."""

from collections.abc import Mapping
from typing import Any

from media.state_words import STATE_WORDS
from media.states import (
    Cell,
    Error,
    Mode,
    ModeLater,
    Refused,
    Requested,
    Resume,
    Row,
    State,
    Stay,
    To,
)

OF_AGENTS = (
    Requested.LOGIN,
    Requested.READY,
    Requested.NOT_READY,
    Requested.LOGOUT,
    Requested.ACTIVE,
    Requested.ROUTABLE,
    Requested.NOT_ROUTABLE,
)
"""What bodies of PUTs can say."""


def allowed(table: Mapping[State, Row]) -> dict[str, dict[str, dict[str, Any]]]:
    """By state and request: `leadsTo` a state, the mode `routable`, or `why` not.

    An empty cell is allowed and changes no state. `later` says that the mode changes after the task
    that is offered now.
    """
    return {
        state: {
            requested: _cell(table, state, requested, row[requested])
            for requested in OF_AGENTS
            if requested in row
        }
        for state, row in table.items()
    }


def _cell(
    table: Mapping[State, Row], state: State, requested: Requested, cell: Cell
) -> dict[str, Any]:
    match cell:
        case To(to):
            return {"leadsTo": to}
        case Mode(routable):
            return {"routable": routable}
        case ModeLater():
            return {"routable": False, "later": True}
        case Error() | Refused():
            return {"why": _why(table, state, requested)}
        case _:
            return {}


def _why(table: Mapping[State, Row], state: State, requested: Requested) -> str:
    if state is State.LOGOUT and requested is not Requested.ACTIVE:
        return "You are signed out; sign in first."
    if requested is Requested.LOGIN:
        return "You are signed in already."
    possible = [
        STATE_WORDS[other]
        for other, row in table.items()
        if isinstance(row[requested], To | Stay | Mode | ModeLater | Resume)
    ]
    names = " or ".join(f"“{name}”" for name in possible)
    return f"Only while you are {names}."
