"""What the agent's own page shows: the data behind it, and what became of a request."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.api.errors import TABLE
from finesse.notifications import log
from finesse.users.models import User
from media.break_tables import BreakRule
from media.models import Cause, Media, MediaRequest, MediaRoutingDomain
from media.own_page.allowed import OF_AGENTS, allowed
from media.own_page.words import errors
from media.state_words import STATE_WORDS
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, Error, Refused, Requested, State
from media.supervision_tables import WaitingChange
from media.writing.acceptance import accept
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast

Settle = Callable[[], Any]


def signed_in(login_id: str, **headers: str) -> Client:
    client = Client(headers=headers)
    client.force_login(User.objects.get(pk=login_id))
    return client


def shown(login_id: str = "alice", **headers: str) -> dict[str, Any]:
    data: dict[str, Any] = signed_in(login_id, **headers).get("/own-page/").json()
    return data


def subject(data: dict[str, Any], mrd: str) -> dict[str, Any]:
    (found,) = [one for one in data["subjects"] if one["mrd"]["id"] == mrd]
    return found


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize("path", ["/own-page/", "/own-page/outcome/?requestId=r-1"])
def test_it_is_a_401_without_a_session(path: str) -> None:
    assert Client().get(path).status_code == 401


def test_it_shows_ones_own_media_and_the_desktop_as_the_api_does(api: API, cast: Cast) -> None:
    data = shown()
    assert data["position"] == log.head().place.number
    assert [one["source"] for one in data["subjects"]] == [
        "/finesse/api/User/alice/Media/5000",
        "/finesse/api/User/alice/Media/5001",
        "/finesse/api/User/alice",
    ]
    document = fromstring(subject(data, "5001")["document"])
    got = fromstring(api.get().content)
    assert [(one.tag, one.text) for one in document] == [(one.tag, one.text) for one in got]


@pytest.mark.usefixtures("cast")
def test_a_supervisor_and_an_administrator_see_their_own_states_alone() -> None:
    for login_id in ("carol", "dave"):
        assert [one["source"] for one in shown(login_id)["subjects"]] == [
            f"/finesse/api/User/{login_id}"
        ]


@pytest.mark.usefixtures("codes")
def test_the_reasons_are_those_of_the_agents_own_list_in_its_order_and_language() -> None:
    lunch = ReasonCode.objects.get(label="Lunch")
    lunch.translations = {"de": "Mittagspause"}
    lunch.colour, lunch.maximum_minutes, lunch.warning_minutes = "#17887f", 45, 5
    lunch.place = 2
    lunch.save()
    ReasonCode.objects.filter(label="Coaching").update(place=1)
    reasons = shown(**{"Accept-Language": "de-AT"})["reasons"]
    assert reasons["NOT_READY"]["isRequired"] is True
    assert [one["label"] for one in reasons["NOT_READY"]["codes"]] == ["Coaching", "Mittagspause"]
    assert reasons["NOT_READY"]["codes"][1] == {
        "id": str(lunch.pk),
        "code": 1,
        "label": "Mittagspause",
        "colour": "#17887f",
        "description": "",
        "maximumMinutes": 45,
        "warningMinutes": 5,
        "limit": None,
    }
    assert [one["label"] for one in reasons["LOGOUT"]["codes"]] == ["End of shift"]


@pytest.mark.usefixtures("cast")
def test_without_reasons_none_is_required() -> None:
    assert shown()["reasons"]["NOT_READY"] == {"isRequired": False, "codes": []}


def test_a_retired_reason_that_one_is_in_is_explained_but_not_offered(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    lunch = codes["Lunch"]
    api.put(LOGIN)
    settle()
    api.state("NOT_READY", lunch.pk)
    settle()
    ReasonCode.objects.filter(pk=lunch.pk).update(retired=True)
    data = shown()
    assert [one["label"] for one in data["presentReasons"]] == ["Lunch"]
    assert "Lunch" not in [one["label"] for one in data["reasons"]["NOT_READY"]["codes"]]


def test_who_has_brought_about_a_state_is_told_unless_it_was_oneself(
    api: API, cast: Cast, settle: Settle
) -> None:
    api.put(LOGIN)
    settle()
    assert subject(shown(), "5001")["by"] is None
    accept(
        [
            new_request(
                "alice",
                5001,
                Requested.READY,
                cause=Cause.SUPERVISOR,
                actor="carol",
                note="Many are waiting",
            )
        ]
    )
    settle()
    assert subject(shown(), "5001")["by"] == {
        "cause": "supervisor",
        "actor": {"id": "carol", "name": "Carol"},
        "note": "Many are waiting",
        "requested": "READY",
    }
    assert subject(shown(), "5000")["by"] is None
    api.state("NOT_READY")
    settle()
    assert subject(shown(), "5001")["by"] is None


def test_a_supervisors_change_of_the_desktop_is_told_too(
    api: API, cast: Cast, settle: Settle
) -> None:
    api.request("PUT", "User/alice", "<User><state>LOGIN</state><extension>7</extension></User>")
    settle()
    api.request("PUT", "User/alice", "<User><state>READY</state></User>", login="carol")
    settle()
    assert subject(shown(), "1")["by"]["actor"] == {"id": "carol", "name": "Carol"}


def test_the_last_correction_of_a_reason_is_told(
    api: API, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    api.put(LOGIN)
    settle()
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    accept(
        [
            new_request(
                "alice",
                5001,
                Requested.CORRECT_REASON,
                cause=Cause.SUPERVISOR,
                actor="carol",
                reason_code=codes["Coaching"],
                note="It was a coaching",
            )
        ]
    )
    settle()
    by = subject(shown(), "5001")["by"]
    assert (by["requested"], by["note"]) == ("CORRECT_REASON", "It was a coaching")


@pytest.mark.usefixtures("cast")
def test_it_takes_the_same_queries_however_many_mrds_one_has() -> None:
    client = signed_in("alice")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/own-page/").status_code == 200
        return len(captured)

    queries()
    few = queries()
    for pk in range(6000, 6010):
        mrd = MediaRoutingDomain.objects.create(pk=pk, name=f"Channel {pk}")
        Media.objects.create(user_id="alice", mrd=mrd)
    assert queries() == few


def test_the_setting_says_whether_the_desktops_sign_out_ends_everything(
    cast: Cast, settings: Any
) -> None:
    assert shown()["desktopEndsAll"] is True
    settings.FINESSE_USER_SIGNOUT_CHANNEL = "1"
    assert shown()["desktopEndsAll"] is False


# --- the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [TRANSITIONS, DESKTOP_TRANSITIONS])
def test_what_is_allowed_is_what_the_transition_table_says(table: Any) -> None:
    rules = allowed(table)
    for state, row in table.items():
        for requested in OF_AGENTS:
            if requested not in row:
                assert requested not in rules[state]
                continue
            refuses = isinstance(row[requested], Error | Refused)
            assert ("why" in rules[state][requested]) is refuses, (state, requested)


@pytest.mark.parametrize(
    ("table", "state", "requested", "why"),
    [
        (TRANSITIONS, State.LOGOUT, Requested.READY, "You are signed out; sign in first."),
        (TRANSITIONS, State.READY, Requested.LOGIN, "You are signed in already."),
        (TRANSITIONS, State.ACTIVE, Requested.READY, "Only while you are “Not ready” or “Ready”."),
        (TRANSITIONS, State.READY, Requested.ACTIVE, "Only while you are “Connection lost”."),
        (
            DESKTOP_TRANSITIONS,
            State.READY,
            Requested.LOGOUT,
            "Only while you are “Not ready”.",
        ),
    ],
)
def test_why_not_is_said_in_words(table: Any, state: State, requested: Requested, why: str) -> None:
    cell = allowed(table)[state][requested]
    assert cell["why"] == why


def test_every_state_has_a_word() -> None:
    assert set(STATE_WORDS) == set(State)


OF_OTHERS = re.compile(
    "LIST_NOT_AUTHORIZED|INVALID_SUPERVISOR|TEAM_|REASON_CODE_(NOT_FOUND|DUPLICATE|STALE|OF_SYSTEM)"
    "|REASON_CODES_EXCEEDED|PARAMETER_"
)
"""Errors of calls that the page does not make, and those with a sentence for each parameter."""


@pytest.mark.parametrize("name", [name for name in TABLE if not OF_OTHERS.match(name)])
def test_every_error_that_a_page_may_meet_has_a_sentence(name: str) -> None:
    row, sentences = TABLE[name], errors()
    assert row.message in sentences or row.type in sentences
    if row.later_message:
        assert row.later_message in sentences


def test_a_refusal_and_its_error_after_the_202_have_a_sentence_each() -> None:
    sentences = errors()
    refused = TABLE["INVALID_STATE"].message
    assert sentences[refused] == sentences["CF_INVALID_OBJECT_STATE"]
    assert sentences["CF_INVALID_PASSWORD_SPECIFIED"].startswith("You are signed out")
    assert sentences[refused] != sentences["CF_INVALID_PASSWORD_SPECIFIED"]


# --- what became of a request ---------------------------------------------------------------------


def outcome(request_id: str, login_id: str = "alice") -> dict[str, Any]:
    found: dict[str, Any] = (
        signed_in(login_id).get("/own-page/outcome/", {"requestId": request_id}).json()
    )
    return found


UNKNOWN = {"known": False, "outcome": None, "error": ""}


def test_a_request_waits_until_it_has_its_outcome(api: API, cast: Cast, settle: Settle) -> None:
    assert outcome("r-1") == UNKNOWN
    api.put(LOGIN, requestId="r-1")
    assert outcome("r-1") == {"known": True, "outcome": None, "error": ""}
    settle()
    assert outcome("r-1") == {"known": True, "outcome": "changed", "error": ""}
    api.state("READY", mrd=5000, requestId="r-2")
    settle()
    assert outcome("r-2") == {
        "known": True,
        "outcome": "error",
        "error": "E_ARM_STAT_AGENT_NOT_LOGGED_IN",
    }
    api.state("NOT_READY", requestId="r-3")
    settle()
    assert outcome("r-3")["outcome"] == "ignored"


def test_the_last_request_with_the_id_counts(api: API, cast: Cast, settle: Settle) -> None:
    api.put(LOGIN, requestId="r-1")
    settle()
    api.state("READY", requestId="r-1")
    assert outcome("r-1")["outcome"] is None


def test_requests_of_others_old_ones_and_those_without_an_id_are_not_found(
    api: API, cast: Cast, settle: Settle
) -> None:
    api.put(LOGIN, requestId="r-1")
    assert outcome("r-1", "bob") == UNKNOWN
    assert outcome("r-1", "dave") == UNKNOWN
    api.put(LOGIN)
    for nothing in ("", "\0", "r-\0"):
        assert outcome(nothing) == UNKNOWN
    MediaRequest.objects.update(accepted_at=timezone.now() - timedelta(hours=1))
    assert outcome("r-1") == UNKNOWN


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("cast")
def test_the_page_comes_first_for_agents_and_folded_for_others() -> None:
    of_agent = signed_in("alice").get("/").content.decode()
    assert of_agent.index('data-testid="agent-page"') < of_agent.index('data-testid="board"')
    assert '<details class="panel" open>' in of_agent
    of_supervisor = signed_in("carol").get("/").content.decode()
    assert '<details class="panel" >' in of_supervisor
    assert Media.objects.filter(user="carol").count() == 0


def test_reasons_say_what_break_rules_say_of_them(api: API, codes: dict[str, ReasonCode]) -> None:
    BreakRule.objects.create(reason_code=codes["Lunch"], most_at_once=1, maximum_minutes=20)
    reasons = {one["label"]: one for one in shown()["reasons"]["NOT_READY"]["codes"]}
    lunch = reasons.pop("Lunch")
    assert lunch["maximumMinutes"] == 20
    places = {"most": 1, "taken": 0, "hasQueue": False, "waiting": 0}
    assert lunch["limit"]["places"] == places
    assert lunch["limit"]["says"].startswith("At most 1 of the team at once.")
    assert {one["limit"] for one in reasons.values()} == {None}


def test_what_waits_is_shown_to_its_agent_alone(cast: Cast) -> None:
    WaitingChange.objects.create(
        login_id="alice",
        mrd_id=None,
        requested=Requested.READY,
        cause=Cause.SUPERVISOR,
        actor="carol",
        note="Please",
        created_at=timezone.now(),
    )
    (waiting,) = shown("alice")["waiting"]
    name = cast.carol.get_full_name()
    del waiting["id"]
    of_change = {"mrdId": "1", "requested": "READY", "by": name, "note": "Please"}
    assert waiting == {**of_change, "reason": "", "place": None}
    assert shown("bob")["waiting"] == []
