"""The one sentence that says a rule to agents and supervisors."""

from typing import Any

import pytest

from media.break_tables import BreakRule, Then
from media.breaks.words import sentence
from reasoncodes.models import ReasonCode


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, ""),
        ({"most_at_once": 1}, "At most 1 of the team at once."),
        ({"maximum_minutes": 30}, "30 min, then nothing happens."),
        ({"budget_minutes": 45}, "45 min a day, then nothing happens."),
        (
            {"maximum_minutes": 30, "budget_minutes": 45, "tell_agent_after": 2},
            "30 min and at most 45 min a day, then after 2 min more a reminder to the agent.",
        ),
        (
            {
                "maximum_minutes": 30,
                "tell_agent_after": 0,
                "tell_supervisors_after": 0,
                "then": Then.SIGN_OUT,
                "then_after": 10,
            },
            "30 min, then a reminder to the agent; at the same time the supervisors are told; "
            "10 min later signed out.",
        ),
        (
            {
                "maximum_minutes": 30,
                "tell_supervisors_after": 5,
                "then": Then.NOT_READY,
                "then_after": 1,
                "then_reason_code": ReasonCode(label="Overrun", code=9),
            },
            "30 min, then after 1 min more Not ready for “Overrun”; 4 min later the supervisors "
            "are told.",
        ),
    ],
)
def test_a_rule_is_said_in_the_order_of_its_steps(fields: dict[str, Any], says: str) -> None:
    rule = BreakRule(reason_code=ReasonCode(label="Lunch", code=1), **fields)
    assert sentence(rule) == says


def test_the_time_of_the_reason_code_is_said_where_the_rule_has_none() -> None:
    lunch = ReasonCode(label="Lunch", code=1, maximum_minutes=20)
    assert sentence(BreakRule(reason_code=lunch, tell_agent_after=0)) == (
        "20 min, then a reminder to the agent."
    )
