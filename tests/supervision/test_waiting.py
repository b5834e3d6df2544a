"""“After this one”: a change that the state rules refuse waits until they allow it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications.models import Event, Notification
from finesse.notifications.nodes import WAITING_CHANGES, viewers_nodes_of
from finesse.notifications.readers import Reader, readers_of
from finesse.users.models import User
from media.models import Cause, Desktop, Media, MediaRequest, Outcome
from media.states import Requested, State
from media.supervision_tables import WaitingChange, WaitingOutcome
from media.writing import batch
from media.writing.acceptance import accept
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.conftest import API
from tests.supervision.conftest import Page, sign_in_desktop

Settle = Callable[[], list[Any]]
NODE = WAITING_CHANGES.format(id="alice")


def later(page: Page, requested: str = "READY", mrd: int | None = 5000, **fields: Any) -> str:
    answer = page.act(requested, [("alice", mrd)], later=True, **fields)
    result: str = answer.json()["rows"][0]["result"]
    return result


def asked(requested: Requested, mrd: int | None = 5000, **fields: Any) -> None:
    accept([new_request("alice", mrd, requested, cause=Cause.SELF, actor="alice", **fields)])


def ends() -> list[str | None]:
    return list(WaitingChange.objects.order_by("pk").values_list("outcome", flat=True))


def test_the_change_follows_right_after_the_one_that_allows_it_in_the_same_batch(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    carol = page("carol")
    assert later(carol, note="Chat is full") == "waiting"
    assert Media.objects.get(user="alice", mrd=5000).state == State.ACTIVE
    asked(Requested.NOT_READY)
    settle()
    assert Media.objects.get(user="alice", mrd=5000).state == State.READY
    request = MediaRequest.objects.order_by("pk").last()
    assert request
    assert (request.outcome, request.cause, request.actor, request.note) == (
        Outcome.CHANGED,
        Cause.SUPERVISOR,
        "carol",
        "Chat is full",
    )
    assert ends() == [WaitingOutcome.APPLIED]
    asked(Requested.NOT_READY)
    settle()
    assert Media.objects.get(user="alice", mrd=5000).state == State.NOT_READY


def test_what_the_rules_allow_now_does_not_wait(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    assert later(page("carol")) == "pending"
    assert ends() == []


def test_who_is_signed_out_before_ends_it_as_void(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    later(page("carol"))
    asked(Requested.LOGOUT)
    settle()
    assert ends() == [WaitingOutcome.VOID]
    assert MediaRequest.objects.count() == 1


def test_a_signed_out_agent_waits_for_nothing(cast: Any, page: Any) -> None:
    assert later(page("carol")) == "refused"


def test_another_one_takes_its_place(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.WORK, resume="READY")
    carol, dave = page("carol"), page("dave")
    assert later(carol, "READY") == "waiting"
    assert later(dave, "NOT_ROUTABLE") == "waiting"
    assert ends() == [WaitingOutcome.REPLACED, None]
    assert WaitingChange.objects.earliest("pk").ended_by == "dave"
    asked(Requested.ACTIVE)
    settle()
    media = Media.objects.get(user="alice", mrd=5000)
    assert (media.state, media.routable) == (State.READY, False)
    assert ends() == [WaitingOutcome.REPLACED, WaitingOutcome.APPLIED]


@pytest.mark.parametrize(("login", "status"), [("alice", 200), ("carol", 200), ("bob", 404)])
def test_the_agent_and_the_supervisor_can_cancel_it_and_nobody_else(
    cast: Any, page: Any, put_in: Any, settle: Settle, login: str, status: int
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    later(page("carol"))
    waiting = WaitingChange.objects.get()
    who = page(login)
    seen = who.client.get("/supervision/waiting/").json()["waiting"]
    assert [one["actorName"] for one in seen] == ([] if login == "bob" else ["Carol"])
    assert who.post(f"waiting/{waiting.pk}/cancel/", {}).status_code == status
    assert ends() == [WaitingOutcome.CANCELLED if status == 200 else None]
    if status == 200:
        assert who.post(f"waiting/{waiting.pk}/cancel/", {}).status_code == 409
        asked(Requested.NOT_READY)
        settle()
        assert Media.objects.get(user="alice", mrd=5000).state == State.NOT_READY


def test_the_desktops_change_waits_too_and_signing_out_takes_the_mrds_along(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    sign_in_desktop("alice", State.READY)
    WaitingChange.objects.create(
        login_id="alice",
        requested=Requested.LOGOUT,
        cause=Cause.SELF,
        actor="alice",
        created_at=timezone.now(),
    )
    asked(Requested.NOT_READY, None)
    settle()
    assert Desktop.objects.get().state == State.LOGOUT
    assert Media.objects.get(user="alice", mrd=5000).state == State.LOGOUT
    assert ends() == [WaitingOutcome.APPLIED]


def test_viewers_of_the_agent_are_told_and_clients_of_xmpp_are_not(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    settle()
    later(page("carol"))
    asked(Requested.NOT_READY)
    settle()
    told = Notification.objects.filter(node=NODE).order_by("position")
    assert [one.event for one in told] == [Event.POST, Event.PUT]
    assert "<outcome>applied</outcome>" in told[1].update
    readers = readers_of(["alice", "bob", "carol", "dave"])
    assert [readers[login].may_see(NODE) for login in ("alice", "bob", "carol", "dave")] == [
        True,
        False,
        True,
        True,
    ]
    client = Reader(
        login_id="alice",
        watches=readers["alice"].watches,
        credentials="",
        resource="desktop",
        subscriptions=frozenset({NODE}),
    )
    assert not client.may_see(NODE)
    assert not client.may_subscribe(NODE)
    assert NODE in viewers_nodes_of("alice")


def test_each_waits_once_whatever_writes(cast: Any) -> None:
    def make(mrd: int | None) -> None:
        WaitingChange.objects.create(
            login_id="alice",
            mrd_id=mrd,
            requested=Requested.READY,
            cause=Cause.SELF,
            actor="alice",
            created_at=timezone.now(),
        )

    for mrd in (5000, None):
        make(mrd)
        with pytest.raises(IntegrityError), transaction.atomic():
            make(mrd)


def test_a_batch_asks_once_what_waits(cast: Any, settle: Settle, put_in: Any) -> None:
    put_in("alice", 5000, State.READY)
    put_in("alice", 5001, State.READY)
    asked(Requested.NOT_READY, 5000)
    asked(Requested.NOT_READY, 5001)
    with CaptureQueriesContext(connection) as captured:
        settle()
    table = WaitingChange._meta.db_table
    # Prepared statements of PostgreSQL pass the capture by.
    assert sum(table in one["sql"] for one in captured) <= 1


def test_a_change_that_cannot_be_decided_ends_and_holds_nobody_up(
    cast: Any, page: Any, put_in: Any, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    later(page("carol"))
    decide = batch.decide

    def fail(now: Any, change: Any) -> Any:
        if change.requested is Requested.READY:
            raise RuntimeError("A fault of ours")
        return decide(now, change)

    monkeypatch.setattr(batch, "decide", fail)
    asked(Requested.NOT_READY)
    settle()
    assert ends() == [WaitingOutcome.VOID]
    asked(Requested.NOT_READY)
    settle()
    assert Media.objects.get(user="alice", mrd=5000).state == State.NOT_READY


def test_plain_clients_of_the_api_see_the_protocol_as_ever(
    api: API, put_in: Any, cast: Any
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    assert api.state("READY", mrd=5000).status_code == 400
    assert ends() == []


def test_a_deleted_user_waits_for_nothing(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    later(page("carol"))
    dave = page("dave")
    answer = dave.client.post("/admin/users/user/alice/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not User.objects.filter(pk="alice").exists()
    assert ends() == [WaitingOutcome.VOID]


def test_an_agents_own_change_waits_and_takes_a_supervisors_place(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.WORK, resume="NOT_READY")
    later(page("carol"), "NOT_ROUTABLE")
    alice = page("alice")
    sent = {"mrdId": 5000, "requested": "LOGOUT", "reasonCode": codes["End of shift"].pk}
    answer = alice.post("waiting/", sent)
    assert (answer.status_code, answer.json()["waiting"][0]["cause"]) == (202, "self")
    assert ends() == [WaitingOutcome.REPLACED, None]
    assert page("carol").client.get("/supervision/waiting/").json()["waiting"][0]["actor"] == (
        "alice"
    )
    asked(Requested.NOT_READY, reason_code=codes["Lunch"])
    settle()
    assert Media.objects.get(user="alice", mrd=5000).state == State.LOGOUT
    assert ends() == [WaitingOutcome.REPLACED, WaitingOutcome.APPLIED]


@pytest.mark.parametrize("requested", ["ROUTABLE", "NOT_ROUTABLE"])
def test_what_no_desktop_can_do_waits_nowhere_and_replaces_nothing(
    codes: dict[str, ReasonCode], page: Any, requested: str
) -> None:
    sign_in_desktop("alice", State.READY)
    alice = page("alice")
    end = {"mrdId": None, "requested": "LOGOUT", "reasonCode": codes["End of shift"].pk}
    assert alice.post("waiting/", end).status_code == 202
    answer = alice.post("waiting/", {"mrdId": None, "requested": requested})
    assert (answer.status_code, ends()) == (400, [None])
    assert "no such mode" in answer.json()["error"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"mrdId": 5000, "requested": "READY"}, 202),
        ({"mrdId": 5000, "requested": "NOT_READY"}, 400),
        ({"mrdId": 5000, "requested": "NOT_READY", "reasonCode": 1}, 400),
        ({"mrdId": 5000, "requested": "CORRECT_REASON"}, 400),
        ({"mrdId": 5000, "requested": "READY", "reasonCode": 1}, 400),
        ({"mrdId": 5001, "requested": "READY"}, 409),
        ({"mrdId": 5002, "requested": "READY"}, 404),
        ({"mrdId": None, "requested": "READY"}, 409),
        ({"mrdId": "x", "requested": "READY"}, 400),
    ],
)
def test_what_an_agent_may_let_wait(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, sent: Any, status: int
) -> None:
    put_in("alice", 5000, State.ACTIVE)
    put_in("alice", 5001, State.NOT_READY)
    assert page("alice").post("waiting/", sent).status_code == status
    assert len(ends()) == (status == 202)
