"""The pages of break rules: each role by the real addresses, and forms that prevent mistakes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from finesse.users.models import Team, User
from media.break_tables import BreakRule, Then
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive
from reasoncodes.going_back import Outcome, undo
from reasoncodes.models import ReasonCode
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("own_layer")
LIST = "/admin/media/breakrule/"
EMPTY = {
    "reason_code": "",
    "team": "",
    "most_at_once": "",
    "maximum_minutes": "",
    "budget_minutes": "",
    "time_zone": "",
    "tell_agent_after": "",
    "tell_supervisors_after": "",
    "then": "nothing",
    "then_reason_code": "",
    "then_after": "",
}


def browser_of(login_id: str) -> Client:
    browser = Client()
    browser.force_login(User.objects.get(pk=login_id))
    return browser


@pytest.fixture
def chat(codes: dict[str, ReasonCode]) -> Team:
    return Team.objects.get(name="Chat")


@pytest.fixture
def back_office(codes: dict[str, ReasonCode]) -> Team:
    return Team.objects.get(name="Back office")


@pytest.fixture
def rules(chat: Team, back_office: Team, codes: dict[str, ReasonCode]) -> dict[str, BreakRule]:
    lunch = codes["Lunch"]
    return {
        "own": BreakRule.objects.create(team=chat, reason_code=lunch, most_at_once=2),
        "of all": BreakRule.objects.create(reason_code=lunch, most_at_once=3),
        "other": BreakRule.objects.create(team=back_office, reason_code=lunch, most_at_once=4),
    }


def save(browser: Client, **fields: Any) -> Any:
    return browser.post(f"{LIST}add/", {**EMPTY, **fields}, follow=True)


def errors_of(page: Any) -> dict[str, list[str]]:
    return dict(page.context["adminform"].form.errors)


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "seen", "changed"),
    [
        ("carol", {"own", "of all"}, {"own"}),
        ("dave", {"own", "of all", "other"}, {"own", "of all", "other"}),
        ("alice", set(), set()),
    ],
)
def test_each_role_sees_and_changes_its_own_rules(
    cast: Cast, rules: dict[str, BreakRule], login: str, seen: set[str], changed: set[str]
) -> None:
    browser = browser_of(login)
    page = browser.get(LIST)
    assert page.status_code == (302 if login == "alice" else 200)
    for name, rule in rules.items():
        address = f"{LIST}{rule.pk}/change/"
        shown = browser.get(address)
        assert (shown.status_code == 200) == (name in seen), name
        form = EMPTY | {"most_at_once": 9}
        browser.post(address, form)
        rule.refresh_from_db()
        assert (rule.most_at_once == 9) == (name in changed), name
        says = browser.post(f"{LIST}says/", form | {"rule": rule.pk})
        assert (says.status_code == 200) == (name in changed), name
        browser.post(f"{LIST}{rule.pk}/delete/", {"post": "yes"})
        assert BreakRule.objects.filter(pk=rule.pk).exists() == (name not in changed), name


def test_a_supervisor_makes_rules_for_own_teams_only(
    cast: Cast, chat: Team, back_office: Team, codes: dict[str, ReasonCode]
) -> None:
    carol, lunch = browser_of("carol"), codes["Lunch"]
    for team in ("", back_office.pk):
        page = save(carol, reason_code=lunch.pk, team=team, most_at_once=2)
        assert "team" in errors_of(page)
    # The only team is chosen already.
    form = carol.get(f"{LIST}add/").context["adminform"].form
    assert form.initial["team"] == chat
    assert codes["Filing"] not in form.fields["reason_code"].queryset
    assert back_office not in form.fields["team"].queryset
    save(carol, reason_code=lunch.pk, team=chat.pk, most_at_once=2)
    rule = BreakRule.objects.get()
    assert (rule.team, rule.reason_code, rule.most_at_once) == (chat, lunch, 2)


def test_a_rule_for_all_teams_is_shown_to_supervisors_to_read(
    cast: Cast, rules: dict[str, BreakRule]
) -> None:
    page = browser_of("carol").get(f"{LIST}{rules['of all'].pk}/change/").content.decode()
    assert "At most 3 of the team at once." in page
    assert "Read only" in page
    assert "id_most_at_once" not in page


# --- what a form refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "__all__", "say nothing"),
        ({"most_at_once": 0}, "most_at_once", "greater than or equal to 1"),
        ({"most_at_once": 1000}, "most_at_once", "less than or equal to 999"),
        ({"maximum_minutes": 1441}, "maximum_minutes", "less than or equal to 1440"),
        ({"budget_minutes": "1_0"}, "budget_minutes", "whole number"),
        ({"budget_minutes": 5, "time_zone": "Mars/Base"}, "time_zone", "not one of"),
        ({"most_at_once": 1, "tell_agent_after": 0}, "tell_agent_after", "No time can be over"),
        ({"maximum_minutes": 5, "tell_agent_after": -1}, "tell_agent_after", "greater than"),
        ({"maximum_minutes": 5, "then": "ready"}, "then_after", "0 means"),
        (
            {"maximum_minutes": 5, "then": "not_ready", "then_after": 1},
            "then_reason_code",
            "Choose the other reason",
        ),
        ({"maximum_minutes": 5, "then": "gone"}, "then", "not one of"),
        ({"reason_code": "99999", "most_at_once": 1}, "reason_code", "not one of"),
    ],
)
def test_a_mistake_is_named_at_its_field(
    cast: Cast, codes: dict[str, ReasonCode], fields: dict[str, Any], field: str, words: str
) -> None:
    page = save(browser_of("dave"), **{"reason_code": codes["Lunch"].pk, **fields})
    found = errors_of(page)
    assert words in " ".join(found[field])
    assert not BreakRule.objects.exists()


def test_a_reason_that_the_team_is_not_offered_is_refused(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    page = save(browser_of("dave"), reason_code=codes["Filing"].pk, team=chat.pk, most_at_once=1)
    assert "“Filing” is not offered to Chat" in errors_of(page)["team"][0]


def test_a_second_rule_for_the_same_is_refused_by_name(
    cast: Cast, chat: Team, rules: dict[str, BreakRule], codes: dict[str, ReasonCode]
) -> None:
    for team in ("", chat.pk):
        page = save(browser_of("dave"), reason_code=codes["Lunch"].pk, team=team, most_at_once=1)
        assert "already" in errors_of(page)["reason_code"][0]
    assert BreakRule.objects.count() == 3


def test_rules_that_lead_round_in_a_circle_are_refused(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    steps = {"maximum_minutes": 5, "then": "not_ready", "then_after": 0}
    dave = browser_of("dave")
    save(dave, reason_code=coaching.pk, team=chat.pk, then_reason_code=lunch.pk, **steps)
    page = save(dave, reason_code=lunch.pk, team=chat.pk, then_reason_code=coaching.pk, **steps)
    (words,) = errors_of(page)["then_reason_code"]
    assert "“Lunch” → “Coaching” → “Lunch”" in words
    own = save(dave, reason_code=lunch.pk, team=chat.pk, then_reason_code=lunch.pk, **steps)
    assert "another reason" in errors_of(own)["then_reason_code"][0]
    assert BreakRule.objects.count() == 1


def test_undoing_a_new_code_takes_no_rule_of_others_with_it(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    with exclusive(cast.carol, Way.ADMIN) as change:
        tea = ReasonCode.objects.create(category="NOT_READY", code=7, label="Tea", for_all=False)
        tea.teams.add(chat)
    rule = BreakRule.objects.create(reason_code=tea, most_at_once=2)
    (result,) = undo(change.id, cast.carol)
    assert result.outcome is Outcome.RETIRED
    assert BreakRule.objects.filter(pk=rule.pk).exists()


STEPS = {"maximum_minutes": 5, "then": "not_ready", "then_after": 0}


def test_a_rule_for_all_teams_must_not_lead_a_team_round_with_its_own(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    dave = browser_of("dave")
    save(dave, reason_code=coaching.pk, team=chat.pk, then_reason_code=lunch.pk, **STEPS)
    page = save(dave, reason_code=lunch.pk, then_reason_code=coaching.pk, **STEPS)
    (words,) = errors_of(page)["then_reason_code"]
    assert "Agents of Chat would go round in a circle: “Lunch” → “Coaching” → “Lunch”." in words
    assert BreakRule.objects.count() == 1


def test_a_team_whose_own_rule_hides_the_one_for_all_goes_round_in_no_circle(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    """And that rule is needed from then on: it is neither deleted nor changed into the circle."""
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    dave = browser_of("dave")
    save(dave, reason_code=lunch.pk, team=chat.pk, most_at_once=3)
    save(dave, reason_code=coaching.pk, team=chat.pk, then_reason_code=lunch.pk, **STEPS)
    save(dave, reason_code=lunch.pk, then_reason_code=coaching.pk, **STEPS)
    assert BreakRule.objects.count() == 3
    own = BreakRule.objects.get(team=chat, reason_code=lunch)
    for ask in (dave.get, dave.post):
        page: Any = ask(f"{LIST}{own.pk}/delete/", {"post": "yes"}, follow=True)
        (said,) = (str(one) for one in page.context["messages"])
        assert "“Lunch” → “Coaching” → “Lunch”" in said
    assert BreakRule.objects.count() == 3
    dave.post(f"{LIST}{BreakRule.objects.get(team=None).pk}/delete/", {"post": "yes"})
    dave.post(f"{LIST}{own.pk}/delete/", {"post": "yes"})
    assert BreakRule.objects.count() == 1


def test_what_does_not_belong_to_the_chosen_state_is_left_out(
    cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    """As when a field is hidden that had been filled in before."""
    save(
        browser_of("dave"),
        reason_code=codes["Lunch"].pk,
        maximum_minutes=5,
        then="nothing",
        then_reason_code=codes["Coaching"].pk,
        then_after=3,
    )
    rule = BreakRule.objects.get()
    assert (rule.then, rule.then_reason_code, rule.then_after) == (Then.NOTHING, None, None)


# --- what is said -------------------------------------------------------------------------------

WHOLE = {
    "most_at_once": 2,
    "maximum_minutes": 30,
    "tell_agent_after": 0,
    "tell_supervisors_after": 5,
    "then": "ready",
    "then_after": 15,
}
SAYS = (
    "At most 2 of the team at once. 30 min, then a reminder to the agent; 5 min later the "
    "supervisors are told; 10 min later Ready."
)


def test_the_same_sentence_is_in_the_form_the_list_the_preview_and_the_history(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    carol = browser_of("carol")
    fields = {**EMPTY, **WHOLE, "reason_code": codes["Lunch"].pk, "team": chat.pk}
    assert SAYS in carol.post(f"{LIST}says/", fields).content.decode()
    assert not BreakRule.objects.exists()
    saved = carol.post(f"{LIST}add/", fields, follow=True).content.decode()
    assert f"The rule for Lunch, Chat is there: {SAYS}" in saved
    assert SAYS in carol.get(LIST).content.decode()
    seen = carol.get(reverse("admin:reasoncodes_reasoncode_preview"), {"agent": "alice"})
    assert SAYS in seen.content.decode()
    rule = BreakRule.objects.get()
    carol.post(f"{LIST}{rule.pk}/change/", {**EMPTY, **WHOLE, "most_at_once": 3})
    history = carol.get(f"{LIST}{rule.pk}/history/").content.decode()
    assert f"Made: {SAYS}" in history
    assert f"Was: {SAYS} Is: At most 3 of the team at once. 30 min" in history


def test_a_form_that_is_not_complete_says_so(cast: Cast, codes: dict[str, ReasonCode]) -> None:
    answer = browser_of("carol").post(f"{LIST}says/", EMPTY)
    assert "missing or wrong" in answer.content.decode()
    assert browser_of("carol").get(f"{LIST}says/").status_code == 405


def test_the_history_does_not_name_people_whom_its_reader_may_not_see(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    save(browser_of("dave"), reason_code=codes["Lunch"].pk, team=chat.pk, most_at_once=1)
    history = browser_of("carol").get(f"{LIST}{BreakRule.objects.get().pk}/history/")
    page = history.content.decode()
    assert "another user" in page
    assert "dave" not in page


# --- two at once --------------------------------------------------------------------------------


def opened(browser: Client, rule: BreakRule) -> dict[str, Any]:
    """What the form sends if nothing is touched."""
    form = browser.get(f"{LIST}{rule.pk}/change/").context["adminform"].form
    return {name: form[name].value() or "" for name in form.fields}


def test_the_second_of_two_who_edit_a_rule_is_told_and_overwrites_nothing(
    cast: Cast, rules: dict[str, BreakRule]
) -> None:
    rule = rules["own"]
    carol, dave = browser_of("carol"), browser_of("dave")
    address = f"{LIST}{rule.pk}/change/"
    shown = opened(carol, rule)
    first = {**shown, "most_at_once": 5, "when_full": "queue", "maximum_minutes": 20}
    assert dave.post(address, first).status_code == 302
    refused = carol.post(address, {**shown, "most_at_once": 3, "budget_minutes": 60})
    (words,) = errors_of(refused)["__all__"]
    assert "It was changed while you had it open. Another user, " in words
    assert "Was: At most 2 of the team at once. Is: At most 5 of the team at once, the" in words
    assert "dave" not in words
    rule.refresh_from_db()
    assert (rule.most_at_once, rule.budget_minutes) == (5, None)
    form = refused.context["adminform"].form
    # What was typed is there, and what was not touched shows the new values.
    shows = [form[name].value() for name in ("most_at_once", "budget_minutes", "maximum_minutes")]
    assert [str(one) for one in shows] == ["3", "60", "20"]
    assert form["when_full"].value() == "queue"
    again = {name: form[name].value() or "" for name in form.fields}
    assert carol.post(address, again).status_code == 302
    rule.refresh_from_db()
    assert (rule.most_at_once, rule.budget_minutes, rule.maximum_minutes) == (3, 60, 20)
    assert rule.has_queue


def test_who_may_see_the_other_one_reads_the_name(cast: Cast, rules: dict[str, BreakRule]) -> None:
    rule, carol, dave = rules["own"], browser_of("carol"), browser_of("dave")
    shown = opened(dave, rule)
    carol.post(f"{LIST}{rule.pk}/change/", {**shown, "most_at_once": 5})
    page = dave.post(f"{LIST}{rule.pk}/change/", {**shown, "most_at_once": 3})
    assert "Carol, " in errors_of(page)["__all__"][0]


def test_a_change_without_an_entry_in_the_history_is_noticed_too(
    cast: Cast, rules: dict[str, BreakRule]
) -> None:
    rule, carol = rules["own"], browser_of("carol")
    shown = opened(carol, rule)
    BreakRule.objects.filter(pk=rule.pk).update(most_at_once=7)
    page = carol.post(f"{LIST}{rule.pk}/change/", {**shown, "budget_minutes": 60})
    assert "It says now: At most 7 of the team at once." in errors_of(page)["__all__"][0]


def test_the_same_values_are_no_change_and_a_token_that_is_none_is_ignored(
    cast: Cast, rules: dict[str, BreakRule]
) -> None:
    rule, carol, dave = rules["own"], browser_of("carol"), browser_of("dave")
    shown = opened(carol, rule)
    address = f"{LIST}{rule.pk}/change/"
    dave.post(address, shown)
    assert carol.post(address, {**shown, "most_at_once": 4}).status_code == 302
    for token in ("", "7", "[]", "{", '{"shown": 1}'):
        sent = {**shown, "most_at_once": 6, "version": token}
        assert carol.post(address, sent).status_code == 302
    rule.refresh_from_db()
    assert rule.most_at_once == 6


def test_the_sentence_beside_the_form_is_said_whatever_others_have_changed(
    cast: Cast, rules: dict[str, BreakRule]
) -> None:
    rule, carol = rules["own"], browser_of("carol")
    shown = opened(carol, rule)
    BreakRule.objects.filter(pk=rule.pk).update(most_at_once=7)
    says = carol.post(f"{LIST}says/", {**shown, "most_at_once": 3, "rule": rule.pk})
    assert "At most 3 of the team at once." in says.content.decode()


# --- a queue ------------------------------------------------------------------------------------


def test_a_rule_says_whether_the_next_one_waits(
    cast: Cast, chat: Team, codes: dict[str, ReasonCode]
) -> None:
    carol = browser_of("carol")
    fields = {"reason_code": codes["Lunch"].pk, "team": chat.pk, "most_at_once": 2}
    save(carol, **fields, when_full="queue")
    rule = BreakRule.objects.get()
    assert rule.has_queue
    says = "At most 2 of the team at once, the next ones may wait for a place."
    assert says in carol.get(LIST).content.decode()
    # Without a number there is nothing to wait for.
    sent = {**opened(carol, rule), "most_at_once": "", "maximum_minutes": 5}
    assert carol.post(f"{LIST}{rule.pk}/change/", sent).status_code == 302
    rule.refresh_from_db()
    assert (rule.when_full, rule.has_queue) == ("refuse", False)
    page = carol.post(f"{LIST}{rule.pk}/change/", {**sent, "most_at_once": 1, "when_full": "x"})
    assert "not one of" in errors_of(page)["when_full"][0]
