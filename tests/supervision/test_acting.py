"""Acting on agents' states: who may, on what, with which outcome."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from finesse.users.models import User
from media.models import Cause, Desktop, Media, MediaRequest, StateInterval
from media.states import State
from media.supervision.asking import MAX_ROWS
from media.supervision.subjects import NOT_MANAGED
from media.supervision_tables import SupervisorAction
from reasoncodes.models import ReasonCode
from tests.supervision.conftest import Page, sign_in_desktop

Settle = Callable[[], list[Any]]


def state(login_id: str, mrd: int) -> tuple[str, str]:
    media = Media.objects.select_related("reason_code").get(user=login_id, mrd=mrd)
    return media.state, media.reason_code.label if media.reason_code else ""


def test_a_supervisor_makes_an_agent_not_ready_with_a_reason_of_the_agents_list_and_a_note(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    answer = carol.act(
        "NOT_READY", [("alice", 5000)], reasonCode=codes["Coaching"].pk, note="  In room 3 "
    )
    assert answer.status_code == 202
    assert answer.json()["rows"][0]["result"] == "pending"
    published = settle()
    assert state("alice", 5000) == ("NOT_READY", "Coaching")
    request = MediaRequest.objects.get()
    assert (request.cause, request.actor, request.note) == (Cause.SUPERVISOR, "carol", "In room 3")
    assert '"name": "Carol"' in published[-1].context
    assert '"note": "In room 3"' in published[-1].context
    assert "carol" not in published[-1].update
    interval = StateInterval.objects.get(ended_at=None)
    assert (interval.actor, interval.note, interval.label) == ("carol", "In room 3", "Coaching")
    assert carol.results(answer) == ["changed"]


def test_without_a_reason_it_is_the_systems_own(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    page("carol").act("NOT_READY", [("alice", 5000)])
    settle()
    assert state("alice", 5000) == ("NOT_READY", "Not Ready - Supervisor Initiated")


def test_many_rows_have_one_result_each(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    put_in("alice", 5001, State.ACTIVE)
    rows = [("alice", 5000), ("alice", 5001), ("alice", None), ("alice", 5002), ("bob", 5002)]
    carol = page("carol")
    answer = carol.act("READY", rows)
    shown = [(row["result"], row["message"], row["mayWait"]) for row in answer.json()["rows"]]
    assert shown == [
        ("pending", "", False),
        ("refused", "ACTIVE: not possible in this state", True),
        ("refused", "Signed out", False),
        ("refused", "Not in this MRD", False),
        ("refused", NOT_MANAGED, False),
    ]
    settle()
    assert carol.results(answer) == ["changed", *["refused"] * 4]


def test_all_of_an_agent_means_the_mrds_and_the_desktop_that_the_agent_is_signed_in_to(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    sign_in_desktop("alice")
    carol = page("carol")
    answer = carol.act("LOGOUT", [("alice", 5000)], whole=True)
    assert [row["mrdId"] for row in answer.json()["rows"]] == [5000, None]
    settle()
    assert carol.results(answer) == ["changed", "changed"]
    assert state("alice", 5000)[0] == "LOGOUT"
    assert Desktop.objects.get().state == "LOGOUT"


def test_signing_out_of_the_desktop_takes_the_mrds_along_as_rows_of_their_own(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    sign_in_desktop("alice")
    answer = page("carol").act("LOGOUT", [("alice", None)])
    assert sorted(str(row["mrdId"]) for row in answer.json()["rows"]) == ["5000", "None"]
    settle()
    assert state("alice", 5000)[0] == "LOGOUT"
    assert MediaRequest.objects.count() == 2


def test_modes_are_for_mrds_and_say_when_there_is_nothing_to_do(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    put_in("alice", 5001, State.READY, routable=False)
    sign_in_desktop("alice")
    carol = page("carol")
    answer = carol.act("NOT_ROUTABLE", [("alice", 5000), ("alice", 5001), ("alice", None)])
    messages = [row["message"] for row in answer.json()["rows"]]
    assert messages == [
        "",
        "Not routable already",
        "The desktop has no such mode",
    ]
    settle()
    assert not Media.objects.get(user="alice", mrd=5000).routable


def test_a_reason_that_an_agent_does_not_have_is_refused_in_that_agents_row_only(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle, supervisor_of_two: User
) -> None:
    put_in("alice", 5000, State.READY)
    put_in("bob", 5002, State.READY)
    eli = page("eli")
    answer = eli.act("NOT_READY", [("alice", 5000), ("bob", 5002)], reasonCode=codes["Coaching"].pk)
    assert [row["message"] for row in answer.json()["rows"]] == [
        "",
        "Does not have this reason",
    ]
    settle()
    assert (state("alice", 5000)[0], state("bob", 5002)[0]) == ("NOT_READY", "READY")


@pytest.mark.parametrize(
    ("login", "managed"),
    [("carol", {"alice"}), ("eli", {"alice", "bob"}), ("dave", {"alice", "bob"})],
)
def test_supervisors_act_on_their_teams_and_administrators_on_everybody(
    cast: Any, page: Any, put_in: Any, supervisor_of_two: User, login: str, managed: set[str]
) -> None:
    for agent, mrd in (("alice", 5000), ("bob", 5002)):
        put_in(agent, mrd, State.READY)
    rows = [("alice", 5000), ("bob", 5002), ("nobody", 5000)]
    for requested in ("READY", "NOT_READY", "NOT_ROUTABLE", "LOGOUT"):
        answer = page(login).act(requested, rows)
        done = {row["agentId"] for row in answer.json()["rows"] if row["result"] == "pending"}
        assert done == managed
        assert answer.json()["rows"][2]["message"] == NOT_MANAGED


def test_supervisors_of_their_own_team_act_on_the_others_in_it(
    cast: Any, page: Any, put_in: Any
) -> None:
    User.objects.filter(pk="carol").update(team=cast.alice.team)
    Media.objects.create(user_id="carol", mrd_id=5000)
    put_in("carol", 5000, State.READY)
    answer = page("carol").act("NOT_READY", [("carol", 5000)])
    assert answer.json()["rows"][0]["message"] == NOT_MANAGED


@pytest.mark.parametrize("path", ["actions/", "choices/", "actions/{id}/undo/"])
def test_agents_are_refused(cast: Any, page: Any, path: str) -> None:
    answer = page("alice").post(path.format(id=uuid.uuid4()), {})
    assert (answer.status_code, "error" in answer.json()) == (403, True)
    assert not SupervisorAction.objects.exists()


def test_a_supervisor_who_was_demoted_or_has_to_choose_a_password_is_refused_at_once(
    cast: Any, page: Any, put_in: Any
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    User.objects.filter(pk="carol").update(is_supervisor=False)
    assert carol.act("READY", [("alice", 5000)]).status_code == 403
    User.objects.filter(pk="carol").update(is_supervisor=True, must_change_password=True)
    assert carol.act("READY", [("alice", 5000)]).status_code == 401
    User.objects.filter(pk="carol").update(must_change_password=False, is_active=False)
    assert carol.act("READY", [("alice", 5000)]).status_code == 401


def test_without_a_session_nothing_is_done(cast: Any) -> None:
    assert Client().post("/supervision/actions/", {}, "application/json").status_code == 401
    assert Client().get("/supervision/waiting/").status_code == 401


def test_a_page_of_another_site_is_refused(cast: Any, page: Any) -> None:
    carol = page("carol", enforce_csrf_checks=True)
    assert carol.act("READY", [("alice", 5000)]).status_code == 403
    assert not SupervisorAction.objects.exists()


def test_the_same_action_sent_twice_is_done_once(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    carol, action_id = page("carol"), str(uuid.uuid4())
    first = carol.act("READY", [("alice", 5000)], id=action_id)
    again = carol.act("READY", [("alice", 5000)], id=action_id)
    assert first.json() == again.json()
    settle()
    assert carol.act("READY", [("alice", 5000)], id=action_id).json()["rows"][0]["result"] == (
        "changed"
    )
    assert MediaRequest.objects.count() == 1


def test_an_id_cannot_be_used_again_for_something_else_or_by_somebody_else(
    cast: Any, page: Any, put_in: Any
) -> None:
    put_in("alice", 5000, State.NOT_READY)
    carol, action_id = page("carol"), str(uuid.uuid4())
    carol.act("READY", [("alice", 5000)], id=action_id)
    assert carol.act("LOGOUT", [("alice", 5000)], id=action_id).status_code == 409
    assert page("dave").act("READY", [("alice", 5000)], id=action_id).status_code == 409
    assert page("dave").client.get(f"/supervision/actions/{action_id}/").status_code == 404
    assert MediaRequest.objects.count() == 1


ROW = {"agentId": "alice", "mrdId": 5000}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"id": "1"}, 400),
        ({"id": None}, 400),
        ({"requested": "LOGIN"}, 400),
        ({"requested": []}, 400),
        ({"rows": []}, 400),
        ({"rows": "alice"}, 400),
        ({"rows": [[]]}, 400),
        ({"rows": [{"agentId": 1, "mrdId": 5000}]}, 400),
        ({"rows": [{"agentId": "a\0b", "mrdId": 5000}]}, 400),
        ({"rows": [{"agentId": "alice", "mrdId": 2**31}]}, 400),
        ({"rows": [{"agentId": "alice", "mrdId": -1}]}, 400),
        ({"rows": [{"agentId": "alice", "mrdId": True}]}, 400),
        ({"rows": [{"agentId": "alice", "mrdId": 5.5}]}, 400),
        ({"rows": [{"agentId": f"a{one}", "mrdId": 5000} for one in range(MAX_ROWS + 1)]}, 413),
        ({"reasonCode": "Lunch"}, 400),
        ({"reasonCode": 1, "requested": "READY"}, 400),
        ({"requested": "CORRECT_REASON"}, 400),
        ({"note": 5}, 400),
        ({"note": "x" * 256}, 400),
        ({"note": "a\u202eb"}, 400),
        ({"note": "a\0b"}, 400),
        ({"whole": "yes"}, 400),
        ({"later": 1}, 400),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_reason(
    cast: Any, page: Any, changes: dict[str, Any], status: int
) -> None:
    sent = {"id": str(uuid.uuid4()), "requested": "NOT_READY", "rows": [ROW], **changes}
    answer = page("carol").post("actions/", sent)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)
    assert not SupervisorAction.objects.exists()


@pytest.mark.parametrize("body", [" ", "{", "[]", "null", "[" * 100_000, '{"a": \ud800}'])
def test_what_is_not_a_json_object_is_refused(cast: Any, page: Any, body: str) -> None:
    sent = body.encode("utf-8", "surrogatepass")
    answer = page("carol").client.post("/supervision/actions/", sent, "application/json")
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


def test_a_form_is_no_json(cast: Any, page: Any) -> None:
    assert page("carol").client.post("/supervision/actions/", {"id": "1"}).status_code == 415


def test_the_queries_do_not_grow_with_the_rows(
    codes: dict[str, ReasonCode], page: Any, put_in: Any
) -> None:
    put_in("alice", 5000, State.READY)
    put_in("alice", 5001, State.READY)
    dave = page("dave")

    def count(rows: list[Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            dave.act("NOT_READY", rows, reasonCode=codes["Lunch"].pk)
        return len(captured)

    one = count([("alice", 5000)])
    assert count([("alice", 5000), ("alice", 5001), ("bob", 5002)]) <= one + 1


def test_correcting_the_reason_that_runs_keeps_the_clock(
    codes: dict[str, ReasonCode], page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol: Page = page("carol")
    carol.act("NOT_READY", [("alice", 5000)], reasonCode=codes["Lunch"].pk)
    settle()
    began = Media.objects.get(user="alice", mrd=5000).state_change_time
    answer = carol.act(
        "CORRECT_REASON", [("alice", 5000), ("alice", 5001)], reasonCode=codes["Coaching"].pk
    )
    settle()
    assert carol.results(answer) == ["changed", "refused"]
    assert state("alice", 5000) == ("NOT_READY", "Coaching")
    assert Media.objects.get(user="alice", mrd=5000).state_change_time == began
    interval = StateInterval.objects.get(login_id="alice", ended_at=None)
    assert (interval.label, interval.corrections.get().label) == ("Lunch", "Coaching")


def test_the_reasons_offered_say_who_lacks_one(
    codes: dict[str, ReasonCode], page: Any, supervisor_of_two: User
) -> None:
    sent = {"rows": [{"agentId": one, "mrdId": None} for one in ("alice", "bob", "dave")]}
    shown = page("eli").post("choices/", sent).json()
    assert shown["agents"] == 2
    offered = [(one["label"], one["missing"]) for one in shown["reasons"]["NOT_READY"]]
    assert offered == [("Lunch", []), ("Coaching", ["Bob"]), ("Filing", ["Alice"])]
    assert [one["label"] for one in shown["reasons"]["LOGOUT"]] == ["End of shift"]


def test_why_is_answered_to_the_agent_and_the_supervisor_only(
    cast: Any, page: Any, put_in: Any
) -> None:
    put_in("alice", 5000, State.READY, routable=False)
    for login, status in (("alice", 200), ("carol", 200), ("dave", 200), ("bob", 404)):
        answer = page(login).client.get("/supervision/why/alice/?zone=Europe/Berlin")
        assert answer.status_code == status


@pytest.mark.parametrize(
    "zone", ["../../etc/passwd", "Nowhere/Nothing", "America", "x" * 300, "\0"]
)
def test_why_is_answered_whatever_zone_a_browser_names(
    cast: Any, page: Any, put_in: Any, zone: str
) -> None:
    put_in("alice", 5000, State.READY, routable=False)
    answer = page("alice").client.get("/supervision/why/alice/", {"zone": zone})
    assert answer.status_code == 200
    sentences = answer.json()["sentences"]
    assert sentences[0].endswith("; not routable.")
    assert len(sentences) == 3


@pytest.mark.parametrize("login_id", ["%00", "alice%00", "nobody", "%F0%9F%98%80"])
def test_why_of_an_id_that_nobody_has_is_not_found(cast: Any, page: Any, login_id: str) -> None:
    assert page("alice").client.get(f"/supervision/why/{login_id}/").status_code == 404


def test_why_knows_who_made_the_agent_not_routable(
    cast: Any, page: Any, put_in: Any, settle: Settle
) -> None:
    put_in("alice", 5000, State.READY)
    carol = page("carol")
    carol.act("NOT_ROUTABLE", [("alice", 5000)], note="Training")
    settle()
    shown = carol.client.get("/supervision/why/alice/").json()["sentences"]
    assert shown[0].endswith(", by Carol: “Training”.")
    assert "; not routable since " in shown[0]
