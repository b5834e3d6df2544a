"""Applies a batch of requests: reads all rows first, decides in memory, writes all rows last."""

from collections.abc import Sequence

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from finesse import log_context
from finesse.notifications.models import LogHead
from finesse.users.models import User
from media.breaks.places import Places
from media.breaks.queues import Queues
from media.documents.media import represent
from media.documents.updates import of_changed_member
from media.documents.user import represent_user
from media.documents.waiting import entries_of
from media.models import (
    VOICE_MRD,
    Cause,
    Desktop,
    Media,
    MediaRequest,
    MediaRoutingDomain,
)
from media.states import (
    AnySession,
    Decision,
    DesktopSession,
    MediaSession,
    Requested,
    State,
    decide,
    decide_session,
)
from media.supervision_tables import WaitingChange, WaitingOutcome, WaitsFor
from media.writing.history import History, Key
from media.writing.mapping import (
    change_of,
    desktop_session_of,
    media_session_of,
    set_desktop_session,
    set_media_session,
)
from media.writing.options import lets_requests_wait, signs_out_of_mrds
from media.writing.outcomes import Outcomes
from media.writing.requests import new_request
from media.writing.rows import (
    conclude,
    deactivated_of,
    media_of,
    to_correct,
    update_media,
    users_of,
    write_desktops,
)
from media.writing.waiting import Subject, Waiting, may_wait


class UndecidedError(Exception):
    """A request could not be decided, by a fault of ours."""

    def __init__(self, request: MediaRequest, waiting: WaitingChange | None = None) -> None:
        super().__init__(f"Request {request.pk} could not be applied")
        self.request = request
        self.waiting = waiting
        """The change of a queue that it was made for: another agent's request may have led to it,
        and is not to blame."""


