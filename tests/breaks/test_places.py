"""At most so many of a team on a reason at once: who asks for one more is refused."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from finesse.notifications.models import Notification
from finesse.users.models import Team, User
from media.break_tables import BreakRule
from media.models import Cause, Desktop, Media, MediaRequest
from media.states import Requested
from media.supervision_tables import WaitingChange
from media.writing import writer
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.breaks.conftest import asks, in_reason
from tests.conftest import API, LOGIN, error_of, outcomes

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]
REFUSED = {
    "ErrorData": "finesse.api.reasoncode.all_places_taken",
    "ErrorMedia": "5001",
    "ErrorMessage": "All places that the team has for this reason are taken",
    "ErrorType": "Maximum Exceeded",
}
DESKTOP_LOGIN = "<User><state>LOGIN</state><extension>1001</extension></User>"


@pytest.fixture
def rule(chat: Team, lunch: ReasonCode) -> BreakRule:
    return BreakRule.objects.create(team=chat, reason_code=lunch, most_at_once=1)


# --- after the 202 ------------------------------------------------------------------------------


def test_of_two_who_ask_at_once_for_the_last_place_one_gets_it(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    settle()
    asks("anna", lunch)
    asks("axel", lunch, request_id="r-2")
    *_, refusal = settle()
    assert in_reason(lunch) == [("anna", 5001)]
    assert outcomes() == [
        ("NOT_READY", "changed", ""),
        ("NOT_READY", "error", REFUSED["ErrorMessage"]),
    ]
    assert (refusal.source, refusal.request_id) == ("/finesse/api/User/axel/Media/5001", "r-2")
    assert "<errorData>-1</errorData>" in refusal.update
    assert "<errorType>Maximum Exceeded</errorType>" in refusal.update


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_who_apply_at_once_one_gives_the_last_place(
    rule: BreakRule, lunch: ReasonCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker applies one request: only the lock is between them."""
    monkeypatch.setattr(writer, "REQUESTS_PER_BATCH", 1)
    asks("anna", lunch)
    asks("axel", lunch)
    both = threading.Barrier(2)

    def work() -> None:
        both.wait(60)
        try:
            writer.apply_pending()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert sorted(outcome for _, outcome, _ in outcomes()) == ["changed", "error"]
    assert len(in_reason(lunch)) == 1


