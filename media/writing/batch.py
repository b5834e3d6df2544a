"""A batch of requests being applied: reading first, arithmetic in memory, writing last."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.conf import settings
from django.utils import timezone

from finesse.api import errors
from finesse.db.bulk import Among, BulkUpdate, keys
from finesse.db.statements import Parameter, Statement
from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.notifications.nodes import MEDIA, USER
from finesse.users.models import User
from media.documents.media import represent
from media.documents.updates import of_changed_member
from media.documents.user import desktop_of, represent_user, with_desktops
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
from media.writing.mapping import session_of, set_session, set_situation, situation_of, wish_of
from media.writing.requests import new_request

logger = logging.getLogger(__name__)

VOICE_ONLY = "1"
"""The value of FINESSE_USER_SIGNOUT_CHANNEL with which the desktop signs out by itself."""


@dataclass(slots=True)
class _Told:
    """A notification, and the request whose outcome it tells, until both have a position."""

    request: MediaRequest | None
    """None if it tells the same once more, on another node."""
    entry: log.Entry


class Batch:
    """Take each request in its order, then write everything behind the head that is locked."""

    def __init__(self, requests: Sequence[MediaRequest]) -> None:
        self.requests = requests
        self.now = timezone.now()
        self.media = _media_of(requests)
        self.users = _users_of(requests)
        self.changed: dict[Key, Media] = {}
        self.changed_desktops: dict[str, Desktop] = {}
        self.intervals: dict[Key, list[StateInterval]] = {}
        self.told: list[_Told] = []
        self.consequences: list[MediaRequest] = []
        """Requests that others brought about, taken right after them."""

    def take(self, request: MediaRequest, *, give_up: bool = False) -> None:
        """Decide one request. Whatever goes wrong with it is its own outcome."""
        try:
            if give_up:
                self._fail(request, "INTERNAL_ERROR")
            elif request.mrd_id is None:
                self._decide_desktop(request)
            else:
                self._decide(request, request.mrd_id)
        except Exception:
            logger.exception("Applying request %s failed; it ends in an error", request.pk)
            self._fail(request, "INTERNAL_ERROR")

    def write(self, head: LogHead) -> None:
        _UPDATE_MEDIA(self.changed.values())
        _write_desktops(self.changed_desktops.values())
        self._write_history()
        written = log.append(head, [told.entry for told in self.told], publish=False)
        for told, notification in zip(self.told, written, strict=True):
            if told.request is not None:
                told.request.position = notification.position
        _CONCLUDE(self.requests)
        MediaRequest.objects.bulk_create(self.consequences)

    # --- a Media --------------------------------------------------------------------------------

    def _decide(self, request: MediaRequest, mrd_id: int) -> None:
        media = self.media.get((request.login_id, mrd_id))
        if media is None:
            self._fail(request, _why_no_media(request, mrd_id))
            return
        now = situation_of(media)
        decision = decide(now, wish_of(request))
        after = decision.situation
        if after != now:
            self.changed[media.user_id, media.mrd_id] = media
            set_situation(media, after, request)
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
        now = session_of(desktop)
        decision = decide_session(now, wish_of(request))
        after = decision.situation
        if after != now:
            self.changed_desktops[user.pk] = desktop
            set_session(desktop, after, request)
            if (now.state, now.reason_code) != (after.state, after.reason_code):
                self._enter(desktop, request, VOICE_MRD)
        changed = {"user": represent_user(user)} if after != now else None
        self._conclude(request, decision.error, changed)
        if changed and not decision.error:
            of_team = of_changed_member(changed["user"], user.team_id, request.request_id)
            self.told.extend(_Told(None, entry) for entry in of_team)
        if not decision.error and after.state is State.LOGOUT:
            self._sign_out_of_mrds(request)

    def _sign_out_of_mrds(self, request: MediaRequest) -> None:
        """What the desktop's sign-out brings about [User APIs for Nonvoice Tasks]."""
        if settings.FINESSE_USER_SIGNOUT_CHANNEL == VOICE_ONLY:
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

    # --- what becomes of a request --------------------------------------------------------------

    def _enter(self, subject: Media | Desktop, request: MediaRequest, mrd_id: int) -> None:
        subject.state_change_time = self.now
        interval = interval_of(subject, mrd_id, request, self.now)
        self.intervals.setdefault((interval.login_id, mrd_id), []).append(interval)

    def _conclude(
        self, request: MediaRequest, error: str | None, changed: Mapping[str, object] | None
    ) -> None:
        """One of the three outcomes: the error, what has changed, or nothing to tell."""
        if error:
            self._fail(request, error)
        elif changed:
            self._tell(request, Outcome.CHANGED, changed)
        else:
            request.outcome, request.applied_at = Outcome.IGNORED, self.now

    def _fail(self, request: MediaRequest, name: str) -> None:
        error = errors.TABLE[name]()
        request.error = error.message
        self._tell(request, Outcome.ERROR, error.told(media=request.mrd_id))

    def _tell(self, request: MediaRequest, outcome: Outcome, data: Mapping[str, object]) -> None:
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
        self.told.append(_Told(request, entry))

    def _write_history(self) -> None:
        """Close the interval that was open for each Media, and open the newest of the batch."""
        if not self.intervals:
            return
        close_intervals(self.intervals.keys(), self.now)
        for intervals in self.intervals.values():
            for interval in intervals[:-1]:
                interval.ended_at = self.now
        open_intervals([*chain(*self.intervals.values())])


