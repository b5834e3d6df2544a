"""THE TRANSITION TABLES: what a request does in each state. Pure data and arithmetic.

One table for a Media, one for the desktop, which is the user's session in the voice MRD. To add a
state, add it to `State` and give it a row; to change a transition, change one word. Facts from
[Agent States for Nonvoice Media], [Media—Change State or Sign Out], [Media—Change Agent to
Routable/Not Routable] and [User API Errors].
"""

import re
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
    """What a request can ask for. LOGIN is no state: it leads to NOT_READY at once."""

    LOGIN = "LOGIN"
    READY = "READY"
    NOT_READY = "NOT_READY"
    LOGOUT = "LOGOUT"
    # Back to work after a lost connection. No page shows the body; the word is our reading.
    ACTIVE = "ACTIVE"
    ROUTABLE = "ROUTABLE"
    NOT_ROUTABLE = "NOT_ROUTABLE"
    # Not in any body: made by the system, or of a supervisor's LOGOUT.
    FORCED_LOGOUT = "FORCED_LOGOUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    # A supervisor puts the reason right; the time in the state goes on.
    CORRECT_REASON = "CORRECT_REASON"


MEDIA_STATES = frozenset(
    {
        Requested.LOGIN,
        Requested.READY,
        Requested.NOT_READY,
        Requested.LOGOUT,
        Requested.ACTIVE,
    }
)
"""The values that `<state>` may have in the body of a PUT Media."""

USER_STATES = MEDIA_STATES - {Requested.ACTIVE}
"""The values that `<state>` may have in the body of a PUT User."""


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

    An accepted task that has not been started defers it, too. Such an agent is ACTIVE, like one who
    works on a task: this service, which knows no tasks, makes both not routable at once.
    """


@dataclass(frozen=True, slots=True)
class Resume:
    """Back to the state before the connection was lost: READY or NOT_READY."""


@dataclass(frozen=True, slots=True)
class Correct:
    """The request gives the state another reason, as if it had been that one from the beginning."""


@dataclass(frozen=True, slots=True)
class Error:
    """The request is accepted and ends in this error: `name` is its name in the error table."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is not legal in this state: it is answered 400. If the Media came into this
    state only after the request was accepted, the error is published instead."""

    name: str = "STATE_INVALID"


Cell = To | Stay | Mode | ModeLater | Resume | Correct | Error | Refused
Row = Mapping[Requested, Cell]

WORDS: Mapping[str, Cell] = MappingProxyType(
    {
        **{state.value: To(state) for state in State},
        "stays": Stay(),
        "routable": Mode(True),
        "not routable": Mode(False),
        "deferred": ModeLater(),
        "resumes": Resume(),
        "corrected": Correct(),
        "not in": Error("AGENT_NOT_LOGGED_IN"),
        "already in": Error("AGENT_ALREADY_LOGGED_IN"),
        "refused": Refused(),
        "no mode": Refused("ROUTABLE_INVALID"),
        "not now": Refused("INVALID_STATE"),
        "no password": Error("INVALID_PASSWORD_SPECIFIED"),
    }
)
"""What the words in the tables mean. A state is where the request leads to."""


def _read(table: str) -> Mapping[State, Row]:
    """The table as data: a row for each state, a column for each request, two blanks or more
    between the cells. Raises ValueError for a table with a gap, KeyError for an unknown word."""
    head, *lines = [re.split(r"\s{2,}", line.strip()) for line in table.strip().splitlines()]
    requests = [Requested(name) for name in head[1:]]
    read = {
        State(name): MappingProxyType(
            {requested: WORDS[cell] for requested, cell in zip(requests, cells, strict=True)}
        )
        for name, *cells in lines
    }
    return MappingProxyType(read)


# In the states with tasks READY is refused: the tasks decide when the agent is ready again. From
# WORK, where a lost connection leads, signing in leads to NOT_READY: no tasks wait to be resumed.
# Cisco's sample gadget offers NOT_READY there, though the page of the states does not list it.
TRANSITIONS: Mapping[State, Row] = _read("""
state        LOGIN       READY    NOT_READY  LOGOUT   ACTIVE   ROUTABLE  NOT_ROUTABLE  FORCED_LOGOUT  CONNECTION_LOST  CORRECT_REASON
LOGOUT       NOT_READY   not in   not in     not in   refused  not in    not in        stays          stays            not in
NOT_READY    already in  READY    NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             corrected
READY        already in  READY    NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             refused
RESERVED     already in  refused  NOT_READY  LOGOUT   refused  routable  deferred      LOGOUT         WORK             refused
ACTIVE       already in  refused  NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             refused
PAUSED       already in  refused  NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             refused
WORK_READY   already in  refused  NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             refused
INTERRUPTED  already in  refused  NOT_READY  LOGOUT   refused  routable  not routable  LOGOUT         WORK             refused
WORK         NOT_READY   refused  NOT_READY  refused  resumes  no mode   no mode       LOGOUT         stays            refused
""")  # noqa: E501
"""A Media: every state, everything that can be asked for."""

# Signing in again is forced, and keeps the state [User—Sign In to Finesse]. The voice MRD signs out
# from NOT_READY only.
DESKTOP_TRANSITIONS: Mapping[State, Row] = _read("""
state      LOGIN      READY    NOT_READY    LOGOUT   FORCED_LOGOUT  CORRECT_REASON
LOGOUT     NOT_READY  not now  no password  not now  stays          not now
NOT_READY  stays      READY    NOT_READY    LOGOUT   LOGOUT         corrected
READY      stays      READY    NOT_READY    not now  LOGOUT         not now
""")
"""The desktop: the states of the voice MRD that need no telephone."""

if any(set(TRANSITIONS.get(state, ())) != set(Requested) for state in State):
    raise ValueError("TRANSITIONS needs a row for each State and a column for each Requested")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user chooses at sign-in."""

    max_dialog_limit: int
    interrupt_action: str
    dialog_logout_action: str = "CLOSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSession:
    """A user's session in one MRD: what a request can change of a Media."""

    state: State
    reason_code: int | None = None
    """The database id of the reason, for NOT_READY only."""
    routable: bool = False
    not_routable_next: bool = False
    """To be made not routable once the offered task has been started."""
    options: Options | None = None
    """None while signed out."""
    resume: State | None = None
    """While in WORK: the state before the connection was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesktopSession:
    """A user's session in the voice MRD: what a request can change of a desktop."""

    state: State
    reason_code: int | None = None
    """The database id of the reason, for NOT_READY only."""
    extension: str = ""
    """The agent's telephone, named at sign-in; empty while signed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A request, as far as it matters to the tables."""

    requested: Requested
    reason_code: int | None = None
    options: Options | None = None
    extension: str = ""


