"""THE TRANSITION TABLES: what a request does in each state. Pure data and arithmetic.

One table for a Media, one for the desktop, which is the user's session in the voice MRD. To add a
state, add it to `State` and give it a row; to change a transition, change one cell. Facts from
[Agent States for Nonvoice Media], [Media—Change State or Sign Out], [Media—Change Agent to
Routable/Not Routable] and [User API Errors].
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar


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
    """What can be asked for. LOGIN is transitive: nobody rests in it."""

    LOGIN = "LOGIN"
    READY = "READY"
    NOT_READY = "NOT_READY"
    LOGOUT = "LOGOUT"
    # Back to work after a lost connection. No page shows the body; the word is our reading.
    ACTIVE = "ACTIVE"
    ROUTABLE = "ROUTABLE"
    NOT_ROUTABLE = "NOT_ROUTABLE"
    # The system's own, and a supervisor's.
    FORCED_LOGOUT = "FORCED_LOGOUT"
    CONNECTION_LOST = "CONNECTION_LOST"


MEDIA_STATES = frozenset(
    {
        Requested.LOGIN,
        Requested.READY,
        Requested.NOT_READY,
        Requested.LOGOUT,
        Requested.ACTIVE,
    }
)
"""What the `<state>` of a Media may ask for."""

USER_STATES = MEDIA_STATES - {Requested.ACTIVE}
"""What the `<state>` of a User may ask for."""


@dataclass(frozen=True, slots=True)
class To:
    """The request leads to this state."""

    state: State


@dataclass(frozen=True, slots=True)
class Stay:
    """The request succeeds and leaves the state as it is."""


@dataclass(frozen=True, slots=True)
class Mode:
    """The request makes the agent routable or not; the state stays."""

    routable: bool


@dataclass(frozen=True, slots=True)
class ModeLater:
    """The agent becomes not routable once the offered task has been started, not before.

    An accepted task that has not been started defers it, too; such an agent is ACTIVE, and only
    the tasks can tell it from one who works.
    """


@dataclass(frozen=True, slots=True)
class Resume:
    """Back to where the lost connection took the agent from: READY or NOT_READY."""


@dataclass(frozen=True, slots=True)
class Error:
    """The request is accepted and ends in this error, by its name in the error table."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is not legal in this state: 400, or the same as a notification if the state
    came about only after the request was accepted."""

    name: str = "STATE_INVALID"


Cell = To | Stay | Mode | ModeLater | Resume | Error | Refused
Row = Mapping[Requested, Cell]

_L, _R, _N, _O = Requested.LOGIN, Requested.READY, Requested.NOT_READY, Requested.LOGOUT
_A, _YES, _NO = Requested.ACTIVE, Requested.ROUTABLE, Requested.NOT_ROUTABLE
_FORCED, _LOST = Requested.FORCED_LOGOUT, Requested.CONNECTION_LOST
_NOT_IN = Error("AGENT_NOT_LOGGED_IN")
_ALREADY_IN = Error("AGENT_ALREADY_LOGGED_IN")
_NOT_READY, _READY, _OUT = To(State.NOT_READY), To(State.READY), To(State.LOGOUT)
_REFUSED, _NO_MODE = Refused(), Refused("ROUTABLE_INVALID")
_NOT_NOW = Refused("INVALID_STATE")
_SIGNED_IN: Row = {
    _L: _ALREADY_IN,
    _R: _READY,
    _N: _NOT_READY,
    _O: _OUT,
    _A: _REFUSED,
    _YES: Mode(True),
    _NO: Mode(False),
    _FORCED: _OUT,
    _LOST: To(State.WORK),
}
# Tasks decide when an agent who works on them is ready again.
_WITH_TASKS: Row = {**_SIGNED_IN, _R: _REFUSED}

TRANSITIONS: Mapping[State, Row] = MappingProxyType(
    {
        State.LOGOUT: {
            **dict.fromkeys((_R, _N, _O, _YES, _NO), _NOT_IN),
            _L: _NOT_READY,
            _A: _REFUSED,
            **dict.fromkeys((_FORCED, _LOST), Stay()),
        },
        State.NOT_READY: _SIGNED_IN,
        State.READY: _SIGNED_IN,
        State.RESERVED: {**_WITH_TASKS, _NO: ModeLater()},
        State.ACTIVE: _WITH_TASKS,
        State.PAUSED: _WITH_TASKS,
        State.WORK_READY: _WITH_TASKS,
        State.INTERRUPTED: _WITH_TASKS,
        # Signing in again leads to NOT_READY, as there are no tasks to go on with.
        State.WORK: {
            **dict.fromkeys((_R, _N, _O), _REFUSED),
            _L: _NOT_READY,
            _A: Resume(),
            **dict.fromkeys((_YES, _NO), _NO_MODE),
            _FORCED: _OUT,
            _LOST: Stay(),
        },
    }
)
"""A Media: every state, everything that can be asked for."""

DESKTOP_TRANSITIONS: Mapping[State, Row] = MappingProxyType(
    {
        State.LOGOUT: {**dict.fromkeys((_R, _N, _O), _NOT_NOW), _L: _NOT_READY, _FORCED: Stay()},
        # Signing in again is forced, and keeps the state [User—Sign In to Finesse].
        State.NOT_READY: {_L: Stay(), _R: _READY, _N: _NOT_READY, _O: _OUT, _FORCED: _OUT},
        # The voice MRD signs out from NOT_READY only.
        State.READY: {_L: Stay(), _R: _READY, _N: _NOT_READY, _O: _NOT_NOW, _FORCED: _OUT},
    }
)
"""The desktop: the states of the voice MRD that need no telephone."""


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
    not_routable_next: bool = False
    """To be made not routable once the offered task has been started."""
    options: Options | None = None
    """None while signed out."""
    resume: State | None = None
    """While in WORK: where the agent was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What of a desktop a request can change."""

    state: State
    reason_code: int | None = None
    """The database id of the reason, for NOT_READY only."""
    extension: str = ""
    """The agent's telephone, named at sign-in; empty while signed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A request, as far as the tables are concerned."""

    requested: Requested
    reason_code: int | None = None
    options: Options | None = None
    extension: str = ""


