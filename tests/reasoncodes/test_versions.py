"""Each change of a reason code leaves one version, whichever way it came in."""

from typing import Any

import pytest
from django.test import Client

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


def test_a_save_that_changes_nothing_is_no_version(tea: ReasonCode) -> None:
    with change("carol", Way.ADMIN):
        tea.save()

    assert len(versions_of(tea)) == 1


def test_several_saves_in_one_change_are_one_version(tea: ReasonCode) -> None:
    with change("carol", Way.ADMIN):
        for label in ("Green tea", "Black tea"):
            tea.label = label
            tea.save()

    assert [one.label for one in versions_of(tea)] == ["Tea", "Black tea"]


def test_a_code_that_is_made_and_filled_in_one_change_was_created_by_it(cast: Cast) -> None:
    with change("dave", Way.IMPORT):
        code = ReasonCode.objects.create(category="LOGOUT", code=9, label="Home", for_all=False)
        code.teams.add(cast.alice.team)
        code.description = "Going home"
        code.save()

    (version,) = versions_of(code)
    assert (version.history_type, version.description) == ("+", "Going home")
    assert list(version.team_names.values()) == ["Chat"]


def test_a_team_that_got_another_name_leaves_no_version(tea: ReasonCode, cast: Cast) -> None:
    team: Any = cast.alice.team
    tea.teams.add(team)
    team.name = "Web chat"
    team.save()
    tea.teams.add(Team.objects.create(name="Night"))

    names = [sorted(one.team_names.values()) for one in versions_of(tea)]
    assert names == [[], ["Chat"], ["Night", "Web chat"]]


def test_who_assigns_teams_by_the_api_is_named(api: API, tea: ReasonCode, cast: Cast) -> None:
    body = f"<ReasonCodes><ReasonCode><uri>{tea.uri}</uri></ReasonCode></ReasonCodes>"
    path = f"Team/{cast.alice.team_id}/ReasonCodes?category=NOT_READY"
    assert api.request("PUT", path, body, login="dave").status_code == 200

    last = versions_of(tea)[-1]

    assert (last.history_user_id, last.way) == ("dave", Way.API)


def test_who_deletes_a_team_in_the_administration_is_named(
    client: Client, tea: ReasonCode, cast: Cast
) -> None:
    team: Any = cast.alice.team
    tea.teams.add(team)
    client.force_login(cast.dave)
    answer = client.post(f"/admin/users/team/{team.pk}/delete/", {"post": "yes"})

    last = versions_of(tea)[-1]

    assert answer.status_code == 302
    assert (last.history_user_id, last.way, last.team_names) == ("dave", Way.ADMIN, {})
