"""Whatever is asked for, by whomever, in whatever order: states, history and followers agree.

A Hypothesis state machine drives the writer, the log and subscribers, with a clock of its own and
with pruning. It knows the transitions by a table of its own, which is written by hand.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.db import connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from finesse import heartbeat
from finesse.notifications import hub as hubs
from finesse.notifications.follower import AccessChanged, Follower
from finesse.notifications.hub import Hub
from finesse.notifications.models import LogHead, Notification
from finesse.notifications.places import Place
from finesse.notifications.publisher import publish_all
from finesse.notifications.readers import Reader, readers_of
from finesse.notifications.transports import channels
from finesse.users.models import User
from media import tasks
from media.models import Desktop, Media, MediaRequest, StateInterval
from media.supervision.acting import act
from media.supervision.asking import read_action
from media.supervision_tables import ActionRow
from media.writing import writer
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN
from tests.kit import database
from tests.kit.database import Kept

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("in_service")]

EXAMPLES, STEPS = 8, 20
LOG_DAYS = 2
"""For which notifications are kept here."""

# What comes of each request in each state: another state, or `error`. Where nothing is said, the
# request is not legal there: 400 at once, or an error if the state was another one at acceptance.
OF_MEDIA = {
    "LOGOUT": {"LOGIN": "NOT_READY", "READY": "error", "NOT_READY": "error", "LOGOUT": "error"},
    "NOT_READY": {"LOGIN": "error", "READY": "READY", "NOT_READY": "NOT_READY", "LOGOUT": "LOGOUT"},
    "READY": {"LOGIN": "error", "READY": "READY", "NOT_READY": "NOT_READY", "LOGOUT": "LOGOUT"},
    "ACTIVE": {"LOGIN": "error", "NOT_READY": "NOT_READY", "LOGOUT": "LOGOUT"},
}
OF_DESKTOPS = {
    "LOGOUT": {"LOGIN": "NOT_READY"},
    "NOT_READY": {
        "LOGIN": "NOT_READY",
        "READY": "READY",
        "NOT_READY": "NOT_READY",
        "LOGOUT": "LOGOUT",
    },
    "READY": {"LOGIN": "READY", "READY": "READY", "NOT_READY": "NOT_READY"},
}

Subject = tuple[str, int | None]
States = dict[Subject, tuple[str, int | None]]
"""State and reason of each Media and desktop."""
SUBJECTS: list[Subject] = [
    ("alice", 5000),
    ("alice", 5001),
    ("bob", 5002),
    ("alice", None),
    ("bob", None),
]
REQUESTED = st.sampled_from(["READY", "NOT_READY", "LOGIN", "LOGOUT"])
CODES = st.sampled_from(["Lunch", "Coaching", "Filing"])
READERS = ("alice", "bob", "carol", "dave")
OFFERED = {"alice": {"Lunch", "Coaching"}, "bob": {"Lunch", "Filing"}}


@dataclass
class Expected:
    """A request, as the model has it."""

    subject: Subject
    requested: str
    reason: int | None = None
    is_supervisors: bool = False


@dataclass
class Subscriber:
    """A client: it keeps its place while it is away."""

    reader: Reader
    after: Place
    """From where on it has to get everything that it may see."""
    seen: list[Notification] = field(default_factory=list)
    follower: Follower | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def place(self) -> Place:
        return self.seen[-1].place if self.seen else self.after


class Life(RuleBasedStateMachine):
    def __init__(self, codes: dict[str, ReasonCode]) -> None:
        super().__init__()
        self.codes = codes
        self.retired: set[str] = set()
        # After all that is there already.
        self.now = datetime.now(UTC) + timedelta(hours=1)
        self.states: dict[Subject, tuple[str, int | None]] = dict.fromkeys(
            SUBJECTS, ("LOGOUT", None)
        )
        self.pending: list[Expected] = []
        self.waiting: set[Subject] = set()
        self.outcomes: list[str] = []
        """Of the requests that the next batch applies, those of consequences left out."""
        self.log: dict[int, Notification] = {}
        self.subscribers: list[Subscriber] = []
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mock.patch.object(timezone, "now", self._now))
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
        channels.bind_loop(self.loop)
        # Hypothesis begins each example with the same random numbers. So a hub's channel has the
        # name of one of another example, and would get what that one has not read.
        channel_layers.backends.clear()
        self.api = API()
        self.hub = self.run(Hub.running())

    def _now(self) -> datetime:
        return self.now

    # --- how the machine does things ------------------------------------------------------------

    def run(self, doing: Any) -> Any:
        return self.loop.run_until_complete(doing)

    def call(self, act: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """In a thread, as the service does it, while the loop of the sockets goes on."""
        return self.run(sync_to_async(act)(*args, **options))

    def teardown(self) -> None:
        try:
            self.apply(200)
            self.publish()
        finally:
            for one in self.subscribers:
                self._leave(one)
            self._stop_hub()
            self.call(connections.close_all)
            self.run(self.loop.shutdown_default_executor())
            channels.bind_loop(None)
            self.loop.close()
            self.stack.close()

    def _stop_hub(self) -> None:
        assert self.hub._task is not None
        self.hub._task.cancel()
        self.run(asyncio.gather(self.hub._task, return_exceptions=True))

    # --- requests -------------------------------------------------------------------------------

    @initialize(subjects=st.sets(st.sampled_from(SUBJECTS), min_size=2))
    def sign_in(self, subjects: set[Subject]) -> None:
        for subject in sorted(subjects, key=str):
            self.put(subject, "LOGIN", "Lunch")
            self.put(subject, "READY", "Lunch")
        for login_id in READERS:
            self.subscribe(login_id)
        self.apply(200)

    @rule(some=st.lists(st.tuples(st.sampled_from(SUBJECTS), REQUESTED, CODES), min_size=1))
    def put_some(self, some: list[tuple[Subject, str, str]]) -> None:
        for one in some:
            self.put(*one)

    def put(self, subject: Subject, requested: str, label: str) -> None:
        login_id, mrd = subject
        reason = self.codes[label].pk if requested == "NOT_READY" else None
        status = self.call(self._put, subject, requested, reason)
        state, _ = self.states[subject]
        table = OF_DESKTOPS if mrd is None else OF_MEDIA
        is_offered = label in OFFERED[login_id] - self.retired
        is_pending = any(one.subject == subject for one in self.pending)
        legal = is_pending or requested in table[state]
        accepted = legal and (is_offered or requested != "NOT_READY")
        assert status == (202 if accepted else 400), (subject, requested, label, state)
        if accepted:
            self.pending.append(Expected(subject, requested, reason))

    def _put(self, subject: Subject, requested: str, reason: int | None) -> int:
        login_id, mrd = subject
        if requested == "LOGOUT":
            reason = self.codes["End of shift"].pk
        inside = f"<state>{requested}</state>"
        if reason:
            inside += f"<reasonCodeId>{reason}</reasonCodeId>"
        if mrd is None:
            inside += "<extension>1001</extension>" if requested == "LOGIN" else ""
            path, body = f"User/{login_id}", f"<User>{inside}</User>"
        else:
            body = LOGIN if requested == "LOGIN" else f"<Media>{inside}</Media>"
            path = f"User/{login_id}/Media/{mrd}"
        status: int = self.api.request("PUT", path, body, login=login_id).status_code
        return status

    @rule(
        subjects=st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=4, unique=True),
        requested=st.sampled_from(["READY", "NOT_READY", "LOGOUT"]),
        later=st.booleans(),
    )
    def step_in(self, subjects: list[Subject], requested: str, later: bool) -> None:
        """As dave, for the rows that are named; what is refused now may wait."""
        for row in self.call(self._step_in, subjects, requested, later):
            subject = row.login_id, row.mrd_id
            state, _ = self.states[subject]
            forced = "FORCED_LOGOUT" if requested == "LOGOUT" else requested
            if row.request is not None:
                self.pending.append(Expected(subject, forced, row.own_reason, is_supervisors=True))
            elif row.waiting is not None:
                assert (state, requested) == ("ACTIVE", "READY")
                self.waiting.add(subject)
            else:
                assert state in {"LOGOUT", "ACTIVE"}, (row.refusal, state)

    def _step_in(self, subjects: list[Subject], requested: str, later: bool) -> list[ActionRow]:
        sent = {
            "id": str(uuid.uuid4()),
            "requested": requested,
            "rows": [{"agentId": agent, "mrdId": mrd} for agent, mrd in subjects],
            "later": later,
        }
        action = act(read_action(sent), User.objects.get(pk="dave"))
        rows = list(action.rows.all())
        requests = MediaRequest.objects.in_bulk([row.request for row in rows if row.request])
        for row in rows:
            request = requests.get(row.request)
            row.own_reason = request.reason_code_id if request else None  # type: ignore[attr-defined]
        return rows

    @rule()
    def ready_after_this_one(self) -> None:
        self.tasks_begin()
        self.step_in(SUBJECTS[:3], "READY", later=True)
        self._all_not_ready()

    def _all_not_ready(self) -> None:
        for subject in SUBJECTS[:3]:
            self.put(subject, "NOT_READY", "Coaching" if subject[0] == "alice" else "Filing")
        self.apply(200)

    @rule()
    def tasks_begin(self) -> None:
        """An agent is ready. This service knows no tasks: another server writes the state."""
        self.apply(200)
        for subject in SUBJECTS[:3]:
            if self.states[subject][0] == "READY":
                media = Media.objects.filter(user=subject[0], mrd=subject[1])
                self.call(media.update, state="ACTIVE")
                self.states[subject] = "ACTIVE", None

    # --- reason codes, time ---------------------------------------------------------------------

    @rule(label=CODES, is_rename=st.booleans())
    def change_code(self, label: str, is_rename: bool) -> None:
        code = self.codes[label]
        if is_rename:
            code.label = f"{label}, {uuid.uuid4().hex[:8]}"
        else:
            code.retired = not code.retired
            self.retired ^= {label}
        self.call(code.save)

    @rule(hours=st.sampled_from([0.1, 30, 60]), is_pruned=st.booleans())
    def time_passes(self, hours: float, is_pruned: bool) -> None:
        self.now += timedelta(hours=hours)
        if is_pruned:
            self._note()
            self.call(tasks.prune)

    # --- the worker -----------------------------------------------------------------------------

    @rule(most=st.sampled_from([1, 3, 200]))
    def apply(self, most: int) -> None:
        last = MediaRequest.objects.order_by("pk").values_list("pk", flat=True).last() or 0
        some = list(MediaRequest.objects.filter(outcome=None).order_by("pk")[:most])
        with mock.patch.object(writer, "REQUESTS_PER_BATCH", most):
            self.call(writer.apply_pending)
        self.outcomes, self.consequences = [], 0
        now, self.pending = self.pending[:most], self.pending[most:]
        for one in now:
            self.outcomes.append(self._take(one))
        applied = MediaRequest.objects.in_bulk([one.pk for one in some])
        assert [applied[one.pk].outcome for one in some] == self.outcomes
        new = MediaRequest.objects.filter(pk__gt=last)
        assert (new.count(), new.filter(outcome=None).count()) == (self.consequences, 0)
        self._note()

    def _take(self, one: Expected) -> str:
        """The outcome, by the tables of this file."""
        state, reason = self.states[one.subject]
        table = OF_DESKTOPS if one.subject[1] is None else OF_MEDIA
        if one.requested == "FORCED_LOGOUT":
            after = "LOGOUT"
        else:
            after = table[state].get(one.requested, "error")
        if after == "error":
            return "error"
        if one.requested == "LOGIN" and state != "LOGOUT":
            return "ignored"
        new = after, one.reason if after == "NOT_READY" else None
        self.states[one.subject] = new
        if after != state and one.subject in self.waiting:
            self.waiting.discard(one.subject)
            if after != "LOGOUT":
                self.consequences += 1
                assert self._take(Expected(one.subject, "READY")) in {"changed", "ignored"}
        if one.subject[1] is None and after == "LOGOUT" and not one.is_supervisors:
            # Also if it was signed out before, by force: that changes nothing about the desktop.
            for subject in SUBJECTS[:3]:
                if subject[0] == one.subject[0] and self.states[subject][0] != "LOGOUT":
                    self.consequences += 1
                    self._take(Expected(subject, "FORCED_LOGOUT"))
        return "ignored" if new == (state, reason) else "changed"

    def _note(self) -> None:
        """What the log has had, also after it was pruned."""
        last = max(self.log, default=0)
        for one in Notification.objects.filter(position__gt=last).order_by("position"):
            self.log[one.position] = one

    # --- followers ------------------------------------------------------------------------------

    @rule()
    def publish(self) -> None:
        self.call(publish_all)
        self._note()
        self.run(self._hub_has_all())
        for one in self.subscribers:
            if one.follower is not None:
                self._has_got_all(one)

    async def _hub_has_all(self) -> None:
        async with asyncio.timeout(30):
            while self.hub.place.position < max(self.log, default=0) or any(
                one.follower is not None and one.follower.reached != self.hub.place
                for one in self.subscribers
            ):
                for one in self.subscribers:
                    if one.task is not None and one.task.done():
                        # It raises what has ended it.
                        one.task.result()
                await asyncio.sleep(0)

    def _has_got_all(self, one: Subscriber) -> None:
        expected = [
            position
            for position, notification in self.log.items()
            if position > one.after.position and one.reader.may_see(notification.node)
        ]
        assert [seen.position for seen in one.seen] == expected, one.reader.login_id

    @rule(login_id=st.sampled_from(READERS))
    def subscribe(self, login_id: str) -> None:
        one = Subscriber(self.call(readers_of, [login_id])[login_id], self.hub.place)
        self.subscribers.append(one)
        resume = self._follow(one, None)
        assert resume == "live"

    @rule(data=st.data())
    def leave(self, data: Any) -> None:
        self._leave(data.draw(st.sampled_from(self.subscribers)))

    @rule(data=st.data())
    def be_away_for_long(self, data: Any) -> None:
        """Until what came meanwhile is pruned."""
        self.publish()
        one = data.draw(st.sampled_from(self.subscribers))
        self._leave(one)
        for _ in range(2):
            self.tasks_begin()
            self._all_not_ready()
            self.publish()
            self.time_passes(60, is_pruned=True)
        self._come_back(one)
        self.publish()

    @rule()
    def come_back(self) -> None:
        for one in self.subscribers:
            if one.follower is None:
                self._come_back(one)

    def _come_back(self, one: Subscriber) -> None:
        place = one.place
        kept = Notification.objects.order_by("position").first()
        floor = kept.position if kept else LogHead.objects.get().position
        is_there = place.position >= floor or (place.position == 0 and floor <= 1)
        resume = self._follow(one, place)
        if resume == "reset":
            assert not is_there, f"{place} is in the log, which begins at {floor}"
            one.after, one.seen = self.hub.place, []
        else:
            assert resume == "replayed"
            missed = {position for position in self.log if position > place.position}
            # What is pruned may still be in the memory of the hub.
            kept_here = {one.position for one in (*self.hub._recent, *Notification.objects.all())}
            assert missed <= kept_here, f"{place} is replayed from a log that begins at {floor}"

    def _follow(self, one: Subscriber, after: Place | None) -> str:
        resume, place, follower = self.run(self.hub.subscribe(one.reader, after))
        if after is None:
            one.after = place
        one.follower = follower
        if resume == "reset":
            follower.place = self.hub.place
        one.task = self.loop.create_task(self._collect(one, follower))
        return str(resume)

    async def _collect(self, one: Subscriber, follower: Follower) -> None:
        async for item in follower:
            if isinstance(item, Notification):
                one.seen.append(item)
            else:
                assert isinstance(item, AccessChanged)

    def _leave(self, one: Subscriber) -> None:
        if one.follower is not None:
            assert one.task is not None
            one.task.cancel()
            self.run(asyncio.gather(one.task, return_exceptions=True))
            self.hub.leave(one.follower)
            one.follower = one.task = None

    @rule()
    def a_server_starts_anew(self) -> None:
        for one in self.subscribers:
            self._leave(one)
        self._stop_hub()
        Hub._hubs.pop(self.loop, None)
        self.hub = self.run(Hub.running())

    # --- what always holds ----------------------------------------------------------------------

    @invariant()
    def states_are_those_of_the_model(self) -> None:
        fields = ("state", "reason_code")
        found = {
            (user, mrd): (state, reason)
            for user, mrd, state, reason in Media.objects.values_list("user", "mrd", *fields)
        }
        for user, state, reason in Desktop.objects.values_list("user", *fields):
            found[user, None] = state, reason
        assert dict.fromkeys(SUBJECTS, ("LOGOUT", None)) | found == self.states

    @invariant()
    def intervals_touch(self) -> None:
        rows = StateInterval.objects.order_by("login_id", "mrd_id", "pk")
        for _, group in groupby(rows, lambda one: (one.login_id, one.mrd_id)):
            intervals = list(group)
            assert all(one.ended_at == after.started_at for one, after in pairwise(intervals))
            assert intervals[-1].ended_at is None

    @invariant()
    def every_request_that_the_model_awaits_is_pending(self) -> None:
        assert MediaRequest.objects.filter(outcome=None).count() == len(self.pending)


def test_states_history_and_followers_agree_whatever_is_asked_for(
    kept_database: Kept, settings_of_the_test: Any
) -> None:
    def begin() -> Life:
        database.empty_and_write(kept_database.installed)
        database.empty_and_write(kept_database.cast)
        database.empty_and_write(kept_database.codes)
        for part in heartbeat.PARTS:
            heartbeat.stamp(part)
        return Life({one.label: one for one in ReasonCode.objects.filter(system_code=False)})

    run_state_machine_as_test(
        begin,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            # To shrink an example takes longer than a test may: only its timeout would be said.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=[*HealthCheck],
        ),
    )


@pytest.fixture
def settings_of_the_test(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FINESSE_KEEP_NOTIFICATIONS_DAYS = LOG_DAYS
    # Of the newest, so that the table has to do its part.
    monkeypatch.setattr(hubs, "NOTIFICATIONS_IN_MEMORY", 3)
    monkeypatch.setattr(channels, "HAND_OVER_TIMEOUT_SECONDS", 60)
