"""What tests of stepping in share: signed-in clients, actions, states at will."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from finesse.users.models import Team, User
from media.models import Desktop, Media
from media.states import State

SIGNED_IN = {"max_dialog_limit": 5, "interrupt_action": "ACCEPT", "dialog_logout_action": "CLOSE"}


class Page:
    """The board's scripts, as a user who is signed in."""

    def __init__(self, login_id: str, **options: Any) -> None:
        self.client = Client(**options)
        self.client.force_login(User.objects.get(pk=login_id))

    def post(self, path: str, sent: Any) -> Any:
        return self.client.post(f"/supervision/{path}", sent, content_type="application/json")

    def act(self, requested: str, rows: list[Any], **fields: Any) -> Any:
        """The answer; a row is `("alice", 5000)`, or `("alice", None)` for the desktop."""
        sent = {
            "id": str(uuid.uuid4()),
            "requested": requested,
            "rows": [{"agentId": agent, "mrdId": mrd} for agent, mrd in rows],
            **fields,
        }
        return self.post("actions/", sent)

    def results(self, answer: Any) -> list[str]:
        """What each row has come to by now."""
        shown = self.client.get(f"/supervision/actions/{answer.json()['id']}/")
        return [row["result"] for row in shown.json()["rows"]]

    def undo(self, answer: Any) -> Any:
        return self.post(f"actions/{answer.json()['id']}/undo/", {})


def undone(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["undone"] for row in answer.json()["rows"]]


@pytest.fixture
def page(cast: Any) -> Callable[..., Page]:
    return Page


@pytest.fixture
def put_in() -> Callable[..., Media]:
    """Put an agent into a state that only tasks lead to."""

    def put(login_id: str, mrd: int, state: State, **fields: Any) -> Media:
        media = Media.objects.get(user=login_id, mrd=mrd)
        for name, value in {**SIGNED_IN, "routable": True, "state": state, **fields}.items():
            setattr(media, name, value)
        media.state_change_time = timezone.now()
        media.save()
        return media

    return put


@pytest.fixture
def supervisor_of_two(cast: Any) -> User:
    eli = User.objects.create_user("eli", first_name="Eli", is_supervisor=True)
    eli.supervised_teams.set(Team.objects.all())
    return eli


def sign_in_desktop(login_id: str, state: State = State.READY) -> Desktop:
    return Desktop.objects.create(
        user_id=login_id, state=state, state_change_time=timezone.now(), extension="1001"
    )