AnySession = TypeVar("AnySession", MediaSession, DesktopSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Generic[AnySession]):
    """The session after a change, and the error in which the request ends, if it does.

    Signing in again has both: an error, and renewed options.
    """

    session: AnySession
    error: str | None = None
    """A name in the error table."""


def refusal(
    state: State, requested: Requested, table: Mapping[State, Row] = TRANSITIONS
) -> str | None:
    """The name of the error with which a request is refused at once; None if it is accepted."""
    cell = table[state][requested]
    return cell.name if isinstance(cell, Refused) else None


def decide(now: MediaSession, change: Change) -> Decision[MediaSession]:
    """Look the change up in `TRANSITIONS`.

    A session equal to `now` and no error: nothing has changed, as when a READY agent asks for
    READY, and nothing is published [Media—Change State or Sign Out].
    """
    match TRANSITIONS[now.state][change.requested]:
        case To(state):
            return Decision(session=_arrive(now, state, change))
        case Resume():
            state = State.NOT_READY if now.resume is State.NOT_READY else State.READY
            return Decision(session=replace(now, state=state, routable=True, resume=None))
        case Correct():
            return Decision(session=replace(now, reason_code=change.reason_code))
        case Mode(routable):
            return _switch(now, replace(now, routable=routable, not_routable_next=False))
        case ModeLater():
            return _switch(now, replace(now, not_routable_next=now.routable))
        case Error(name) if change.requested is Requested.LOGIN:
            # The documented recovery after a failover: the state stays, the options are renewed.
            return Decision(session=replace(now, options=change.options), error=name)
        case Error(name) | Refused(name):
            return Decision(session=now, error=name)
        case Stay():
            return Decision(session=now)


def decide_session(now: DesktopSession, change: Change) -> Decision[DesktopSession]:
    """Look the change up in `DESKTOP_TRANSITIONS`, like `decide`."""
    match DESKTOP_TRANSITIONS[now.state][change.requested]:
        case To(State.LOGOUT):
            return Decision(session=DesktopSession(state=State.LOGOUT))
        case To(state):
            reason_code = change.reason_code if state is State.NOT_READY else None
            extension = change.extension or now.extension
            return Decision(
                session=DesktopSession(state=state, reason_code=reason_code, extension=extension)
            )
        case Correct():
            return Decision(session=replace(now, reason_code=change.reason_code))
        case Error(name) | Refused(name):
            return Decision(session=now, error=name)
        case _:
            return Decision(session=replace(now, extension=change.extension or now.extension))


def _arrive(now: MediaSession, state: State, change: Change) -> MediaSession:
    if state is State.LOGOUT:
        return MediaSession(state=state)
    if state is State.WORK:
        return MediaSession(state=state, options=now.options, resume=now.state)
    # Signing in and getting ready make the agent routable; NOT_READY leaves it as it is, unless
    # it ends the offer that deferred the change of mode.
    routable = change.requested in {Requested.LOGIN, Requested.READY} or now.routable
    return MediaSession(
        state=state,
        reason_code=change.reason_code if state is State.NOT_READY else None,
        routable=routable and not now.not_routable_next,
        options=change.options or now.options,
    )


def _switch(now: MediaSession, after: MediaSession) -> Decision[MediaSession]:
    error = "ALREADY_IN_REQUESTED_AGENT_MODE" if after == now else None
    return Decision(session=after, error=error)
