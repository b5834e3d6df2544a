"""What must be true after a crash and a recovery, whatever was done before.

Each check is a method that raises AssertionError, and is named after what it holds.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from finesse.notifications.models import LogHead, Notification, TransportCursor
from finesse.notifications.nodes import LIMITS, MEDIA, USER
from media.models import (
    VOICE_MRD,
    Cause,
    Desktop,
    Media,
    MediaRequest,
    Outcome,
    StateInterval,
    media_uri,
    user_uri,
)
from media.states import DesktopSession, MediaSession, Requested, State, decide, decide_session
from media.supervision_tables import SupervisorAction, WaitingChange, WaitingOutcome
from media.writing.mapping import change_of, desktop_session_of, media_session_of
from media.writing.waiting import is_refused

ACCEPTED = 202
Subject = tuple[str, int | None]
Session = MediaSession | DesktopSession
PLACES = 2


def sessions() -> dict[Subject, Session]:
    """Of all Media and desktops, as they are."""
    found: dict[Subject, Session] = {
        (one.user_id, one.mrd_id): media_session_of(one) for one in Media.objects.all()
    }
    return found | {(one.user_id, None): desktop_session_of(one) for one in Desktop.objects.all()}


@dataclass
class Start:
    """How things stand before a scenario."""

    position: int
    sessions: dict[Subject, Session]
    intervals: dict[Subject, list[tuple[str, int | None]]]

    @classmethod
    def read(cls) -> "Start":
        return cls(LogHead.objects.get().position, sessions(), _entered())


def _entered() -> dict[Subject, list[tuple[str, int | None]]]:
    """The states and reasons that the history has, in order."""
    found: dict[Subject, list[tuple[str, int | None]]] = {}
    for one in StateInterval.objects.order_by("pk"):
        subject = one.login_id, None if one.mrd_id == VOICE_MRD else one.mrd_id
        found.setdefault(subject, []).append((one.state, one.reason_code_id))
    return found


class Check:
    """The service at rest, and what clients and other servers have seen of it."""

    def __init__(self, start: Start, seen: list[dict[str, Any]]) -> None:
        self.start = start
        self.seen = seen
        self.requests = list(MediaRequest.objects.select_related("reason_code").order_by("pk"))
        self.log = list(Notification.objects.order_by("position"))

    def everything(self) -> None:
        self.each_answer_is_kept()
        self.each_request_has_one_outcome()
        self.positions_have_no_gap()
        self.states_follow_from_the_outcomes()
        self.intervals_touch()
        self.each_notification_is_handed_over_in_order()
        self.each_action_is_done_once()
        self.what_waits_has_to()
        self.rules_for_breaks_hold()

    def each_answer_is_kept(self) -> None:
        """202: saved. An error: not saved. No answer: all of it or nothing."""
        saved = Counter(one.request_id for one in self.requests)
        statuses = {one["id"]: one["status"] for one in self.seen if one["kind"] == "answered"}
        for one in self.seen:
            if one["kind"] == "sent":
                status, rows = statuses.get(one["id"]), saved[one["id"]]
                possible = {None: {0, one["of"]}, ACCEPTED: {one["of"]}}.get(status, {0})
                assert rows in possible, f"{one['id']} was answered {status}, and has {rows} rows"

    def each_request_has_one_outcome(self) -> None:
        for one in self.requests:
            assert one.outcome, f"{one} has no outcome"
        notified = {one.position: one for one in self.requests if one.position is not None}
        outcomes = {
            entry.position: entry
            for entry in self.log
            if entry.position > self.start.position and _is_of_a_request(entry)
        }
        assert notified.keys() == outcomes.keys(), "Outcomes in the log are not those of requests"
        for position, request in notified.items():
            uri = user_uri(request.login_id)
            if request.mrd_id is not None:
                uri = media_uri(request.login_id, request.mrd_id)
            assert outcomes[position].source == uri, f"{position} is not about {request}"

    def positions_have_no_gap(self) -> None:
        positions = [one.position for one in self.log]
        assert positions == [*range(1, len(positions) + 1)], f"Positions are {positions}"
        head = LogHead.objects.get()
        assert head.place == self.log[-1].place, f"The head is at {head.place}"

    def states_follow_from_the_outcomes(self) -> None:
        """The transition tables, folded over the log, give the states and the history."""
        now, entered = dict(self.start.sessions), {**self.start.intervals}
        changed = [one for one in self.requests if one.outcome != Outcome.IGNORED]
        for request in sorted(changed, key=lambda one: one.position or 0):
            subject = request.login_id, request.mrd_id
            before = now.get(subject, DesktopSession(state=State.LOGOUT))
            if isinstance(before, MediaSession):
                decision: Any = decide(before, change_of(request))
            else:
                decision = decide_session(before, change_of(request))
            if request.outcome == Outcome.CHANGED:
                assert decision.error is None, f"{before} does not allow {request}"
                now[subject] = decision.session
                after = decision.session.state, decision.session.reason_code
                is_new = after != (before.state, before.reason_code)
                if is_new and request.requested != Requested.CORRECT_REASON:
                    # The history has the reason of a sign-out, too; the session has not.
                    entry = after[0], request.reason_code_id
                    entered[subject] = [*entered.get(subject, []), entry]
            elif decision.error:
                now[subject] = decision.session
        assert sessions() == now, f"The log says {now}"
        assert _entered() == entered, f"The log says {entered}"

    def intervals_touch(self) -> None:
        rows = StateInterval.objects.order_by("login_id", "mrd_id", "pk")
        for key, group in groupby(rows, lambda one: (one.login_id, one.mrd_id)):
            intervals = list(group)
            for one, following in pairwise(intervals):
                assert one.ended_at == following.started_at, f"{one} of {key} does not touch"
            assert intervals[-1].ended_at is None, f"The last interval of {key} has ended"

    def each_notification_is_handed_over_in_order(self) -> None:
        """A follower that passes over what it has had already has the whole log."""
        followed: list[tuple[int, int, str]] = []
        for batch in (one for one in self.seen if one["kind"] == "taken"):
            reached = followed[-1][0] if followed else 0
            assert batch["after"][0] <= reached, f"Between {reached} and {batch['after']} is a gap"
            positions = [one[0] for one in batch["batch"]]
            first = batch["after"][0] + 1
            assert positions == [*range(first, first + len(positions))], f"{positions}: no order"
            again = [tuple(one) for one in batch["batch"] if one[0] <= reached]
            known = {one[0]: one for one in followed}
            assert again == [known[one[0]] for one in again], "A position was given twice"
            followed += [tuple(one) for one in batch["batch"] if one[0] > reached]
        log = [(*one.place, one.update) for one in self.log]
        assert followed == log, f"Handed over were {[one[0] for one in followed]} of {len(log)}"
        for cursor in TransportCursor.objects.all():
            assert cursor.place == self.log[-1].place, f"The cursor of {cursor} stands back"

    def each_action_is_done_once(self) -> None:
        asked = {one["id"]: one["rows"] for one in self.seen if one["kind"] == "acting"}
        done = {str(one.pk): one for one in SupervisorAction.objects.prefetch_related("rows")}
        for one in self.seen:
            if one["kind"] == "acted":
                assert one["id"] in done, f"The action {one['id']} was answered, and is not saved"
        rows = [row for action in done.values() for row in action.rows.all()]
        for action_id, action in done.items():
            count = len(action.rows.all())
            assert count == asked[action_id], f"{action} has {count} of {asked[action_id]} rows"
        for row in rows:
            came = [row.request is not None, row.waiting is not None, bool(row.refusal)]
            assert sum(came) == 1, f"{row} came to {came}"
        waited = WaitingChange.objects.filter(outcome=WaitingOutcome.APPLIED).count()
        requested = sum(one.cause == Cause.SUPERVISOR for one in self.requests)
        expected = sum(row.request is not None for row in rows) + waited
        assert requested == expected, f"{requested} requests of supervisors, not {expected}"

    def what_waits_has_to(self) -> None:
        now = sessions()
        for one in WaitingChange.objects.filter(outcome=None):
            subject = one.login_id, one.mrd_id
            state = now[subject].state
            assert is_refused(subject, state, Requested(one.requested)), f"{one} waits in {state}"

    def rules_for_breaks_hold(self) -> None:
        """No more at lunch than places; who stayed too long was told once, and moved once."""
        lunch = Media.objects.filter(reason_code__label="Lunch")
        assert lunch.values("user").distinct().count() <= PLACES, "More at lunch than places"
        told = sum(one.node == LIMITS.format(id="axel") for one in self.log)
        moved = sum(one.cause == Cause.LIMIT for one in self.requests)
        assert (told, moved) in {(0, 0), (2, 1)}, f"Told {told} times, moved {moved} times"


def _is_of_a_request(entry: Notification) -> bool:
    login_id = entry.source.split("/")[4]
    return entry.node in {MEDIA.format(id=login_id), USER.format(id=login_id)}
