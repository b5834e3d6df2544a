"""Each change of a reason code leaves one version, whichever way it came in."""

from typing import Any

import pytest

from finesse.users.models import Team
from reasoncodes.changes import Way, change
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast

pytestmark = pytest.mark.usefixtures("cast")


def versions_of(code: ReasonCode) -> list[Any]:
    return list(Version.objects.filter(id=code.pk).order_by("history_id"))


@pytest.fixture
def tea() -> ReasonCode:
    return ReasonCode.objects.create(category="NOT_READY", code=7, label="Tea", for_all=False)


def test_a_put_to_the_api_names_its_administrator_and_its_way(api: API, tea: ReasonCode) -> None:
    body = "<ReasonCode><label>Green tea</label></ReasonCode>"
    assert api.request("PUT", f"ReasonCode/{tea.pk}", body, login="dave").status_code == 200

    before, after = versions_of(tea)

    assert (before.label, after.label) == ("Tea", "Green tea")
    assert (after.history_user, after.way, after.history_type) == ("dave", Way.API, "~")


def test_what_is_saved_in_one_change_is_one_version_with_its_teams(
    tea: ReasonCode, cast: Cast
) -> None:
    team = cast.alice.team
    with change("carol", Way.ADMIN):
        tea.label = "Green tea"
        tea.save()
        tea.teams.add(team)

    assert len(versions_of(tea)) == 2
    assert versions_of(tea)[-1].team_names == {str(team.pk): "Chat"}


@pytest.mark.parametrize("by_team", [False, True], ids=["code.teams", "team.reason_codes"])
def test_a_change_of_teams_alone_is_a_version(tea: ReasonCode, cast: Cast, by_team: bool) -> None:
    team: Any = cast.alice.team
    with change("dave", Way.API):
        team.reason_codes.add(tea) if by_team else tea.teams.add(team)
    with change("dave", Way.API):
        team.reason_codes.clear() if by_team else tea.teams.clear()

    assert [one.team_names for one in versions_of(tea)] == [{}, {str(team.pk): "Chat"}, {}]


def test_a_team_that_is_deleted_leaves_a_version_of_each_of_its_codes(tea: ReasonCode) -> None:
    team = Team.objects.create(name="Night")
    tea.teams.add(team)
    pk = team.pk
    team.delete()

    assert [one.team_names for one in versions_of(tea)[1:]] == [{str(pk): "Night"}, {}]


def test_the_last_version_of_a_deleted_code_keeps_its_teams(tea: ReasonCode, cast: Cast) -> None:
    team: Any = cast.alice.team
    tea.teams.add(team)
    pk = tea.pk
    tea.delete()
    tea.pk = pk

    last = versions_of(tea)[-1]

    assert (last.history_type, last.team_names) == ("-", {str(team.pk): "Chat"})