Now = TypeVar("Now", Situation, Session)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[Now]):
    """What becomes of a wish: a new situation, or an error, or (sign-in repeated) both."""

    situation: Now
    error: str | None = None
    """A name in the error table."""


def refusal(
    state: State, requested: Requested, table: Mapping[State, Row] = TRANSITIONS
) -> str | None:
    """The error with which a request is refused before it is accepted, if it is."""
    cell = table[state][requested]
    return cell.name if isinstance(cell, Refused) else None


def decide(now: Situation, wish: Wish) -> Decision[Situation]:
    """Look the wish up. A situation equal to `now` and no error: nothing changed, as when a
    READY agent asks for READY, and nobody is told [Media—Change State or Sign Out]."""
    match TRANSITIONS[now.state][wish.requested]:
        case To(state):
            return Decision(situation=_arrive(now, state, wish))
        case Resume():
            state = State.NOT_READY if now.resume is State.NOT_READY else State.READY
            return Decision(situation=replace(now, state=state, routable=True, resume=None))
        case Mode(routable):
            return _switch(now, replace(now, routable=routable, not_routable_next=False))
        case ModeLater():
            return _switch(now, replace(now, not_routable_next=now.routable))
        case Error(name) if wish.requested is Requested.LOGIN:
            # The documented recovery after a failover: the state stays, the options are renewed.
            return Decision(situation=replace(now, options=wish.options), error=name)
        case Error(name) | Refused(name):
            return Decision(situation=now, error=name)
        case Stay():
            return Decision(situation=now)


def decide_session(now: Session, wish: Wish) -> Decision[Session]:
    """The same for a desktop."""
    match DESKTOP_TRANSITIONS[now.state][wish.requested]:
        case To(State.LOGOUT):
            return Decision(situation=Session(state=State.LOGOUT))
        case To(state):
            reason_code = wish.reason_code if state is State.NOT_READY else None
            extension = wish.extension or now.extension
            return Decision(
                situation=Session(state=state, reason_code=reason_code, extension=extension)
            )
        case Error(name) | Refused(name):
            return Decision(situation=now, error=name)
        case _:
            return Decision(situation=replace(now, extension=wish.extension or now.extension))


def _arrive(now: Situation, state: State, wish: Wish) -> Situation:
    if state is State.LOGOUT:
        return Situation(state=state)
    if state is State.WORK:
        return Situation(state=state, options=now.options, resume=now.state)
    # Signing in and getting ready make the agent routable; NOT_READY leaves it as it is, unless
    # it ends the offer that deferred the change of mode.
    routable = wish.requested in {Requested.LOGIN, Requested.READY} or now.routable
    return Situation(
        state=state,
        reason_code=wish.reason_code if state is State.NOT_READY else None,
        routable=routable and not now.not_routable_next,
        options=wish.options or now.options,
    )


def _switch(now: Situation, after: Situation) -> Decision[Situation]:
    error = "ALREADY_IN_REQUESTED_AGENT_MODE" if after == now else None
    return Decision(situation=after, error=error)
