"""The writer: applies accepted requests, one batch at a time, and tells what became of them.

It holds the lock of the log's head while it works, so there is one writer at a time whatever
number of workers run, and its batch becomes visible whole: Media, history, notifications and
outcomes together, or nothing.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Model
from django.utils import timezone

from finesse.api import errors
from finesse.notifications import log
from finesse.notifications.models import LogHead
from finesse.notifications.nodes import MEDIA
from finesse.users.models import User
from media.history import Key, close_intervals, interval_of, open_intervals
from media.models import (
    VOICE_MRD,
    Media,
    MediaRequest,
    MediaRoutingDomain,
    Outcome,
    StateInterval,
    media_uri,
)
from media.serializers import represent
from media.states import Decision, Options, Requested, Situation, State, Wish, decide

logger = logging.getLogger(__name__)

BATCH = 200
"""Requests applied in one transaction: large enough to be cheap, short enough not to be felt."""


def apply_pending() -> bool:
    """Apply one batch of pending requests in their order; False if none can have been left.

    A batch that the database refuses is applied request by request, so that one bad request
    cannot hold up the others; that one ends in an error of its own.
    """
    try:
        return _apply(BATCH) == BATCH
    except (OperationalError, InterfaceError):
        raise  # The database is away, not the request bad: the sweep tries again.
    except DatabaseError:
        logger.exception("A batch was refused; applying its requests one by one")
    try:
        return _apply(1) == 1
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        logger.exception("A request was refused; it ends in an error")
        return _apply(1, give_up=True) == 1


def _apply(limit: int, *, give_up: bool = False) -> int:
    with transaction.atomic():
        head = log.lock()
        requests = list(
            MediaRequest.objects.filter(outcome=None)
            .order_by("id")
            .select_related("reason_code")[:limit]
        )
        if requests:
            batch = _Batch(requests)
            for request in requests:
                batch.take(request, give_up=give_up)
            batch.write(head)
    return len(requests)


@dataclass(slots=True)
class _Told:
    """A request with the notification that tells its outcome, until both have a position."""

    request: MediaRequest
    entry: log.Entry


class _Batch:
    """Requests being applied: all reading first, all arithmetic in memory, all writing last."""

    def __init__(self, requests: Sequence[MediaRequest]) -> None:
        self.requests = requests
        self.now = timezone.now()
        self.media = _media_of({(request.login_id, request.mrd_id) for request in requests})
        self.changed: dict[Key, Media] = {}
        self.intervals: dict[Key, list[StateInterval]] = {}
        self.told: list[_Told] = []

    def take(self, request: MediaRequest, *, give_up: bool = False) -> None:
        """Decide one request. Whatever goes wrong with it is its own outcome."""
        try:
            if give_up:
                self._fail(request, "INTERNAL_ERROR")
            else:
                self._decide(request)
        except Exception:
            logger.exception("Applying request %s failed; it ends in an error", request.pk)
            self._fail(request, "INTERNAL_ERROR")

    def _decide(self, request: MediaRequest) -> None:
        media = self.media.get((request.login_id, request.mrd_id))
        if media is None:
            self._fail(request, _why_no_media(request))
            return
        now = situation_of(media)
        decision = decide(now, _wish_of(request))
        if decision.situation != now:
            self._change(media, request, decision)
        if decision.error:
            self._fail(request, decision.error)
        elif decision.situation != now:
            self._tell(request, Outcome.CHANGED, {"Media": represent(media)})
        else:
            request.outcome, request.applied_at = Outcome.IGNORED, self.now

    def _change(self, media: Media, request: MediaRequest, decision: Decision) -> None:
        before, after = situation_of(media), decision.situation
        key = media.user_id, media.mrd_id
        self.changed[key] = media
        _set_situation(media, after, request)
        if (before.state, before.reason_code) != (after.state, after.reason_code):
            media.state_change_time = self.now
            self.intervals.setdefault(key, []).append(interval_of(media, request, self.now))

    def _fail(self, request: MediaRequest, name: str) -> None:
        row = errors.TABLE[name]
        request.error = row.message
        error = {
            "errorData": row.data,
            "errorMedia": request.mrd_id,
            "errorMessage": row.message,
            "errorType": row.type,
        }
        self._tell(request, Outcome.ERROR, {"apiErrors": {"apiError": error}})

    def _tell(self, request: MediaRequest, outcome: Outcome, data: dict[str, object]) -> None:
        request.outcome, request.applied_at = outcome, self.now
        entry = log.Entry(
            node=MEDIA.format(id=request.login_id),
            source=media_uri(request.login_id, request.mrd_id),
            data=data,
            request_id=request.request_id,
            is_error=outcome is Outcome.ERROR,
        )
        self.told.append(_Told(request, entry))

    def write(self, head: LogHead) -> None:
        _update(self.changed.values(), _CHANGEABLE)
        self._write_history()
        written = log.append(head, [told.entry for told in self.told])
        for told, notification in zip(self.told, written, strict=True):
            told.request.position = notification.position
        _update(self.requests, _OUTCOME)

    def _write_history(self) -> None:
        """Close the interval that was open for each Media, and open the newest of the batch."""
        if not self.intervals:
            return
        close_intervals(open_intervals(self.intervals), self.now)
        for intervals in self.intervals.values():
            for interval in intervals[:-1]:
                interval.ended_at = self.now
        StateInterval.objects.bulk_create(
            interval for intervals in self.intervals.values() for interval in intervals
        )


_CHANGEABLE = (
    "state",
    "state_change_time",
    "reason_code",
    "routable",
    "max_dialog_limit",
    "interrupt_action",
    "dialog_logout_action",
)


_OUTCOME = ("outcome", "applied_at", "error", "position")


def _update(rows: Collection[Model], fields: Sequence[str]) -> None:
    """Write these fields of rows that exist, in one statement.

    As an INSERT whose conflict is the update: Django's bulk_update spells every value out as a
    CASE, which takes five times the CPU.
    """
    if rows:
        manager = type(next(iter(rows)))._base_manager
        manager.bulk_create(rows, update_conflicts=True, unique_fields=["pk"], update_fields=fields)


def _media_of(keys: Iterable[Key]) -> dict[Key, Media]:
    found = Media.objects.filter(
        user__in={login_id for login_id, _ in keys}, mrd__in={mrd_id for _, mrd_id in keys}
    ).select_related("mrd", "reason_code")
    return {(media.user_id, media.mrd_id): media for media in found}


def _why_no_media(request: MediaRequest) -> str:
    """The error of a request about a Media that does not exist, by its name in the table."""
    if request.mrd_id == VOICE_MRD:
        return "CANT_LOGIN_TO_VOICE_MRD"
    if not User.objects.filter(pk=request.login_id).exists():
        return "AGENT_NOT_FOUND"
    if not MediaRoutingDomain.objects.filter(pk=request.mrd_id).exists():
        return "MRD_LIST_ENTRY_NOT_FOUND"
    if request.requested == Requested.LOGIN:
        return "LOGIN_NOT_ALLOWED_FOR_APP_PATH"
    return "AGENT_NOT_LOGGED_IN"


def situation_of(media: Media) -> Situation:
    return Situation(
        state=State(media.state),
        reason_code=media.reason_code_id,
        routable=media.routable,
        options=Options(
            max_dialog_limit=media.max_dialog_limit,
            interrupt_action=media.interrupt_action,
            dialog_logout_action=media.dialog_logout_action,
        )
        if media.max_dialog_limit
        else None,
    )


def _set_situation(media: Media, after: Situation, request: MediaRequest) -> None:
    media.state = after.state
    media.routable = after.routable
    if after.reason_code != media.reason_code_id:
        media.reason_code = request.reason_code if after.reason_code else None
    options = after.options
    media.max_dialog_limit = options.max_dialog_limit if options else None
    media.interrupt_action = options.interrupt_action if options else ""
    media.dialog_logout_action = options.dialog_logout_action if options else ""


def _wish_of(request: MediaRequest) -> Wish:
    options = None
    if request.max_dialog_limit:
        options = Options(
            max_dialog_limit=request.max_dialog_limit,
            interrupt_action=request.interrupt_action,
            dialog_logout_action=request.dialog_logout_action,
        )
    return Wish(
        requested=Requested(request.requested),
        reason_code=request.reason_code_id,
        options=options,
    )
