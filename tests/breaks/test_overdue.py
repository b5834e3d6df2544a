"""What happens when the time for a reason is over: each step once in a stay, said to both."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from finesse.notifications.models import Notification
from finesse.users.models import Team
from media import overdue
from media.break_tables import BreakRule, BreakStay, Then
from media.breaks.rules import every_rule
from media.breaks.stays import budgets_over_at, stays
from media.models import Cause, Desktop, Media, MediaRequest, StateInterval
from media.states import Requested
from media.writing.history import correct_past
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
from tests.breaks.conftest import asks, in_reason

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]
BEGAN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sweep(minutes: float) -> None:
    """At a time that is handed in: so many minutes after `BEGAN`."""
    while overdue.act_on_limits(BEGAN + timedelta(minutes=minutes)):
        pass


@pytest.fixture
def rule(chat: Team, lunch: ReasonCode) -> BreakRule:
    """30 min, then the agent is told; 5 min later the supervisors; 10 min later Ready."""
    return BreakRule.objects.create(
        team=chat,
        reason_code=lunch,
        maximum_minutes=30,
        tell_agent_after=0,
        tell_supervisors_after=5,
        then=Then.READY,
        then_after=15,
    )


@pytest.fixture
def at_lunch(chat: Team, lunch: ReasonCode, settle: Settle) -> None:
    """anna, in Email, since `BEGAN`."""
    asks("anna", lunch)
    settle()
    began(BEGAN)


def began(at: datetime, login_id: str = "anna", mrd: int = 5001) -> None:
    Media.objects.filter(user=login_id, mrd=mrd).update(state_change_time=at)
    open_ones = StateInterval.objects.filter(login_id=login_id, mrd_id=mrd, ended_at=None)
    open_ones.update(started_at=at)


def told() -> list[str]:
    """To whom something was said, in the order of the log."""
    said = Notification.objects.filter(node="/finesse/api/User/anna/Limits").order_by("position")
    return [json.loads(one.context)["to"] for one in said]


def moved() -> list[tuple[str, str, int | None, str | None]]:
    of_limits = MediaRequest.objects.filter(cause=Cause.LIMIT).order_by("id")
    return list(of_limits.values_list("login_id", "requested", "mrd_id", "outcome"))


def anna() -> Media:
    return Media.objects.get(user="anna", mrd=5001)


# --- one step after another ---------------------------------------------------------------------


@pytest.mark.usefixtures("rule", "at_lunch")
def test_the_agent_is_told_then_the_supervisors_then_the_state_changes() -> None:
    sweep(29.9)
    assert (told(), moved()) == ([], [])
    sweep(30)
    assert (told(), moved()) == (["agent"], [])
    sweep(34.9)
    assert told() == ["agent"]
    sweep(35)
    assert told() == ["agent", "supervisors"]
    sweep(44.9)
    assert moved() == []
    sweep(45)
    assert told() == ["agent", "supervisors"]
    assert moved() == [("anna", "READY", 5001, "changed")]
    assert (anna().state, anna().routable) == ("READY", True)
    sweep(46)
    assert BreakStay.objects.count() == 0
    assert len(moved()) == 1


@pytest.mark.usefixtures("rule", "at_lunch")
def test_steps_that_were_missed_are_made_up_for_once_each_in_their_order() -> None:
    sweep(600)
    sweep(601)
    assert told() == ["agent", "supervisors"]
    assert moved() == [("anna", "READY", 5001, "changed")]


@pytest.mark.usefixtures("rule", "at_lunch")
def test_what_is_said_names_reason_and_times_in_the_frame_and_not_in_xmpp(
    lunch: ReasonCode,
) -> None:
    sweep(31)
    said = Notification.objects.get(node="/finesse/api/User/anna/Limits")
    assert json.loads(said.context) == {
        "cause": "limit",
        "to": "agent",
        "user": "anna",
        "reasonCodeId": str(lunch.pk),
        "label": "Lunch",
        "beganAt": "2026-05-04T10:00:00.000Z",
        "overdueAt": "2026-05-04T10:30:00.000Z",
    }
    assert said.source == said.node
    assert "<label>Lunch</label>" in said.update


@pytest.mark.usefixtures("rule", "at_lunch")
def test_the_change_of_state_names_its_cause_to_viewers_and_in_the_history() -> None:
    sweep(45)
    published = Notification.objects.filter(node="/finesse/api/User/anna/Media").last()
    assert published
    assert json.loads(published.context) == {
        "cause": "limit",
        "actor": None,
        "note": "The time for “Lunch” is over.",
        "requested": "READY",
    }
    interval = StateInterval.objects.get(login_id="anna", ended_at=None)
    assert (interval.cause, interval.actor, interval.note) == (
        "limit",
        "",
        "The time for “Lunch” is over.",
    )


@pytest.mark.usefixtures("at_lunch")
@pytest.mark.parametrize("then", [Then.NOT_READY, Then.SIGN_OUT, Then.NOTHING])
def test_another_state_follows(rule: BreakRule, codes: dict[str, ReasonCode], then: Then) -> None:
    coaching = codes["Coaching"]
    rule.then = then
    rule.then_reason_code = coaching if then == Then.NOT_READY else None
    rule.then_after = None if then == Then.NOTHING else 15
    rule.save()
    sweep(45)
    sweep(46)
    expected = {
        Then.NOT_READY: ("NOT_READY", coaching),
        Then.SIGN_OUT: ("LOGOUT", None),
        Then.NOTHING: ("NOT_READY", codes["Lunch"]),
    }
    assert (anna().state, anna().reason_code) == expected[then]
    assert len(moved()) == (0 if then == Then.NOTHING else 1)


def test_a_rule_without_steps_only_says_a_time(
    chat: Team, lunch: ReasonCode, at_lunch: None
) -> None:
    BreakRule.objects.create(team=chat, reason_code=lunch, maximum_minutes=30)
    sweep(500)
    assert (told(), moved(), anna().state) == ([], [], "NOT_READY")


def test_the_maximum_time_of_the_reason_code_holds_where_the_rule_says_none(
    rule: BreakRule, lunch: ReasonCode, at_lunch: None
) -> None:
    BreakRule.objects.update(maximum_minutes=None)
    sweep(500)
    assert told() == []
    ReasonCode.objects.filter(pk=lunch.pk).update(maximum_minutes=10)
    sweep(10)
    assert told() == ["agent"]


# --- what a stay is -----------------------------------------------------------------------------


@pytest.mark.usefixtures("rule", "at_lunch")
def test_an_agent_in_several_mrds_has_one_stay_and_leaves_all_of_them(
    lunch: ReasonCode, settle: Settle
) -> None:
    for mrd in (5000, 5001):
        asks("alice", lunch, mrd=mrd)
    Desktop.objects.create(user_id="alice", state="READY", extension="1")
    new_request(
        "alice", None, Requested.NOT_READY, cause=Cause.SELF, actor="alice", reason_code=lunch
    ).save()
    settle()
    began(BEGAN + 20 * MINUTE, "alice", 5000)
    began(BEGAN + 5 * MINUTE, "alice", 5001)
    Desktop.objects.update(state_change_time=BEGAN + 6 * MINUTE)
    Media.objects.filter(user="anna").update(state_change_time=BEGAN + 100 * MINUTE)
    sweep(5 + 45)
    assert moved() == [
        ("alice", "READY", 5000, "changed"),
        ("alice", "READY", 5001, "changed"),
        ("alice", "READY", None, "changed"),
    ]
    assert in_reason(lunch) == [("anna", 5001)]


@pytest.mark.usefixtures("rule", "at_lunch")
def test_a_second_stay_has_steps_of_its_own(lunch: ReasonCode, settle: Settle) -> None:
    sweep(31)
    new_request("anna", 5001, Requested.READY, cause=Cause.SELF, actor="anna").save()
    asks("anna", lunch)
    settle()
    began(BEGAN + 60 * MINUTE)
    sweep(61)
    assert told() == ["agent"]
    sweep(90)
    assert told() == ["agent", "agent"]


@pytest.mark.usefixtures("at_lunch")
def test_a_step_that_was_done_is_not_done_again_when_the_rule_changes(rule: BreakRule) -> None:
    sweep(31)
    rule.maximum_minutes = 40
    rule.save()
    sweep(32)
    sweep(41)
    assert told() == ["agent"]
    sweep(45)
    assert told() == ["agent", "supervisors"]


@pytest.mark.usefixtures("rule", "at_lunch")
def test_an_agent_whose_request_is_pending_is_left_to_it(settle: Settle) -> None:
    new_request("anna", 5001, Requested.LOGOUT, cause=Cause.SELF, actor="anna").save()
    sweep(45)
    assert moved() == []
    settle()
    sweep(46)
    assert (anna().state, moved()) == ("LOGOUT", [])


@pytest.mark.usefixtures("at_lunch")
def test_only_agents_whom_a_rule_is_about_have_a_stay(
    chat: Team, lunch: ReasonCode, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    """The rule is for Back office."""
    team = Team.objects.get(name="Back office")
    BreakRule.objects.create(team=team, reason_code=lunch, maximum_minutes=1, tell_agent_after=0)
    sweep(45)
    assert (told(), BreakStay.objects.count()) == ([], 0)


# --- budgets ------------------------------------------------------------------------------------


def past(minutes_before: int, lasted: int, reason: ReasonCode, mrd: int = 5001) -> StateInterval:
    start = BEGAN - minutes_before * MINUTE
    return StateInterval.objects.create(
        login_id="anna",
        mrd_id=mrd,
        state="NOT_READY",
        reason_code=reason,
        code=reason.code,
        label=reason.label,
        started_at=start,
        ended_at=start + lasted * MINUTE,
        cause="self",
        actor="anna",
    )


@pytest.fixture
def daily(chat: Team, lunch: ReasonCode, at_lunch: None) -> BreakRule:
    return BreakRule.objects.create(
        team=chat, reason_code=lunch, budget_minutes=30, tell_agent_after=0
    )


def test_what_was_used_on_the_day_is_taken_from_the_budget(
    daily: BreakRule, lunch: ReasonCode
) -> None:
    past(200, 10, lunch)
    # The same ten minutes in another MRD, and half of them again.
    past(200, 10, lunch, mrd=5000)
    past(195, 10, lunch, mrd=5000)
    # Of the day before, by UTC.
    past(10 * 60 + 30, 20, lunch)
    sweep(14.9)
    assert told() == []
    sweep(15)
    assert told() == ["agent"]


def test_the_day_is_that_of_the_rules_time_zone(daily: BreakRule, lunch: ReasonCode) -> None:
    # 22:30 to 22:50 of the day before by UTC, after midnight in Berlin.
    past(11 * 60 + 30, 20, lunch)
    daily.time_zone = "Europe/Berlin"
    daily.save()
    sweep(9.9)
    assert told() == []
    sweep(10)
    assert told() == ["agent"]


def test_corrections_count_as_soon_as_they_are_made(
    daily: BreakRule, lunch: ReasonCode, codes: dict[str, ReasonCode]
) -> None:
    wrong = past(200, 25, lunch)
    right = past(100, 20, codes["Coaching"])
    sweep(4)
    correct_past(wrong, codes["Coaching"], actor="carol", note="")
    sweep(6)
    assert told() == []
    correct_past(right, lunch, actor="carol", note="")
    sweep(9.9)
    assert told() == []
    sweep(10)
    assert told() == ["agent"]
    correct_past(right, None, actor="carol", note="It was none")
    sweep(11)
    assert BreakStay.objects.get().budget_over_at == BEGAN + 30 * MINUTE


def test_whoever_begins_with_nothing_left_is_over_at_once(
    daily: BreakRule, lunch: ReasonCode
) -> None:
    past(200, 60, lunch)
    sweep(0)
    assert told() == ["agent"]


def test_the_stay_and_the_day_hold_side_by_side(daily: BreakRule, lunch: ReasonCode) -> None:
    BreakRule.objects.update(maximum_minutes=20)
    past(200, 5, lunch)
    sweep(20)
    assert told() == ["agent"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
def test_budgets_of_the_history_are_those_of_a_count_of_minutes(
    daily: BreakRule, lunch: ReasonCode, codes: dict[str, ReasonCode], zone: str
) -> None:
    """Through the night in which Berlin sets its clocks back, with corrections."""
    daily.time_zone, daily.budget_minutes = zone, 40
    daily.save()
    coaching = codes["Coaching"]
    for number, start in enumerate(range(0, 40 * 60, 47)):
        entered, true = (lunch, coaching) if number % 3 else (coaching, lunch)
        at = datetime(2026, 10, 24, 4, tzinfo=UTC) + start * MINUTE
        interval = past(int((BEGAN - at) / MINUTE), 1 + number % 7, entered)
        if number % 2:
            correct_past(interval, true, actor="carol", note="")
    StateInterval.objects.filter(login_id="anna", ended_at=None).delete()
    for hour in (4, 20, 22, 23, 24, 25, 26, 36):
        start = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(hours=hour)
        Media.objects.filter(user="anna").update(state_change_time=start)
        expected = counted_over(start, lunch, ZoneInfo(zone), budget=40)
        (over,) = budgets_over_at([*stays(every_rule()).values()], start).values()
        assert over == expected, (zone, hour)


def counted_over(start: datetime, lunch: ReasonCode, zone: ZoneInfo, budget: int) -> datetime:
    """Minute by minute, from two days before."""
    spans = []
    for one in StateInterval.objects.prefetch_related("corrections"):
        last = one.corrections.order_by("pk").last()
        reason = last.reason_code if last else one.reason_code
        if reason == lunch and one.login_id == "anna" and one.ended_at:
            spans.append((one.started_at, one.ended_at))
    minute, count, day = start - timedelta(days=2), 0, None
    while True:
        if minute.astimezone(zone).date() != day:
            day, count = minute.astimezone(zone).date(), 0
        if minute >= start and count >= budget:
            return minute
        count += minute >= start or any(began <= minute < ended for began, ended in spans)
        minute += MINUTE


# --- killed, and twice at once ------------------------------------------------------------------


class KilledError(BaseException):
    pass


@pytest.mark.usefixtures("rule", "at_lunch")
def test_a_sweep_that_is_killed_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*args: Any) -> None:
        raise KilledError

    for killed_in, name in ((overdue, "apply_at_once"), (overdue._Look, "save")):
        with monkeypatch.context() as killed:
            killed.setattr(killed_in, name, die)
            with pytest.raises(KilledError):
                sweep(45)
        assert (told(), moved(), BreakStay.objects.count()) == ([], [], 0)
    sweep(45)
    assert (told(), len(moved())) == (["agent", "supervisors"], 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("rule", "at_lunch")
def test_two_sweeps_that_find_the_same_do_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = threading.Barrier(2)
    real = overdue._Look.has_found
    errors: list[BaseException] = []

    def look_together(look: Any) -> bool:
        found = real(look)
        both_have_looked.wait(60)
        return found

    def run() -> None:
        try:
            overdue.act_on_limits(BEGAN + 45 * MINUTE)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(overdue._Look, "has_found", look_together)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert errors == []
    assert told() == ["agent", "supervisors"]
    assert moved() == [("anna", "READY", 5001, "changed")]


@pytest.mark.usefixtures("rule")
def test_more_than_one_transaction_holds_are_done_in_several(
    lunch: ReasonCode, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "STAYS_PER_STEP", 1)
    for number, login_id in enumerate(("anna", "axel", "alice")):
        asks(login_id, lunch)
        settle()
        began(BEGAN + number * MINUTE, login_id)
    assert overdue.act_on_limits(BEGAN + 60 * MINUTE)
    assert [one[0] for one in moved()] == ["anna"]
    sweep(60)
    assert [one[0] for one in moved()] == ["anna", "axel", "alice"]


# --- what it costs ------------------------------------------------------------------------------


def test_without_rules_a_sweep_asks_for_them_and_does_nothing_else(
    at_lunch: None, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):
        sweep(45)


@pytest.mark.usefixtures("rule", "at_lunch")
def test_a_stay_that_is_known_is_not_looked_up_in_the_history_again(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    BreakRule.objects.update(budget_minutes=60)
    sweep(1)

    def never(*args: Any) -> None:
        raise AssertionError("The history was asked")

    monkeypatch.setattr(
        "media.breaks.stays.spans_since", lambda since, now, who, what: never() if who else {}
    )
    with django_assert_max_num_queries(6):
        sweep(2)
