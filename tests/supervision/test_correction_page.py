"""Correcting the reason of a time that is over, on its page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finesse.users.models import User
from media.models import IntervalCorrection, StateInterval
from reasoncodes.models import ReasonCode

BEGAN = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
def interval(codes: dict[str, ReasonCode]) -> StateInterval:
    return StateInterval.objects.create(
        login_id="alice",
        mrd_id=5000,
        state="NOT_READY",
        reason_code=codes["Lunch"],
        code=1,
        label="Lunch",
        started_at=BEGAN,
        ended_at=BEGAN + timedelta(minutes=40),
        cause="self",
        actor="alice",
    )


def address(interval: StateInterval) -> str:
    return f"/supervision/interval/{interval.pk}/correct/"


def test_it_is_corrected_once_it_is_confirmed_and_the_first_entry_stays_visible(
    interval: StateInterval, codes: dict[str, ReasonCode], page: Any
) -> None:
    client = page("carol").client
    assert "Coaching" in client.get(address(interval)).content.decode()
    sent = {"reason_code": codes["Coaching"].pk, "note": "It was a coaching"}
    asked = client.post(address(interval), sent).content.decode()
    assert "Shall “Coaching” count for this time?" in asked
    assert not IntervalCorrection.objects.exists()
    done = client.post(address(interval), {**sent, "confirmed": "1"}, follow=True)
    shown = done.content.decode()
    assert "Corrected: “Coaching” counts from now on." in shown
    assert 'data-testid="first-reason">Lunch<' in shown
    assert "Coaching, by Carol (carol)" in shown
    correction = IntervalCorrection.objects.get()
    assert (correction.label, correction.actor, correction.note) == (
        "Coaching",
        "carol",
        "It was a coaching",
    )
    interval.refresh_from_db()
    assert (interval.label, interval.reason_code) == ("Lunch", codes["Lunch"])


def test_back_from_the_question_keeps_what_was_typed(
    interval: StateInterval, codes: dict[str, ReasonCode], page: Any
) -> None:
    sent = {"reason_code": codes["Coaching"].pk, "note": "As agreed", "back": "1"}
    shown = page("carol").client.post(address(interval), sent).content.decode()
    assert 'value="As agreed"' in shown
    assert "Shall" not in shown


@pytest.mark.parametrize(
    ("reason", "note", "said"),
    [
        ("", "x", "Choose a reason."),
        ("Coaching", "", "Say in a few words why"),
        ("Lunch", "x", "Select a valid choice"),
        ("Filing", "x", "Select a valid choice"),
        ("Coaching", "a\u202eb", "invisible"),
        ("Coaching", "x" * 256, "at most 255"),
    ],
)
def test_what_cannot_be_meant_is_an_error_on_the_form(
    interval: StateInterval,
    codes: dict[str, ReasonCode],
    page: Any,
    reason: str,
    note: str,
    said: str,
) -> None:
    sent = {"reason_code": codes[reason].pk if reason else "", "note": note, "confirmed": "1"}
    assert said in page("carol").client.post(address(interval), sent).content.decode()
    assert not IntervalCorrection.objects.exists()


@pytest.mark.parametrize(("login", "status"), [("alice", 302), ("carol", 200), ("dave", 200)])
def test_supervisors_of_the_agent_and_administrators_correct_it(
    interval: StateInterval, page: Any, login: str, status: int
) -> None:
    assert page(login).client.get(address(interval)).status_code == status


def test_nobody_corrects_an_agent_of_another_team(interval: StateInterval, page: Any) -> None:
    User.objects.filter(pk="alice").update(team=User.objects.get(pk="bob").team)
    answer = page("carol").client.post(address(interval), {"confirmed": "1"})
    assert answer.status_code == 404


def test_what_runs_is_corrected_on_the_board_and_other_states_have_no_reason(
    interval: StateInterval, page: Any
) -> None:
    StateInterval.objects.update(ended_at=None)
    answer = page("carol").client.get(address(interval))
    assert (answer.status_code, answer["Location"]) == (302, "/")
    StateInterval.objects.update(state="READY", ended_at=BEGAN)
    assert page("carol").client.get(address(interval)).status_code == 404
    assert page("carol").client.get(f"/supervision/interval/{10**30}/correct/").status_code == 404
