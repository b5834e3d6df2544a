"""The JSON for the board and the agent's own page: limits, what is left, when a stay is over."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from finesse.notifications.models import Notification
from finesse.users.models import Team, User
from media.break_tables import BreakRule
from media.breaks.shown import limits_now, limits_of_agent
from media.models import Media, StateInterval
from reasoncodes.models import ReasonCode
from tests.breaks.conftest import asks

pytestmark = pytest.mark.usefixtures("own_layer")
Settle = Callable[[], list[Notification]]
BEGAN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rule(chat: Team, lunch: ReasonCode) -> BreakRule:
    return BreakRule.objects.create(
        team=chat, reason_code=lunch, most_at_once=2, maximum_minutes=30, budget_minutes=45
    )


@pytest.fixture
def at_lunch(rule: BreakRule, lunch: ReasonCode, settle: Settle) -> None:
    """anna, since `BEGAN`, and for 20 minutes an hour before."""
    asks("anna", lunch)
    settle()
    Media.objects.filter(user="anna").update(state_change_time=BEGAN)
    StateInterval.objects.filter(login_id="anna").update(started_at=BEGAN)
    StateInterval.objects.create(
        login_id="anna",
        mrd_id=5001,
        state="NOT_READY",
        reason_code=lunch,
        started_at=BEGAN - 60 * MINUTE,
        ended_at=BEGAN - 40 * MINUTE,
        cause="self",
        actor="anna",
    )


def json_of(login_id: str, path: str) -> Any:
    browser = Client()
    browser.force_login(User.objects.get(pk=login_id))
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.json()


SAYS = "At most 2 of the team at once. 30 min and at most 45 min a day, then nothing happens."


@pytest.mark.usefixtures("at_lunch")
def test_who_is_in_a_reason_with_a_limit_has_what_is_left_and_the_end(lunch: ReasonCode) -> None:
    assert limits_now(None, BEGAN + 10 * MINUTE) == {
        "anna": {
            str(lunch.pk): {
                "says": SAYS,
                "maximumMinutes": 30,
                "budgetMinutes": 45,
                "budgetLeftSeconds": 15 * 60,
                "beganAt": "2026-05-04T10:00:00.000Z",
                # 25 minutes are left of the day, which is less than a whole stay.
                "overdueAt": "2026-05-04T10:25:00.000Z",
            }
        }
    }
    left = limits_now(None, BEGAN + 60 * MINUTE)["anna"][str(lunch.pk)]["budgetLeftSeconds"]
    assert left == 0


@pytest.mark.usefixtures("at_lunch")
def test_an_agent_reads_the_rules_of_the_reasons_to_choose_from(
    cast: Any, lunch: ReasonCode
) -> None:
    ours = limits_of_agent(cast.alice, BEGAN + 10 * MINUTE)
    assert ours == {
        str(lunch.pk): {
            "says": SAYS,
            "maximumMinutes": 30,
            "budgetMinutes": 45,
            "budgetLeftSeconds": 45 * 60,
            "beganAt": None,
            "overdueAt": None,
            "places": {"most": 2, "taken": 1, "hasQueue": False, "waiting": 0},
        }
    }
    annas = limits_of_agent(User.objects.get(pk="anna"), BEGAN + 10 * MINUTE)[str(lunch.pk)]
    assert (annas["overdueAt"], annas["budgetLeftSeconds"]) == ("2026-05-04T10:25:00.000Z", 900)
    assert limits_of_agent(cast.bob, BEGAN) == {}


@pytest.mark.usefixtures("at_lunch")
@pytest.mark.parametrize("path", ["/board/", "/board/limits/"])
@pytest.mark.parametrize(
    ("login", "seen"), [("anna", True), ("carol", True), ("dave", True), ("axel", False)]
)
def test_each_role_gets_the_limits_of_those_whom_it_sees(path: str, login: str, seen: bool) -> None:
    assert ("anna" in json_of(login, path)["limits"]) == seen


def test_nobody_gets_limits_without_a_session() -> None:
    assert Client().get("/board/limits/").status_code == 401


def test_without_rules_there_are_none(chat: Team, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(1):
        assert limits_now() == {}


# --- rules on the board -------------------------------------------------------------------------


def of_rules(login_id: str, reason: ReasonCode) -> Any:
    meanings = json_of(login_id, "/board/reason-codes/")["reasonCodes"]
    return meanings.get(str(reason.pk), {}).get("ofRules")


def test_the_board_has_the_longest_stays_of_the_readers_own_teams(
    rule: BreakRule, lunch: ReasonCode
) -> None:
    back_office = Team.objects.get(name="Back office")
    BreakRule.objects.create(team=back_office, reason_code=lunch, maximum_minutes=9)
    assert of_rules("carol", lunch) == {"teams": {"Chat": 30}}
    assert of_rules("alice", lunch) == {"teams": {"Chat": 30}}
    assert of_rules("bob", lunch) == {"teams": {"Back office": 9}}
    BreakRule.objects.create(reason_code=lunch, maximum_minutes=40)
    assert of_rules("dave", lunch) == {"teams": {"Chat": 30, "Back office": 9}, "others": 40}
    # Without a stay of its own it is that of the reason code.
    BreakRule.objects.filter(team=rule.team).update(maximum_minutes=None)
    ReasonCode.objects.filter(pk=lunch.pk).update(maximum_minutes=50)
    assert of_rules("carol", lunch) == {"teams": {"Chat": 50}, "others": 40}


def test_a_changed_rule_is_told_as_a_change_of_its_reason_code(
    chat: Team, lunch: ReasonCode, codes: dict[str, ReasonCode], settle: Settle
) -> None:
    def told() -> list[tuple[str, str, str]]:
        return [(one.node, one.source, one.event) for one in settle()]

    settle()
    of_team = f"/finesse/api/TeamResource/{chat.pk}/ReasonCodes"
    rule = BreakRule.objects.create(team=chat, reason_code=lunch, maximum_minutes=30)
    assert told() == [(of_team, lunch.uri, "PUT")]
    rule.maximum_minutes = 20
    rule.save()
    assert told() == [(of_team, lunch.uri, "PUT")]
    rule.delete()
    assert told() == [(of_team, lunch.uri, "PUT")]
    BreakRule.objects.create(reason_code=lunch, maximum_minutes=30)
    assert told() == [("/finesse/api/ReasonCodes", lunch.uri, "PUT")]
    BreakRule.objects.create(reason_code=codes["Coaching"], maximum_minutes=30)
    assert told() == [(of_team, codes["Coaching"].uri, "PUT")]
