"""Applies a batch of requests: reads all rows first, decides in memory, writes all rows last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from finesse.api import errors
from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.notifications.nodes import MEDIA, USER
from finesse.users.models import User
from media.documents.media import represent
from media.documents.updates import of_changed_member
from media.documents.user import represent_user
from media.models import (
    VOICE_MRD,
    Cause,
    Desktop,
    Media,
    MediaRequest,
    MediaRoutingDomain,
    Outcome,
    StateInterval,
    media_uri,
    user_uri,
)
from media.states import Requested, State, decide, decide_session
from media.writing.history import Key, close_intervals, interval_of, open_intervals
from media.writing.mapping import (
    change_of,
    desktop_session_of,
    media_session_of,
    set_desktop_session,
    set_media_session,
)
from media.writing.requests import new_request
from media.writing.rows import (
    conclude,
    deactivated_of,
    media_of,
    update_media,
    users_of,
    write_desktops,
)

VOICE_ONLY = "1"
"""The value of FINESSE_USER_SIGNOUT_CHANNEL with which signing out of the desktop leaves the MRDs
alone."""


class UndecidedError(Exception):
    """A request could not be decided, by a fault of ours."""


@dataclass(slots=True)
class _Outgoing:
    """An entry for the log, and the request whose outcome it is: both get its position."""

    request: MediaRequest | None
    """None for a copy on the node of the team."""
    entry: log.Entry


class Batch:
    """Call `take` for each request in its order, then `write`, all under the writer's lock.

    Requests that are not saved yet (`saved=False`) are saved with their outcomes.
    """

    def __init__(self, requests: Sequence[MediaRequest], *, saved: bool = True) -> None:
        self.requests = requests
        self.saved = saved
        self.now = timezone.now()
        self.media = media_of(requests)
        self.users = users_of(requests)
        self.barred = deactivated_of(requests)
        self.changed: dict[Key, Media] = {}
        self.changed_desktops: dict[str, Desktop] = {}
        self.intervals: dict[Key, list[StateInterval]] = {}
        self.outgoing: list[_Outgoing] = []
        self.consequences: list[MediaRequest] = []
        """The requests that a desktop's sign-out makes, taken right after it."""

    def take(self, request: MediaRequest, *, give_up: bool = False) -> None:
        """Decide one request. Raises UndecidedError for an unforeseen error: the batch, which may
        have a part of the request, is then of no use.

        With `give_up` it is not even decided, and ends in an error.
        """
        try:
            if give_up:
                self._fail(request, "INTERNAL_ERROR")
            elif request.requested == Requested.LOGIN and request.login_id in self.barred:
                self._fail(request, "AGENT_NOT_FOUND")
            elif request.mrd_id is None:
                self._decide_desktop(request)
            else:
                self._decide(request, request.mrd_id)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:
            raise UndecidedError(f"Request {request.pk} could not be applied") from error

    def write(self, head: LogHead) -> None:
        """Write states, history, notifications and outcomes. Raises DatabaseError."""
        update_media(self.changed.values())
        write_desktops(self.changed_desktops.values())
        self._write_history()
        # The task publishes: a delivery that fails must stop the worker's heartbeat.
        written = log.append(head, [one.entry for one in self.outgoing], publish=False)
        for one, notification in zip(self.outgoing, written, strict=True):
            if one.request is not None:
                one.request.position = notification.position
        if self.saved:
            conclude(self.requests)
        new = [] if self.saved else self.requests
        MediaRequest.objects.bulk_create([*new, *self.consequences])

    # --- a Media --------------------------------------------------------------------------------

    def _decide(self, request: MediaRequest, mrd_id: int) -> None:
        media = self.media.get((request.login_id, mrd_id))
        if media is None:
            self._fail(request, _why_no_media(request, mrd_id))
            return
        now = media_session_of(media)
        decision = decide(now, change_of(request))
        after = decision.session
        if after != now:
            self.changed[media.user_id, media.mrd_id] = media
            set_media_session(media, after, request)
            if (now.state, now.reason_code) != (after.state, after.reason_code):
                self._enter(media, request, media.mrd_id)
        changed = {"Media": represent(media)} if after != now else None
        self._conclude(request, decision.error, changed)

    # --- a desktop ------------------------------------------------------------------------------

    def _decide_desktop(self, request: MediaRequest) -> None:
        user = self.users.get(request.login_id)
        if user is None:
            self._fail(request, "AGENT_NOT_FOUND")
            return
        desktop = user.desktop
        now = desktop_session_of(desktop)
        decision = decide_session(now, change_of(request))
        after = decision.session
        if after != now:
            self.changed_desktops[user.pk] = desktop
            set_desktop_session(desktop, after, request)
            if (now.state, now.reason_code) != (after.state, after.reason_code):
                self._enter(desktop, request, VOICE_MRD)
        changed = {"user": represent_user(user)} if after != now else None
        self._conclude(request, decision.error, changed)
        if changed and not decision.error:
            of_team = of_changed_member(changed["user"], user.team_id, request.request_id)
            self.outgoing.extend(_Outgoing(None, entry) for entry in of_team)
        if not decision.error and after.state is State.LOGOUT:
            self._sign_out_of_mrds(request)

    def _sign_out_of_mrds(self, request: MediaRequest) -> None:
        """Sign the user out of all MRDs along with the desktop, if the request or else the setting
        says so [User APIs for Nonvoice Tasks]."""
        everywhere = request.logout_all_media
        if everywhere is None:
            everywhere = settings.FINESSE_USER_SIGNOUT_CHANNEL != VOICE_ONLY
        if not everywhere:
            return
        for (login_id, mrd_id), media in sorted(self.media.items()):
            if login_id == request.login_id and media.state != State.LOGOUT:
                consequence = new_request(
                    login_id,
                    mrd_id,
                    Requested.FORCED_LOGOUT,
                    reason_code=request.reason_code,
                    cause=Cause(request.cause),
                    actor=request.actor,
                    accepted_at=self.now,
                )
                self.consequences.append(consequence)
                self.take(consequence)

    # --- the outcome of a request ---------------------------------------------------------------

    def _enter(self, subject: Media | Desktop, request: MediaRequest, mrd_id: int) -> None:
        subject.state_change_time = self.now
        interval = interval_of(subject, mrd_id, request, self.now)
        self.intervals.setdefault((interval.login_id, mrd_id), []).append(interval)

    def _conclude(
        self, request: MediaRequest, error: str | None, changed: Mapping[str, object] | None
    ) -> None:
        """Give the request one of the three outcomes: an error, a change, or nothing changed."""
        if error:
            self._fail(request, error)
        elif changed:
            self._publish(request, Outcome.CHANGED, changed)
        else:
            request.outcome, request.applied_at = Outcome.IGNORED, self.now

    def _fail(self, request: MediaRequest, name: str) -> None:
        error = errors.TABLE[name]()
        request.error = error.later_message
        self._publish(request, Outcome.ERROR, error.notification_data(media=request.mrd_id))

    def _publish(self, request: MediaRequest, outcome: Outcome, data: Mapping[str, object]) -> None:
        request.outcome, request.applied_at = outcome, self.now
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
        )
        self.outgoing.append(_Outgoing(request, entry))

    def _write_history(self) -> None:
        """End the open interval of each Media and desktop, and begin the newest of the batch."""
        if not self.intervals:
            return
        close_intervals(self.intervals.keys(), self.now)
        for intervals in self.intervals.values():
            for interval in intervals[:-1]:
                interval.ended_at = self.now
        open_intervals([*chain(*self.intervals.values())])


def _why_no_media(request: MediaRequest, mrd_id: int) -> str:
    """The name of the error in which a request about a Media that does not exist ends."""
    if mrd_id == VOICE_MRD:
        return "CANT_LOGIN_TO_VOICE_MRD"
    if not User.objects.filter(pk=request.login_id).exists():
        return "AGENT_NOT_FOUND"
    if not MediaRoutingDomain.objects.filter(pk=mrd_id).exists():
        return "MRD_LIST_ENTRY_NOT_FOUND"
    if request.requested == Requested.LOGIN:
        return "LOGIN_NOT_ALLOWED_FOR_APP_PATH"
    return "AGENT_NOT_LOGGED_IN"
