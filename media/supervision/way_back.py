"""The way back to a former session, by the transition tables alone. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from media.states import (
    AnySession,
    Change,
    Decision,
    DesktopSession,
    MediaSession,
    Options,
    Requested,
    State,
    decide,
    decide_session,
)


@dataclass(slots=True)
class _Walk:
    """Changes, and the session to which they have led."""

    session: Any
    decide: Callable[[Any, Change], Decision[Any]]
    steps: list[Change]

    def go(self, change: Change) -> None:
        self.steps.append(change)
        self.session = self.decide(self.session, change).session


def way_back(
    now: AnySession, former: AnySession, *, corrected: bool = False
) -> list[Change] | None:
    """The changes that lead from one session to a former one; None if the rules know no way.

    Nothing leads back to a task, for one. With `corrected` only the reason has changed, and the
    time in the state goes on.
    """
    is_media = isinstance(now, MediaSession)
    walk = _Walk(now, decide if is_media else decide_session, [])
    if corrected:
        walk.go(Change(requested=Requested.CORRECT_REASON, reason_code=former.reason_code))
    elif walk.session != former:
        _sign_in(walk, former)
        _enter(walk, former)
    if is_media and isinstance(former, MediaSession):
        _switch(walk, former)
    return walk.steps if walk.session == former else None


def _sign_in(walk: _Walk, former: MediaSession | DesktopSession) -> None:
    if walk.session.state is not State.LOGOUT or former.state is State.LOGOUT:
        return
    options = former.options if isinstance(former, MediaSession) else None
    extension = former.extension if isinstance(former, DesktopSession) else ""
    walk.go(Change(requested=Requested.LOGIN, options=options, extension=extension))


def _enter(walk: _Walk, former: MediaSession | DesktopSession) -> None:
    is_there = (walk.session.state, walk.session.reason_code) == (former.state, former.reason_code)
    if is_there or former.state not in (State.READY, State.NOT_READY):
        return
    requested = Requested(former.state.value)
    walk.go(Change(requested=requested, reason_code=former.reason_code))


def _switch(walk: _Walk, former: MediaSession) -> None:
    held = former.not_routable_next or not former.routable
    wanted = replace(
        walk.session, routable=former.routable, not_routable_next=former.not_routable_next
    )
    if walk.session != wanted:
        walk.go(Change(requested=Requested.NOT_ROUTABLE if held else Requested.ROUTABLE))


def media_session(former: dict[str, Any]) -> MediaSession:
    """A session that was kept as JSON."""
    options, resume = former["options"], former["resume"]
    return MediaSession(
        **{
            **former,
            "state": State(former["state"]),
            "options": Options(**options) if options else None,
            "resume": State(resume) if resume else None,
        }
    )


def desktop_session(former: dict[str, Any]) -> DesktopSession:
    return DesktopSession(**{**former, "state": State(former["state"])})