def test_a_place_that_is_left_in_the_same_batch_is_free(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    asks("anna", lunch)
    settle()
    new_request("anna", 5001, Requested.READY, cause=Cause.SELF, actor="anna").save()
    asks("axel", lunch)
    asks("alice", lunch)
    settle()
    assert in_reason(lunch) == [("axel", 5001)]
    assert [outcome for _, outcome, _ in outcomes()] == ["changed", "changed", "changed", "error"]


def test_an_agent_counts_once_however_many_mrds(
    rule: BreakRule, lunch: ReasonCode, api: API, settle: Settle
) -> None:
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    settle()
    asks("alice", lunch, mrd=5000)
    asks("alice", lunch, mrd=5001)
    asks("alice", lunch, mrd=5001)
    request = new_request(
        "alice", None, Requested.NOT_READY, cause=Cause.SELF, actor="alice", reason_code=lunch
    )
    request.save()
    settle()
    assert in_reason(lunch) == [("alice", 5000), ("alice", 5001)]
    assert Desktop.objects.get(user="alice").reason_code == lunch
    # In the reason by one MRD, still: the place is not free.
    for mrd in (5000, 5001):
        new_request("alice", mrd, Requested.READY, cause=Cause.SELF, actor="alice").save()
    asks("anna", lunch)
    settle()
    assert in_reason(lunch) == []
    assert MediaRequest.objects.get(login_id="anna").outcome == "error"


def test_supervisors_and_the_system_go_beyond_the_rule_and_those_they_set_count(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    asks("anna", lunch)
    asks("axel", lunch, cause=Cause.SUPERVISOR, actor="carol")
    settle()
    assert in_reason(lunch) == [("anna", 5001), ("axel", 5001)]
    BreakRule.objects.update(most_at_once=2)
    asks("alice", lunch)
    settle()
    assert ("alice", 5001) not in in_reason(lunch)


def test_a_request_that_would_fail_anyway_fails_for_its_own_reason(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    asks("anna", lunch)
    Media.objects.filter(user="axel").update(
        state="LOGOUT",
        max_dialog_limit=None,
        interrupt_action="",
        dialog_logout_action="",
        routable=False,
    )
    asks("axel", lunch)
    settle()
    assert outcomes()[-1] == ("NOT_READY", "error", "E_ARM_STAT_AGENT_NOT_LOGGED_IN")


def test_a_corrected_reason_takes_the_place_of_the_right_one(
    rule: BreakRule, lunch: ReasonCode, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    asks("anna", lunch)
    new_request(
        "anna",
        5001,
        Requested.CORRECT_REASON,
        cause=Cause.SUPERVISOR,
        actor="carol",
        reason_code=codes["Coaching"],
    ).save()
    asks("axel", lunch)
    settle()
    assert in_reason(lunch) == [("axel", 5001)]


def test_what_an_agent_has_let_wait_needs_a_place_too(
    rule: BreakRule, lunch: ReasonCode, settle: Settle
) -> None:
    asks("anna", lunch)
    settle()
    WaitingChange.objects.create(
        login_id="axel",
        mrd_id=5001,
        requested=Requested.NOT_READY,
        reason_code=lunch,
        cause=Cause.SELF,
        actor="axel",
        created_at=timezone.now(),
    )
    new_request("axel", 5001, Requested.NOT_READY, cause=Cause.SELF, actor="axel").save()
    settle()
    assert in_reason(lunch) == [("anna", 5001)]
    assert outcomes()[-1] == ("NOT_READY", "error", REFUSED["ErrorMessage"])


# --- whose rule ---------------------------------------------------------------------------------


def test_a_rule_for_all_teams_holds_in_each_team_for_itself(
    chat: Team, lunch: ReasonCode, settle: Settle
) -> None:
    BreakRule.objects.create(reason_code=lunch, most_at_once=1)
    Media.objects.filter(user="bob").update(
        state="READY",
        max_dialog_limit=5,
        interrupt_action="ACCEPT",
        dialog_logout_action="CLOSE",
    )
    asks("anna", lunch)
    asks("bob", lunch, mrd=5002)
    asks("axel", lunch)
    settle()
    assert in_reason(lunch) == [("anna", 5001), ("bob", 5002)]


def test_a_teams_own_rule_goes_before_the_one_for_all(
    chat: Team, lunch: ReasonCode, settle: Settle
) -> None:
    BreakRule.objects.create(reason_code=lunch, most_at_once=1)
    own = BreakRule.objects.create(team=chat, reason_code=lunch, most_at_once=2)
    for login_id in ("alice", "anna", "axel"):
        asks(login_id, lunch)
    settle()
    assert in_reason(lunch) == [("alice", 5001), ("anna", 5001)]
    # It says no number at all: then there is none.
    BreakRule.objects.filter(pk=own.pk).update(most_at_once=None, maximum_minutes=30)
    asks("axel", lunch)
    settle()
    assert ("axel", 5001) in in_reason(lunch)


def test_agents_without_a_team_are_together_like_a_team(
    chat: Team, lunch: ReasonCode, settle: Settle
) -> None:
    BreakRule.objects.create(reason_code=lunch, most_at_once=1)
    User.objects.filter(pk__in=("anna", "axel")).update(team=None)
    asks("alice", lunch)
    asks("anna", lunch)
    asks("axel", lunch)
    settle()
    assert in_reason(lunch) == [("alice", 5001), ("anna", 5001)]


# --- at once ------------------------------------------------------------------------------------


def test_a_put_is_refused_at_once_where_it_is_certain(
    rule: BreakRule, lunch: ReasonCode, api: API, settle: Settle
) -> None:
    asks("anna", lunch)
    settle()
    answer = api.state("NOT_READY", lunch.pk)
    assert (answer.status_code, error_of(answer)) == (400, REFUSED)
    body = f"<User><state>NOT_READY</state><reasonCodeId>{lunch.pk}</reasonCodeId></User>"
    api.request("PUT", "User/alice", DESKTOP_LOGIN)
    settle()
    of_desktop = error_of(api.request("PUT", "User/alice", body))
    assert of_desktop["ErrorData"] == REFUSED["ErrorData"]
    listed = (
        f"<MediaList><Media><id>5001</id><state>NOT_READY</state>"
        f"<reasonCodeId>{lunch.pk}</reasonCodeId></Media></MediaList>"
    )
    assert error_of(api.request("PUT", "User/alice/Media", listed)) == REFUSED


def test_a_put_of_one_who_is_in_the_reason_is_accepted(
    rule: BreakRule, lunch: ReasonCode, api: API, settle: Settle
) -> None:
    asks("alice", lunch)
    settle()
    assert api.state("NOT_READY", lunch.pk, mrd=5000).status_code == 202
    settle()
    assert in_reason(lunch) == [("alice", 5000), ("alice", 5001)]


def test_a_put_is_accepted_while_a_pending_request_may_make_a_place(
    rule: BreakRule, lunch: ReasonCode, api: API, settle: Settle
) -> None:
    asks("anna", lunch)
    settle()
    new_request("anna", 5001, Requested.READY, cause=Cause.SELF, actor="anna").save()
    assert api.state("NOT_READY", lunch.pk).status_code == 202
    settle()
    assert in_reason(lunch) == [("alice", 5001)]


def test_a_place_that_becomes_free_while_the_request_is_checked_is_seen(
    rule: BreakRule, lunch: ReasonCode, api: API, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """anna is ready again between the first look at the places and that at what is pending."""
    asks("anna", lunch)
    settle()
    real: Any = CursorWrapper.execute

    def execute(cursor: Any, sql: Any, params: Any = None) -> Any:
        if "media_mediarequest" in str(sql) and str(sql).startswith("SELECT"):
            monkeypatch.setattr(CursorWrapper, "execute", real)
            new_request("anna", 5001, Requested.READY, cause=Cause.SELF, actor="anna").save()
            settle()
        return real(cursor, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", execute)
    assert api.state("NOT_READY", lunch.pk).status_code == 202


# --- what it costs ------------------------------------------------------------------------------


def test_the_writer_asks_once_for_rules_and_only_for_a_reason(
    chat: Team, lunch: ReasonCode, settle: Settle
) -> None:
    def asked_for_rules() -> int:
        with CaptureQueriesContext(connection) as caught:
            settle()
        return sum("media_breakrule" in one["sql"] for one in caught)

    for login_id in ("alice", "anna", "axel"):
        new_request(login_id, 5001, Requested.READY, cause=Cause.SELF, actor=login_id).save()
    assert asked_for_rules() == 0
    for login_id in ("alice", "anna", "axel"):
        asks(login_id, lunch)
    # The settling asks until nothing is pending; prepared statements are not seen by Django.
    assert asked_for_rules() <= 1
    assert len(in_reason(lunch)) == 3


def test_signing_in_needs_no_place(
    rule: BreakRule, api: API, lunch: ReasonCode, settle: Settle
) -> None:
    assert api.put(LOGIN).status_code == 202
    assert api.state("NOT_READY", lunch.pk).status_code == 202
