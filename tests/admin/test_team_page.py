"""The page of a team: for administrators to change, for its supervisors to read."""

from typing import Any

import pytest
from django.test import Client

from finesse.users.models import Team, User
from media.models import Media
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("own_layer")


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def page_of(team: Team) -> str:
    return f"/admin/users/team/{team.pk}/change/"


def shown(browser: Client, team: Team) -> str:
    page = browser.get(page_of(team))
    assert page.status_code == 200
    return page.content.decode()


def save(browser: Client, team: Team, members: list[str], before: list[str]) -> Any:
    form = {"name": team.name, "supervisors": ["carol"], "members": members}
    return browser.post(page_of(team), {**form, "initial-members": before}, follow=True)


@pytest.fixture
def chat(cast: Cast, codes: dict[str, ReasonCode]) -> Team:
    assert cast.alice.team
    return cast.alice.team


@pytest.mark.parametrize("login", ["carol", "dave"])
def test_it_shows_agents_with_their_states_supervisors_and_codes(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode], login: str
) -> None:
    Media.objects.filter(user="alice", mrd=5001).update(
        state="NOT_READY",
        reason_code=codes["Lunch"],
        max_dialog_limit=1,
        interrupt_action="ACCEPT",
        dialog_logout_action="CLOSE",
    )
    page = shown(browser_of(User.objects.get(pk=login)), chat)
    for text in ("Alice (alice)", "Email", "Lunch", "Carol (carol)", "Coaching", "2 codes for"):
        assert text in page
    assert "Filing" not in page
    assert ("/admin/users/user/alice/change/" in page) == (login == "dave")


def test_a_code_that_another_team_has_too_is_said_to_be_for_reading(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    codes["Coaching"].teams.add(Team.objects.get(name="Back office"))
    assert "another team has it, too" in shown(browser_of(cast.carol), chat)
    assert "change and retire it" in shown(browser_of(cast.dave), chat)


def test_an_administrator_adds_and_takes_out_members(cast: Cast, chat: Team) -> None:
    page = save(browser_of(cast.dave), chat, ["bob"], ["alice"]).content.decode()
    assert "From another team: Bob (bob)." in page
    assert list(chat.members.values_list("pk", flat=True)) == ["bob"]
    assert User.objects.get(pk="alice").team is None


def test_who_came_meanwhile_stays(cast: Cast, chat: Team) -> None:
    User.objects.filter(pk="bob").update(team=chat)
    save(browser_of(cast.dave), chat, [], ["alice"])
    assert list(chat.members.values_list("pk", flat=True)) == ["bob"]


def test_a_new_team_may_have_members_at_once(cast: Cast) -> None:
    form = {"name": "Night", "supervisors": ["carol"], "members": ["alice", "bob"]}
    browser_of(cast.dave).post("/admin/users/team/add/", form)
    assert Team.objects.get(name="Night").members.count() == 2


def test_members_are_added_by_their_login_ids(cast: Cast, chat: Team) -> None:
    browser = browser_of(cast.dave)
    form = {"name": "Chat", "supervisors": ["carol"], "members": ["alice"]}
    form |= {"initial-members": ["alice"]}
    refused = browser.post(page_of(chat), {**form, "new_members": "bob, nobody"})
    assert "Nobody has the login ID “nobody”" in refused.content.decode()
    assert list(chat.members.values_list("pk", flat=True)) == ["alice"]
    page = browser.post(page_of(chat), {**form, "new_members": " bob;"}, follow=True)
    assert "From another team: Bob (bob)." in page.content.decode()
    assert set(chat.members.values_list("pk", flat=True)) == {"alice", "bob"}


@pytest.mark.parametrize("login", ["carol", "alice"])
def test_nobody_else_changes_a_team(cast: Cast, chat: Team, login: str) -> None:
    browser = browser_of(User.objects.get(pk=login))
    answer = browser.post(page_of(chat), {"name": "X", "members": [], "initial-members": ["alice"]})
    assert answer.status_code == (403 if login == "carol" else 302)
    chat.refresh_from_db()
    assert (chat.name, chat.members.count()) == ("Chat", 1)


def test_a_supervisor_does_not_reach_another_team(cast: Cast) -> None:
    other = Team.objects.get(name="Back office")
    assert browser_of(cast.carol).get(page_of(other)).status_code == 302
    assert browser_of(cast.alice).get(page_of(other)).status_code == 302
