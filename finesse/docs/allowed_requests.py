"""The requests that are allowed, in each state and for a user now, by the transition tables."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from finesse.users.models import User
from media.documents.user import desktop_of
from media.models import Media
from media.states import (
    DESKTOP_TRANSITIONS,
    MEDIA_STATES,
    TRANSITIONS,
    USER_STATES,
    Cell,
    Change,
    DesktopSession,
    Error,
    MediaSession,
    Mode,
    ModeLater,
    Options,
    Refused,
    Requested,
    Resume,
    Row,
    State,
    Stay,
    To,
    decide,
    decide_session,
)
from media.writing.mapping import desktop_session_of, media_session_of
from reasoncodes.models import Category, ReasonCode
from reasoncodes.selection import selectable_by

_MODES = {Requested.ROUTABLE: "routable true", Requested.NOT_ROUTABLE: "routable false"}
_ANY_OPTIONS = Options(max_dialog_limit=1, interrupt_action="ACCEPT")


@dataclass(frozen=True, slots=True)
class AllowedRequest:
    """A request that is allowed, and its outcome."""

    request: str
    outcome: str


@dataclass(frozen=True, slots=True)
class RefusedRequests:
    """Requests that end in the same error, and its name in the error table."""

    requests: str
    error: str


@dataclass(frozen=True, slots=True)
class StateRules:
    """States with the same rules, and these rules."""

    states: list[str]
    allowed: list[AllowedRequest]
    refused: list[RefusedRequests]


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The present state of a user's Media or desktop, and the requests that it allows."""

    name: str
    state: str
    routable: bool | None
    allowed: list[AllowedRequest]


@dataclass(frozen=True, slots=True)
class ReasonCodeChoices:
    """The reason codes that a user may choose for a state."""

    category: str
    reason_codes: list[ReasonCode]


def rules_of_media() -> list[StateRules]:
    return _states(TRANSITIONS, [*MEDIA_STATES, *_MODES])


def rules_of_desktops() -> list[StateRules]:
    return _states(DESKTOP_TRANSITIONS, USER_STATES)


def current_media(user: User) -> list[CurrentState]:
    """The user's Media, each with the requests that it allows now."""
    found = Media.objects.filter(user=user).select_related("mrd").order_by("mrd")
    return [_current_media(media) for media in found]


def current_desktop(user: User) -> CurrentState:
    session = desktop_session_of(desktop_of(user))

    def outcome(requested: Requested) -> str | None:
        change = Change(requested=requested, reason_code=session.reason_code, extension="1")
        decision = decide_session(session, change)
        return None if decision.error else _change(session, decision.session)

    return CurrentState("Desktop", session.state, None, _allowed(USER_STATES, outcome))


def reason_code_choices(user: User) -> list[ReasonCodeChoices]:
    return [
        ReasonCodeChoices(category, selectable_by(user, category)) for category in Category.values
    ]


def _current_media(media: Media) -> CurrentState:
    session = media_session_of(media)

    def outcome(requested: Requested) -> str | None:
        change = Change(requested=requested, reason_code=session.reason_code, options=_ANY_OPTIONS)
        decision = decide(session, change)
        return None if decision.error else _change(session, decision.session)

    name = f"{media.mrd.name} ({media.mrd_id})"
    requests = [*MEDIA_STATES, *_MODES]
    return CurrentState(name, session.state, session.routable, _allowed(requests, outcome))


def _allowed(
    requests: Collection[Requested], outcome: Callable[[Requested], str | None]
) -> list[AllowedRequest]:
    found = ((requested, outcome(requested)) for requested in _in_order(requests))
    return [AllowedRequest(_word(requested), text) for requested, text in found if text is not None]


def _change(before: MediaSession | DesktopSession, after: MediaSession | DesktopSession) -> str:
    if before.state != after.state:
        return after.state
    if isinstance(before, MediaSession) and isinstance(after, MediaSession):
        if before.routable != after.routable:
            return "routable" if after.routable else "not routable"
        if before.not_routable_next != after.not_routable_next:
            return _outcome(before.state, ModeLater())
    return _outcome(before.state, Stay())


def _states(table: Mapping[State, Row], requests: Collection[Requested]) -> list[StateRules]:
    """The rules of all states; states with the same rules stand together."""
    found: list[StateRules] = []
    for state, row in table.items():
        cells = {requested: row[requested] for requested in _in_order(requests)}
        rules = StateRules([state.value], _allowed_in(state, cells), _refused_in(cells))
        for other in found:
            if (other.allowed, other.refused) == (rules.allowed, rules.refused):
                other.states.append(state.value)
                break
        else:
            found.append(rules)
    return found


def _allowed_in(state: State, cells: Row) -> list[AllowedRequest]:
    return [
        AllowedRequest(_word(requested), _outcome(state, cell))
        for requested, cell in cells.items()
        if not isinstance(cell, Error | Refused)
    ]


def _refused_in(cells: Row) -> list[RefusedRequests]:
    by_error: dict[str, list[str]] = {}
    for requested, cell in cells.items():
        if isinstance(cell, Error | Refused):
            by_error.setdefault(cell.name, []).append(_word(requested))
    return [RefusedRequests(", ".join(words), error) for error, words in by_error.items()]


def _in_order(requests: Collection[Requested]) -> list[Requested]:
    return [requested for requested in Requested if requested in requests]


def _word(requested: Requested) -> str:
    return _MODES.get(requested, requested.value)


def _outcome(state: State, cell: Cell) -> str:
    match cell:
        case To(after) if after is not state:
            return after.value
        case To() if state is State.NOT_READY:
            return "another reason"
        case Mode(routable):
            return "routable" if routable else "not routable"
        case ModeLater():
            return "not routable once the offered task has been started"
        case Resume():
            return "READY or NOT_READY, as before"
        case _:
            return "stays as it is"
