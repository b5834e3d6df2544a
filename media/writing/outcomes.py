"""How each request of a batch ends, and what the log says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from finesse.api import errors
from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.notifications.nodes import MEDIA, USER
from finesse.users.names import names_of
from media.documents.origin import origin
from media.models import Cause, MediaRequest, Outcome, media_uri, user_uri
from media.states import Requested


@dataclass(slots=True)
class _Outgoing:
    """An entry for the log, and the request whose outcome it is: both get its position."""

    request: MediaRequest | None
    """None for what only goes along with an outcome, such as a copy on the node of the team."""
    entry: log.Entry


class Outcomes:
    """The outcomes of a batch that begins to be decided `at` this time."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._outgoing: list[_Outgoing] = []
        self._names: dict[str, str] = {}
        """Of the users who have asked for others, by login id."""
        self._from_queue: set[int] = set()
        """Requests that had waited for a place, by their `id()`: they have no other yet."""

    def conclude(
        self, request: MediaRequest, error: str | None, changed: Mapping[str, object] | None
    ) -> None:
        """Give the request one of the three outcomes: an error, a change, or nothing changed."""
        if error:
            self.fail(request, error)
        elif changed:
            self._publish(request, Outcome.CHANGED, changed)
        else:
            self.ignore(request)

    def fail(self, request: MediaRequest, name: str) -> None:
        """`name` is one of the error table."""
        error = errors.TABLE[name]()
        request.error = error.later_message
        self._publish(request, Outcome.ERROR, error.notification_data(media=request.mrd_id))

    def ignore(self, request: MediaRequest) -> None:
        """Nothing has changed, and nothing is published."""
        request.outcome, request.applied_at = Outcome.IGNORED, self._at

    def begin_to_wait(self, request: MediaRequest) -> None:
        """A change that waits has taken the request's place."""
        request.outcome, request.applied_at = Outcome.WAITING, self._at

    def comes_from_queue(self, request: MediaRequest) -> None:
        """Send to viewers that this request had waited for a place."""
        self._from_queue.add(id(request))

    def add(self, entries: Iterable[log.Entry]) -> None:
        """Publish these, too, behind what is there already."""
        self._outgoing.extend(_Outgoing(None, entry) for entry in entries)

    def write(self, head: LogHead) -> None:
        """Append to the log; each request gets its position there. Raises DatabaseError."""
        # The task publishes: a delivery that fails must stop the worker's heartbeat.
        written = log.append(head, [one.entry for one in self._outgoing], publish=False)
        for one, notification in zip(self._outgoing, written, strict=True):
            if one.request is not None:
                one.request.position = notification.position

    def _publish(self, request: MediaRequest, outcome: Outcome, data: Mapping[str, object]) -> None:
        request.outcome, request.applied_at = outcome, self._at
        node, source = USER.format(id=request.login_id), user_uri(request.login_id)
        if request.mrd_id is not None:
            node = MEDIA.format(id=request.login_id)
            source = media_uri(request.login_id, request.mrd_id)
        entry = log.Entry(
            node=node,
            source=source,
            data=data,
            request_id=request.request_id,
            is_error=outcome is Outcome.ERROR,
            context=self._context(request),
        )
        self._outgoing.append(_Outgoing(request, entry))

    def _context(self, request: MediaRequest) -> dict[str, object] | None:
        """Who has asked, and why, for viewers; None if it was the agent, without a note.

        The reason of a sign-out is in no Media, so it is here, also where the agent has asked.
        """
        told = _sign_out_reason(request)
        if id(request) in self._from_queue:
            told["fromQueue"] = True
        if request.cause == Cause.SELF and not request.note and not told:
            return None
        # Hundreds of agents may sign out at once: for a reason alone nobody's name is looked up.
        actor = request.actor if request.cause != Cause.SELF or request.note else ""
        if actor and actor not in self._names:
            # Few ask for others; a batch has one or two of them.
            self._names |= {actor: ""} | names_of([actor])
        by = origin(
            cause=request.cause,
            actor=actor,
            note=request.note,
            requested=request.requested,
            names=self._names,
        )
        return by | told


def _sign_out_reason(request: MediaRequest) -> dict[str, object]:
    code = request.reason_code
    if request.requested != Requested.LOGOUT or code is None:
        return {}
    return {"reason": {"id": str(code.pk), "label": code.label, "code": str(code.code)}}
