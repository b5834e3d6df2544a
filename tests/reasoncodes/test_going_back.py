"""Undoing a change of reason codes, and going back to an earlier state, obey the usual rules."""

from typing import Any

import pytest

from finesse.users.models import Team, User
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive
from reasoncodes.going_back import Outcome, Result, go_back, undo
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast

pytestmark = pytest.mark.usefixtures("cast")


def latest(code: ReasonCode) -> Any:
    return Version.objects.filter(id=code.pk).order_by("-history_id").first()


def changed(reason_code: ReasonCode, by: User, **fields: Any) -> Any:
    """One change by this user; returns its id."""
    with exclusive(by, Way.ADMIN) as change:
        teams = fields.pop("teams", None)
        for name, value in fields.items():
            setattr(reason_code, name, value)
        reason_code.save()
        if teams is not None:
            reason_code.teams.set(teams)
    return change.id


def only(results: list[Result]) -> Result:
    (result,) = results
    return result


@pytest.fixture
def night() -> Team:
    return Team.objects.create(name="Night")


@pytest.fixture
def tea(cast: Cast) -> ReasonCode:
    code = ReasonCode.objects.create(category="NOT_READY", code=7, label="Tea", for_all=False)
    code.teams.add(cast.alice.team)
    return code


def test_an_undone_change_leaves_the_code_as_it_was_before(
    tea: ReasonCode, cast: Cast, night: Team
) -> None:
    change = changed(
        tea, cast.dave, label="Green tea", code=9, retired=True, teams=[night], colour="#112233"
    )

    result = only(undo(change, cast.dave))

    tea.refresh_from_db()
    assert result.outcome is Outcome.CHANGED
    assert (tea.label, tea.code, tea.retired, tea.colour) == ("Tea", 7, False, "")
    assert list(tea.teams.all()) == [cast.alice.team]
    assert (latest(tea).way, latest(tea).history_user_id) == (Way.UNDO, "dave")


def test_an_undo_can_be_undone(tea: ReasonCode, cast: Cast) -> None:
    undo(changed(tea, cast.carol, label="Green tea"), cast.carol)

    assert only(undo(latest(tea).change, cast.carol)).outcome is Outcome.CHANGED

    tea.refresh_from_db()
    assert tea.label == "Green tea"


def test_a_change_that_another_one_stands_on_is_not_undone(tea: ReasonCode, cast: Cast) -> None:
    change = changed(tea, cast.carol, label="Green tea")
    changed(tea, cast.dave, code=8)

    result = only(undo(change, cast.carol))

    tea.refresh_from_db()
    assert result.refused
    assert "changed again afterwards" in str(result)
    assert (tea.label, tea.code) == ("Green tea", 8)


def test_a_change_whose_successor_is_undone_can_be_undone(tea: ReasonCode, cast: Cast) -> None:
    change = changed(tea, cast.carol, label="Green tea")
    undo(changed(tea, cast.carol, label="Black tea"), cast.carol)

    assert only(undo(change, cast.carol)).outcome is Outcome.CHANGED


def test_a_code_that_the_change_created_is_deleted_if_nobody_used_it(cast: Cast, api: API) -> None:
    body = (
        "<ReasonCode><category>NOT_READY</category><code>44</code><label>New</label>"
        "<forAll>true</forAll></ReasonCode>"
    )
    assert api.request("POST", "ReasonCode", body, login="dave").status_code == 200
    new = ReasonCode.objects.get(label="New")

    assert only(undo(latest(new).change, cast.dave)).outcome is Outcome.DELETED

    assert not ReasonCode.objects.filter(label="New").exists()


def test_a_code_that_the_change_created_is_retired_once_it_is_used(
    tea: ReasonCode, cast: Cast, api: API, settle: Any
) -> None:
    change = Version.objects.get(id=tea.pk, history_type="+").change
    for version in Version.objects.filter(id=tea.pk):
        version.change = change
        version.save()
    api.state("LOGIN")
    api.state("NOT_READY", tea.pk)
    settle()

    assert only(undo(change, cast.dave)).outcome is Outcome.RETIRED

    tea.refresh_from_db()
    assert tea.retired


def test_a_deleted_code_gets_its_id_and_its_teams_again(tea: ReasonCode, cast: Cast) -> None:
    pk = tea.pk
    with exclusive(cast.carol, Way.ADMIN) as change:
        tea.delete()

    assert only(undo(change.id, cast.carol)).outcome is Outcome.BROUGHT_BACK

    again = ReasonCode.objects.get(pk=pk)
    assert (again.label, again.code) == ("Tea", 7)
    assert list(again.teams.all()) == [cast.alice.team]