class Batch:
    """Call `take` for each request in its order, then `write`, all under the writer's lock.

    Requests that are not saved yet (`saved=False`) are saved with their outcomes.
    """

    def __init__(self, requests: Sequence[MediaRequest], *, saved: bool = True) -> None:
        self.requests = requests
        self.saved = saved
        self.now = timezone.now()
        self.waiting = Waiting(requests)
        concerned: list[MediaRequest | WaitingChange] = [*requests, *self.waiting.queued]
        self.media = media_of(concerned, self.waiting.signing_out)
        self.users = users_of(concerned)
        self.barred = deactivated_of(requests)
        self.places = Places([*requests, *self.waiting.open])
        self.changed: dict[Key, Media] = {}
        self.changed_desktops: dict[str, Desktop] = {}
        self.history = History(self.now, to_correct(requests))
        self.outcomes = Outcomes(self.now)
        self.consequences: list[MediaRequest] = []
        """The requests that a change brings along, taken right after it: those of a desktop's
        sign-out, and what waited for the change or for a place."""

    def take(self, request: MediaRequest, *, give_up: bool = False) -> None:
        """Decide one request, and let those who wait have the places that it leaves. Raises
        UndecidedError for an unforeseen error: the batch, which may have a part of the request, is
        then of no use.

        With `give_up` it is not even decided, and ends in an error.
        """
        self._take(request, give_up=give_up)
        self.serve_queues()

    def serve_queues(self) -> None:
        """Let all who wait for a place go there that is free, in the order of their turns, and end
        what waits where nobody may wait any more. Raises UndecidedError, like `take`."""
        while waiting := self.waiting.next_in_queue(
            self.places.has_place, self.places.has_queue, self.now
        ):
            if waiting.outcome == WaitingOutcome.APPLIED:
                self._request_what_waited(waiting)

    def _take(self, request: MediaRequest, *, give_up: bool = False) -> None:
        subject = log_context.subject.set(request)
        try:
            if give_up:
                self.outcomes.fail(request, "INTERNAL_ERROR")
                self.waiting.give_up((request.login_id, request.mrd_id), self.now)
            elif request.requested == Requested.LOGIN and request.login_id in self.barred:
                self.outcomes.fail(request, "AGENT_NOT_FOUND")
            elif request.mrd_id is None:
                self._decide_desktop(request)
            else:
                self._decide(request, request.mrd_id)
        except (DatabaseError, InterfaceError, UndecidedError):
            raise
        except Exception as error:
            raise UndecidedError(request) from error
        finally:
            log_context.subject.reset(subject)

    def write(self, head: LogHead) -> None:
        """Write states, history, notifications and outcomes. Raises DatabaseError."""
        update_media(self.changed.values())
        write_desktops(self.changed_desktops.values())
        self.history.write()
        self._tell_of_waiting()
        self.outcomes.write(head)
        if self.saved:
            conclude(self.requests)
        new = [] if self.saved else self.requests
        MediaRequest.objects.bulk_create([*new, *self.consequences])

    # --- a Media --------------------------------------------------------------------------------

    def _decide(self, request: MediaRequest, mrd_id: int) -> None:
        media = self.media.get((request.login_id, mrd_id))
        if media is None:
            self.outcomes.fail(request, _why_no_media(request, mrd_id))
            return
        now = media_session_of(media)
        decision = decide(now, change_of(request))
        after = decision.session
        is_another = _is_another(request, now, after)
        if self._waits(request, now, decision):
            return
        self.places.move(media.user_id, mrd_id, now.reason_code, after.reason_code)
        if after != now:
            self.changed[media.user_id, media.mrd_id] = media
            set_media_session(media, after, request)
            self._write_down(media, mrd_id, request, is_another)
        changed = {"Media": represent(media)} if after != now else None
        self.outcomes.conclude(request, decision.error, changed)
        if is_another:
            self._take_waiting((media.user_id, media.mrd_id), after.state)

    # --- a desktop ------------------------------------------------------------------------------

    def _decide_desktop(self, request: MediaRequest) -> None:
        user = self.users.get(request.login_id)
        if user is None:
            self.outcomes.fail(request, "AGENT_NOT_FOUND")
            return
        desktop = user.desktop
        now = desktop_session_of(desktop)
        decision = decide_session(now, change_of(request))
        after = decision.session
        is_another = _is_another(request, now, after)
        if self._waits(request, now, decision):
            return
        self.places.move(user.pk, VOICE_MRD, now.reason_code, after.reason_code)
        if after != now:
            self.changed_desktops[user.pk] = desktop
            set_desktop_session(desktop, after, request)
            self._write_down(desktop, VOICE_MRD, request, is_another)
        changed = {"user": represent_user(user)} if after != now else None
        self.outcomes.conclude(request, decision.error, changed)
        if changed and not decision.error:
            self.outcomes.add(of_changed_member(changed["user"], user.team_id, request.request_id))
        if is_another:
            self._take_waiting((user.pk, None), after.state)
        if not decision.error and after.state is State.LOGOUT:
            self._sign_out_of_mrds(request)

    def _sign_out_of_mrds(self, request: MediaRequest) -> None:
        """Sign the user out of all MRDs along with the desktop, if the request or else the setting
        says so [User APIs for Nonvoice Tasks]."""
        everywhere = request.logout_all_media
        if everywhere is None:
            everywhere = signs_out_of_mrds()
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
                    note=request.note,
                )
                self.consequences.append(consequence)
                self._take(consequence)

    def _write_down(
        self, subject: Media | Desktop, mrd_id: int, request: MediaRequest, is_another: bool
    ) -> None:
        if is_another:
            self.history.enter(subject, mrd_id, request)
        elif request.requested == Requested.CORRECT_REASON:
            self.history.correct(subject, mrd_id, request)

    # --- what waits -----------------------------------------------------------------------------

    def _take_waiting(self, subject: Subject, state: State) -> None:
        """Take the change that waits for this state of the Media or the desktop."""
        waiting = self.waiting.after(subject, state, self.now)
        if waiting and waiting.outcome == WaitingOutcome.APPLIED:
            self._request_what_waited(waiting)

    def _request_what_waited(self, waiting: WaitingChange) -> None:
        request = new_request(
            waiting.login_id,
            waiting.mrd_id,
            Requested(waiting.requested),
            reason_code=waiting.reason_code,
            cause=Cause(waiting.cause),
            actor=waiting.actor,
            logout_all_media=waiting.logout_all_media,
            request_id=waiting.request_id or "",
            note=waiting.note,
            accepted_at=self.now,
        )
        self.consequences.append(request)
        if waiting.waits_for == WaitsFor.PLACE:
            self.outcomes.comes_from_queue(request)
        try:
            self._take(request)
        except UndecidedError as error:
            if waiting.waits_for == WaitsFor.PLACE:
                error.waiting = waiting
            raise

    def _waits(
        self, request: MediaRequest, now: AnySession, decision: Decision[AnySession]
    ) -> bool:
        """Whether the request is not applied now: the rules, or a break that is full, forbid it. It
        waits then, where requests do, and otherwise ends in the error."""
        if decision.error is not None:
            if not _may_wait(request, now.state):
                return False
            self._begin_to_wait(request, WaitsFor.RULES)
        elif decision.session == now or not self.places.refuses(request):
            return False
        elif lets_requests_wait() and self.places.has_queue(request):
            self._begin_to_wait(request, WaitsFor.PLACE)
        else:
            self.outcomes.fail(request, "REASON_CODE_FULL")
        return True

    def _begin_to_wait(self, request: MediaRequest, waits_for: WaitsFor) -> None:
        if self.waiting.has(request):
            # Who asks again keeps the turn.
            self.outcomes.ignore(request)
        else:
            self.outcomes.begin_to_wait(request)
            self.waiting.begin(request, waits_for, self.now)

    def _tell_of_waiting(self) -> None:
        begun = {one.pk: one for one in self.waiting.write()}
        ended = {one.pk: one for one in self.waiting.ended}
        if not begun and not ended:
            return
        queues = Queues(self.waiting.queued, self.places.teams)
        places = queues.in_queues_of([*begun.values(), *ended.values()])
        self.outcomes.add(entries_of(begun, ended, places))


def _is_another(
    request: MediaRequest,
    before: MediaSession | DesktopSession,
    after: MediaSession | DesktopSession,
) -> bool:
    """Whether the state, or the reason for it, is another one now: a correction says what it was
    all along."""
    if request.requested == Requested.CORRECT_REASON:
        return False
    return (before.state, before.reason_code) != (after.state, after.reason_code)


def _may_wait(request: MediaRequest, state: State) -> bool:
    """Whether this request, which the rules refuse in this state, may wait for another."""
    return (
        request.cause == Cause.SELF
        and lets_requests_wait()
        and may_wait(request.mrd_id, state, Requested(request.requested))
    )


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
