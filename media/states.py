"""THE TRANSITION TABLE: what a request does to a Media in each state. Pure data and arithmetic.

To add a state, add it to `State` and give it a row; to change a transition, change one cell.
Facts from [Agent States for Nonvoice Media] and [Media—Change State or Sign Out].
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    LOGOUT = "LOGOUT"
    NOT_READY = "NOT_READY"
    READY = "READY"
    RESERVED = "RESERVED"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    WORK_READY = "WORK_READY"
    INTERRUPTED = "INTERRUPTED"
    # On the wire Finesse prints CTI's Work-Not-Ready as WORK.
    WORK = "WORK"


class Requested(StrEnum):
    """What a user may ask for. LOGIN is transitive: nobody rests in it."""

    LOGIN = "LOGIN"
    READY = "READY"
    NOT_READY = "NOT_READY"
    LOGOUT = "LOGOUT"


@dataclass(frozen=True, slots=True)
class To:
    """The request leads to this state."""

    state: State


@dataclass(frozen=True, slots=True)
class Error:
    """The request is accepted and ends in this error, by its name in the error table."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is not legal in this state: 400, or the same as a notification if the state
    came about only after the request was accepted."""

    name: str = "STATE_INVALID"


Cell = To | Error | Refused
Row = Mapping[Requested, Cell]

_L, _R, _N, _O = Requested.LOGIN, Requested.READY, Requested.NOT_READY, Requested.LOGOUT
_NOT_IN = Error("AGENT_NOT_LOGGED_IN")
_ALREADY_IN = Error("AGENT_ALREADY_LOGGED_IN")
_NOT_READY, _READY, _OUT = To(State.NOT_READY), To(State.READY), To(State.LOGOUT)
_REFUSED = Refused()
# Tasks decide when an agent who works on them is ready again.
_WITH_TASKS: Row = {_L: _ALREADY_IN, _R: _REFUSED, _N: _NOT_READY, _O: _OUT}

TRANSITIONS: Mapping[State, Row] = MappingProxyType(
    {
        State.LOGOUT: {_L: _NOT_READY, _R: _NOT_IN, _N: _NOT_IN, _O: _NOT_IN},
        State.NOT_READY: {_L: _ALREADY_IN, _R: _READY, _N: _NOT_READY, _O: _OUT},
        State.READY: {_L: _ALREADY_IN, _R: _READY, _N: _NOT_READY, _O: _OUT},
        State.RESERVED: _WITH_TASKS,
        State.ACTIVE: _WITH_TASKS,
        State.PAUSED: _WITH_TASKS,
        State.WORK_READY: _WITH_TASKS,
        State.INTERRUPTED: _WITH_TASKS,
        # Signing in again is the way back; without tasks it leads to NOT_READY.
        State.WORK: {_L: _NOT_READY, _R: _REFUSED, _N: _REFUSED, _O: _REFUSED},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user chooses at sign-in."""

    max_dialog_limit: int
    interrupt_action: str
    dialog_logout_action: str = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What of a Media a request can change."""

    state: State
    reason_code: int | None = None
    """The database id of the reason, for NOT_READY only."""
    routable: bool = False
    options: Options | None = None
    """None while signed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request, as far as the table is concerned."""

    requested: Requested
    reason_code: int | None = None
    options: Options | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of a wish: a new situation, or an error, or (sign-in repeated) both."""

    situation: Situation
    error: str | None = None
    """A name in the error table."""


def refusal(state: State, requested: Requested) -> str | None:
    """The error with which a request is refused before it is accepted, if it is."""
    cell = TRANSITIONS[state][requested]
    return cell.name if isinstance(cell, Refused) else None


def decide(now: Situation, wish: Wish) -> Decision:
    """Look the wish up. A situation equal to `now` and no error: nothing changed, as when a
    READY agent asks for READY, and nobody is told [Media—Change State or Sign Out]."""
    match TRANSITIONS[now.state][wish.requested]:
        case To(state):
            return Decision(situation=_arrive(now, state, wish))
        case Error(name) if wish.requested is Requested.LOGIN:
            # The documented recovery after a failover: the state stays, the options are renewed.
            return Decision(situation=replace(now, options=wish.options), error=name)
        case Error(name) | Refused(name):
            return Decision(situation=now, error=name)


def _arrive(now: Situation, state: State, wish: Wish) -> Situation:
    if state is State.LOGOUT:
        return Situation(state=state)
    return Situation(
        state=state,
        reason_code=wish.reason_code if state is State.NOT_READY else None,
        # Signing in and getting ready make the agent routable; NOT_READY leaves it as it is.
        routable=wish.requested in {Requested.LOGIN, Requested.READY} or now.routable,
        options=wish.options or now.options,
    )