def test_a_number_that_another_code_has_now_is_refused_and_the_code_is_named(
    tea: ReasonCode, cast: Cast
) -> None:
    change = changed(tea, cast.dave, code=8)
    ReasonCode.objects.create(category="NOT_READY", code=7, label="Juice")

    result = only(undo(change, cast.dave))

    assert result.refused
    assert "has the code of then now: Not ready 7 “Juice”" in str(result)


def test_a_label_that_another_code_has_in_one_language_now_is_refused_and_the_code_is_named(
    tea: ReasonCode, cast: Cast
) -> None:
    tea.translations = {"de": "Tee"}
    tea.save()
    change = changed(tea, cast.dave, translations={})
    ReasonCode.objects.create(
        category="NOT_READY", code=77, label="Brew", translations={"de": "Tee"}
    )

    result = only(undo(change, cast.dave))

    assert result.refused
    assert "In German agents would read the same for it and for Not ready 77" in str(result)


def test_a_code_beyond_the_limit_is_refused(tea: ReasonCode, cast: Cast, settings: Any) -> None:
    change = changed(tea, cast.carol, retired=True)
    settings.FINESSE_MAX_TEAM_REASON_CODES = 0

    assert "There are 0 team reason codes" in str(only(undo(change, cast.carol)))


def test_a_supervisor_does_not_undo_what_concerns_other_teams(
    tea: ReasonCode, cast: Cast, night: Team
) -> None:
    change = changed(tea, cast.dave, teams=[cast.alice.team, night])

    result = only(undo(change, cast.carol))

    assert result.refused
    assert "ask an administrator" in str(result)
    assert "Night" not in str(result)


def test_a_supervisor_makes_no_code_global_by_undoing(tea: ReasonCode, cast: Cast) -> None:
    changed(tea, cast.dave, for_all=True)
    change = changed(tea, cast.dave, for_all=False)

    assert "manage global codes" in str(only(undo(change, cast.carol)))

    cast.carol.manages_global_reason_codes = True
    cast.carol.save()
    assert only(undo(change, cast.carol)).outcome is Outcome.CHANGED


def test_codes_of_other_teams_have_no_result_for_a_supervisor(
    tea: ReasonCode, cast: Cast, night: Team
) -> None:
    foreign = ReasonCode.objects.create(category="LOGOUT", code=3, label="Moon", for_all=False)
    foreign.teams.add(night)
    with exclusive(cast.dave, Way.ADMIN) as change:
        for code in (tea, foreign):
            code.retired = True
            code.save()

    assert [result.pk for result in undo(change.id, cast.carol)] == [tea.pk]

    foreign.refresh_from_db()
    assert foreign.retired


def test_codes_that_took_over_each_others_numbers_go_back_together(cast: Cast) -> None:
    codes = [
        ReasonCode.objects.create(category="LOGOUT", code=number, label=f"Label {number}")
        for number in (60, 61, 62)
    ]
    with exclusive(cast.dave, Way.IMPORT) as change:
        for code in reversed(codes):
            code.code += 1
            code.save()

    results = undo(change.id, cast.dave)

    assert {result.outcome for result in results} == {Outcome.CHANGED}
    assert [ReasonCode.objects.get(pk=code.pk).code for code in codes] == [60, 61, 62]


def test_a_change_that_is_undone_as_a_whole_is_undone_whole_or_not_at_all(
    tea: ReasonCode, cast: Cast
) -> None:
    other = ReasonCode.objects.create(category="LOGOUT", code=3, label="Moon")
    with exclusive(cast.dave, Way.IMPORT) as change:
        for code in (tea, other):
            code.description = "Imported"
            code.save()
    changed(other, cast.dave, label="Sun")

    results = undo(change.id, cast.dave, whole=True)

    tea.refresh_from_db()
    assert [result.outcome for result in results] == [Outcome.LEFT, Outcome.REFUSED]
    assert tea.description == "Imported"


def test_a_team_that_is_gone_is_named_and_the_others_are_restored(
    tea: ReasonCode, cast: Cast, night: Team
) -> None:
    changed(tea, cast.dave, teams=[cast.alice.team, night])
    wide = latest(tea)
    night.delete()
    changed(tea, cast.dave, label="Green tea")

    result = go_back(wide, cast.dave)

    tea.refresh_from_db()
    assert tea.label == "Tea"
    assert "do not exist any more: Night" in str(result)


def test_going_back_to_what_the_code_is_changes_nothing(tea: ReasonCode, cast: Cast) -> None:
    version = latest(tea)

    assert go_back(version, cast.carol).outcome is Outcome.UNCHANGED


def test_codes_of_the_system_stay_as_they_are(cast: Cast) -> None:
    with exclusive(cast.dave, Way.SYSTEM):
        code = ReasonCode.objects.filter(system_code=True)[0]
        code.save()

    assert go_back(latest(code), cast.dave).refused
