"""What is done before a crash, and what a new process does after one.

Each step is what one process of the service does at one time: it serves a request, or runs a task.
Here one process does all of it, as in the embedded default.
"""

import itertools
import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from finesse import heartbeat
from finesse.users.models import Team, User
from media import tasks
from media.break_tables import BreakRule, Then
from media.models import Cause, Media, StateInterval
from media.states import State
from media.supervision.acting import act
from media.supervision.asking import read_action
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN
from tests.crash_points.journal import journal

SIGNED_IN = {
    "max_dialog_limit": 5,
    "interrupt_action": "ACCEPT",
    "dialog_logout_action": "CLOSE",
    "routable": True,
}


class Clients:
    """Agents' and supervisors' clients: they remember what they sent, and what was answered."""

    def __init__(self) -> None:
        self._api = API()
        self._numbers = itertools.count(1)

    def put(self, login_id: str, path: str, body: str, *, of: int = 1) -> None:
        """About so many Media."""
        request_id = f"{os.getpid()}-{next(self._numbers)}"
        journal.note("sent", id=request_id, of=of)
        answer = self._api.request("PUT", path, body, login=login_id, requestId=request_id)
        journal.note("answered", id=request_id, status=answer.status_code)

    def media(self, login_id: str, mrd: int, state: str, reason: str = "") -> None:
        inside = f"<state>{state}</state>" + _reason(reason)
        body = LOGIN if state == "LOGIN" else f"<Media>{inside}</Media>"
        self.put(login_id, f"User/{login_id}/Media/{mrd}", body)

    def desktop(self, login_id: str, state: str, more: str = "") -> None:
        self.put(login_id, f"User/{login_id}", f"<User><state>{state}</state>{more}</User>")

    def step_in(
        self, action: uuid.UUID, requested: str, rows: list[tuple[str, int | None]], **fields: Any
    ) -> None:
        """As carol, by the page's button. It may be pressed again: it has the action's id."""
        sent = {
            "id": str(action),
            "requested": requested,
            "rows": [{"agentId": agent, "mrdId": mrd} for agent, mrd in rows],
            **fields,
        }
        journal.note("acting", id=str(action), rows=len(rows))
        act(read_action(sent), User.objects.get(pk="carol"))
        journal.note("acted", id=str(action))


def _reason(label: str) -> str:
    if not label:
        return ""
    return f"<reasonCodeId>{ReasonCode.objects.get(label=label).pk}</reasonCodeId>"


# --- what is there before -----------------------------------------------------------------------


def prepare() -> None:
    """Beside the cast: anna and axel, agents of team Chat, and a rule for Lunch there.

    axel is at lunch in Email for an hour, which is too long; two may be at lunch at once. anna is
    ready in Email, and alice in Chat, where she has a task.
    """
    lunch, chat = ReasonCode.objects.get(label="Lunch"), Team.objects.get(name="Chat")
    for login_id in ("anna", "axel"):
        user = User.objects.create_user(login_id, first_name=login_id, team=chat)
        user.password = User.objects.get(pk="alice").password
        user.save()
        Media.objects.create(user=user, mrd_id=5001)
    BreakRule.objects.create(
        team=chat,
        reason_code=lunch,
        most_at_once=2,
        maximum_minutes=30,
        tell_agent_after=0,
        tell_supervisors_after=5,
        then=Then.READY,
        then_after=15,
    )
    began = timezone.now() - timedelta(hours=1)
    _put_in("anna", 5001, State.READY, began)
    _put_in("axel", 5001, State.NOT_READY, began, lunch)
    _put_in("alice", 5000, State.ACTIVE, began)


def _put_in(
    login_id: str, mrd: int, state: State, began: Any, reason: ReasonCode | None = None
) -> None:
    found = Media.objects.filter(user=login_id, mrd=mrd)
    found.update(state=state, state_change_time=began, reason_code=reason, **SIGNED_IN)
    StateInterval.objects.create(
        login_id=login_id,
        mrd_id=mrd,
        state=state,
        reason_code=reason,
        code=reason.code if reason else None,
        label=reason.label if reason else "",
        started_at=began,
        cause=Cause.SELF,
        actor=login_id,
    )


# --- what is done -------------------------------------------------------------------------------


def a_shift(clients: Clients) -> None:
    """Sign in to the desktop and to two MRDs at once, be ready, and sign out of all."""
    clients.desktop("bob", "LOGIN", "<extension>1001</extension>")
    one = f"<Media><id>5002</id>{LOGIN.removeprefix('<Media>')}"
    clients.put("bob", "User/bob/Media", f"<MediaList>{one}{one}</MediaList>", of=2)
    clients.media("bob", 5002, "READY")
    clients.media("bob", 5002, "READY")
    tasks.apply_requests()
    clients.desktop("bob", "READY")
    clients.desktop("bob", "NOT_READY", _reason("Filing"))
    everywhere = "<logoutAllMedia>true</logoutAllMedia>"
    clients.desktop("bob", "LOGOUT", everywhere + _reason("End of shift"))
    tasks.apply_requests()


def lunch_for_two(clients: Clients) -> None:
    """axel has overstayed; of anna and alice, who ask while he is there, one gets the place."""
    clients.media("anna", 5001, "NOT_READY", "Lunch")
    clients.media("alice", 5000, "NOT_READY", "Lunch")
    tasks.apply_requests()
    clients.media("alice", 5000, "NOT_READY", "Lunch")
    tasks.mind_limits()
    clients.media("alice", 5000, "NOT_READY", "Lunch")
    tasks.apply_requests()


_READY_LATER, _ALL_NOT_READY, _CORRECTED = (uuid.UUID(int=number) for number in (1, 2, 3))


def stepping_in(clients: Clients) -> None:
    """Ready after this task, for alice; then not ready for all, and another reason for axel."""
    _step_in_for_alice(clients)
    tasks.sweep()
    clients.media("alice", 5000, "NOT_READY", "Coaching")
    tasks.apply_requests()
    _step_in_for_all(clients)
    tasks.apply_requests()


def _step_in_for_alice(clients: Clients) -> None:
    clients.step_in(_READY_LATER, "READY", [("alice", 5000)], later=True, note="Chat is full")


def _step_in_for_all(clients: Clients) -> None:
    rows: list[tuple[str, int | None]] = [("alice", 5000), ("anna", 5001), ("axel", 5001)]
    clients.step_in(_ALL_NOT_READY, "NOT_READY", rows, note="Meeting")
    coaching = ReasonCode.objects.get(label="Coaching").pk
    clients.step_in(_CORRECTED, "CORRECT_REASON", rows[2:], reasonCode=coaching)


SCENARIOS: dict[str, Callable[[Clients], None]] = {
    one.__name__: one for one in (a_shift, lunch_for_two, stepping_in)
}


def be_in_service() -> None:
    """Its parts have just worked."""
    for part in heartbeat.PARTS:
        heartbeat.stamp(part)


def play(name: str, clients: Clients) -> None:
    SCENARIOS[name](clients)


def recover(name: str, clients: Clients) -> None:
    """What beat calls for in a process that has just started, and what clients do that got no
    answer to an action: they send it again. Then the service goes on."""
    tasks.sweep()
    if name == stepping_in.__name__:
        _step_in_for_alice(clients)
        clients.media("alice", 5000, "NOT_READY", "Coaching")
        _step_in_for_all(clients)
    clients.media("bob", 5002, "LOGIN")
    tasks.sweep()
    tasks.mind_limits()