_UPDATE_MEDIA = BulkUpdate(
    Media,
    (
        "state",
        "state_change_time",
        "reason_code",
        "routable",
        "not_routable_next",
        "max_dialog_limit",
        "interrupt_action",
        "dialog_logout_action",
        "resume",
    ),
)
_CONCLUDE = BulkUpdate(MediaRequest, ("outcome", "applied_at", "error", "position"))


def _write_desktops(desktops: Collection[Desktop]) -> None:
    """Those that are new, too."""
    if desktops:
        Desktop.objects.bulk_create(
            desktops,
            update_conflicts=True,
            unique_fields=["pk"],
            update_fields=["state", "state_change_time", "reason_code", "extension"],
        )


_MEDIA = Statement(
    lambda: (
        Media.objects.filter(Among("user", "mrd", Parameter("keys")))
        .select_related("mrd", "reason_code")
        .order_by()
    )
)


def _media_of(requests: Iterable[MediaRequest]) -> dict[Key, Media]:
    """The Media that the requests are about, and all of whoever signs out with the desktop."""
    wanted = {(one.login_id, one.mrd_id) for one in requests if one.mrd_id is not None}
    leaving = {
        one.login_id
        for one in requests
        if one.mrd_id is None and one.requested in {Requested.LOGOUT, Requested.FORCED_LOGOUT}
    }
    found = _MEDIA.all(keys=keys(wanted)) if wanted else []
    if leaving:
        found += Media.objects.filter(user__in=leaving).select_related("mrd", "reason_code")
    return {(media.user_id, media.mrd_id): media for media in found}


def _users_of(requests: Iterable[MediaRequest]) -> dict[str, User]:
    """The users whose desktops the requests are about, each with one, new or not."""
    login_ids = {one.login_id for one in requests if one.mrd_id is None}
    if not login_ids:
        return {}
    users = {user.pk: user for user in with_desktops(User.objects.filter(pk__in=login_ids))}
    for user in users.values():
        user.desktop = desktop_of(user)
    return users


def _why_no_media(request: MediaRequest, mrd_id: int) -> str:
    """The error of a request about a Media that does not exist, by its name in the table."""
    if mrd_id == VOICE_MRD:
        return "CANT_LOGIN_TO_VOICE_MRD"
    if not User.objects.filter(pk=request.login_id).exists():
        return "AGENT_NOT_FOUND"
    if not MediaRoutingDomain.objects.filter(pk=mrd_id).exists():
        return "MRD_LIST_ENTRY_NOT_FOUND"
    if request.requested == Requested.LOGIN:
        return "LOGIN_NOT_ALLOWED_FOR_APP_PATH"
    return "AGENT_NOT_LOGGED_IN"
