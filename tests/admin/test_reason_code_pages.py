"""The pages of reason codes: what they say before, what they refuse, and what they undo."""

import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finesse.users.models import Team, User
from media import tasks
from media.break_tables import BreakRule
from media.reason_codes import life_pages
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast

pytestmark = pytest.mark.usefixtures("cast", "own_layer")
LIST = "admin:reasoncodes_reasoncode_changelist"
ADD = "admin:reasoncodes_reasoncode_add"


def signed_in(login_id: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=login_id))
    return client


def page(name: str, *arguments: Any) -> str:
    return reverse(f"admin:reasoncodes_reasoncode_{name}", args=arguments)


def text_of(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


def typed(code: ReasonCode, **fields: Any) -> dict[str, Any]:
    """The form as a browser sends it, with what was typed."""
    latest = Version.objects.filter(id=code.pk).latest("history_id")
    teams = [team.pk for team in code.teams.all()]
    return {
        "code": code.code,
        "label": code.label,
        "teams": teams,
        "version": latest.pk,
        **({"for_all": "on"} if code.for_all else {}),
        **fields,
    }


def new(**fields: Any) -> dict[str, Any]:
    return {"category": "NOT_READY", "code": 7, "label": "Tea", **fields}


def chat() -> Team:
    return Team.objects.get(name="Chat")


# --- The list -------------------------------------------------------------------------------------


def test_the_list_is_in_the_order_of_people_and_marks_what_is_only_to_read(
    codes: dict[str, ReasonCode],
) -> None:
    ReasonCode.objects.create(
        category="NOT_READY", code=2, label="Old", retired=True, for_all=False
    ).teams.add(chat())
    shown = signed_in("carol").get(reverse(LIST))
    rows = shown.context["cl"].result_list
    assert [row.label for row in rows[:4]] == ["Lunch", "Coaching", "Old", "End of shift"]
    assert {row.group for row in rows[4:]} == {"The system’s own"}
    assert [row.is_changeable for row in rows[:4]] == [False, True, True, False]
    text = text_of(shown)
    assert text.count("Read only") == len(rows) - 2
    leads_to = {urljoin(reverse(LIST), link) for link in re.findall(r'href="([^"]*)"', text)}
    assert page("retire", codes["Coaching"].pk) in leads_to
    assert page("bring_back", rows[2].pk) in leads_to
    assert page("history", codes["Lunch"].pk) in leads_to
    assert page("retire", codes["Lunch"].pk) not in leads_to
    # Said by screen readers, which hear a box without its row.
    assert 'aria-label="Choose Not ready 3 “Coaching”"' in text


@pytest.mark.parametrize(
    ("chosen", "labels"),
    [
        ({"offered": "mine"}, {"Coaching", "Old"}),
        ({"offered": "global"}, {"Lunch", "End of shift"}),
        ({"stage": "retired"}, {"Old"}),
        ({"stage": "offered"}, {"Lunch", "Coaching", "End of shift"}),
        ({"stage": "unused"}, {"Coaching", "Old", "End of shift"}),
        ({"q": "coach"}, {"Coaching"}),
        ({"q": "3"}, {"Coaching"}),
    ],
)
def test_filters_and_search_find_what_their_words_say(
    chosen: dict[str, str],
    labels: set[str],
    codes: dict[str, ReasonCode],
    api: API,
    settle: Callable[[], Any],
) -> None:
    ReasonCode.objects.create(
        category="NOT_READY", code=9, label="Old", retired=True, for_all=False
    ).teams.add(chat())
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    shown = signed_in("carol").get(reverse(LIST), chosen)
    assert {row.label for row in shown.context["cl"].result_list} == labels


def test_the_list_says_who_is_in_a_code_and_how_often_it_was_chosen(
    codes: dict[str, ReasonCode], api: API, settle: Callable[[], Any]
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    tasks.count_use()
    text = text_of(signed_in("carol").get(reverse(LIST)))
    assert '<td class="field-in_use_now">1 agent</td>' in text
    assert '<td class="field-used_lately">1 time, 1 agent</td>' in text


def test_the_list_takes_as_many_queries_with_200_codes_as_with_few() -> None:
    def queries() -> int:
        client = signed_in("carol")
        client.get(reverse(LIST))
        with CaptureQueriesContext(connection) as caught:
            assert client.get(reverse(LIST)).status_code == 200
        return len(caught)

    make_many(1, 5)
    few = queries()
    make_many(6, 200)
    assert queries() == few


def make_many(first: int, last: int) -> None:
    made = ReasonCode.objects.bulk_create(
        ReasonCode(category="NOT_READY", code=code, label=f"Code {code}", for_all=False)
        for code in range(first, last + 1)
        if code != 999
    )
    rows = ReasonCode.teams.through
    rows.objects.bulk_create(rows(reasoncode=code, team=chat()) for code in made)


# --- The form -------------------------------------------------------------------------------------


def test_the_form_starts_with_the_own_team_and_the_next_free_number(
    codes: dict[str, ReasonCode],
) -> None:
    form = signed_in("carol").get(reverse(ADD)).context["adminform"].form
    assert form["teams"].initial == [chat()]
    assert form["code"].initial == 2
    assert "for_all" not in form.fields
    assert "2 for Not ready, 2 for Sign out" in form["code"].help_text


def test_a_supervisor_of_two_teams_and_an_administrator_choose() -> None:
    User.objects.get(pk="carol").supervised_teams.add(Team.objects.get(name="Back office"))
    assert not signed_in("carol").get(reverse(ADD)).context["adminform"].form["teams"].initial
    form = signed_in("dave").get(reverse(ADD)).context["adminform"].form
    assert [label for _, label in form.fields["for_all"].choices] == ["Everybody", "These teams"]


def test_nobody_has_to_be_said() -> None:
    dave = signed_in("dave")
    refused = dave.post(reverse(ADD), new())
    assert "tick at least one team" in text_of(refused)
    assert "Choose one" in text_of(dave.post(reverse(ADD), new(nobody="on", teams=[chat().pk])))
    assert "Choose one" in text_of(dave.post(reverse(ADD), new(nobody="on", for_all="on")))
    assert dave.post(reverse(ADD), new(nobody="on")).status_code == 302
    assert "nobody" not in signed_in("carol").get(reverse(ADD)).context["adminform"].form.fields


def test_what_becomes_global_leaves_its_teams(codes: dict[str, ReasonCode]) -> None:
    coaching = codes["Coaching"]
    answer = signed_in("dave").post(page("change", coaching.pk), typed(coaching, for_all="on"))
    assert answer.status_code == 302
    coaching.refresh_from_db()
    assert (coaching.for_all, coaching.teams.count()) == (True, 0)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"code": 999}, "999 is reserved by the system: Supervisor Initiated. 2 is free."),
        ({"code": 1}, ">Lunch, code 1</a>. 2 is free."),
        ({"code": 4}, "A reason code of another team has this code. 2 is free."),
        ({"label": "LUNCH"}, ">Lunch, code 1</a>."),
        ({"label": "filing"}, "A reason code of another team has this label."),
    ],
)
def test_a_duplicate_names_the_other_code_and_what_to_do(
    fields: dict[str, Any], told: str, codes: dict[str, ReasonCode]
) -> None:
    answer = signed_in("carol").post(reverse(ADD), new(teams=[chat().pk], **fields))
    assert told in text_of(answer)
    assert not ReasonCode.objects.filter(label="Tea").exists()


def german(label: str) -> dict[str, list[str]]:
    return {"translations_language": ["de"], "translations_label": [label]}


def test_a_label_that_another_code_has_in_one_language_is_refused_and_the_code_is_named(
    codes: dict[str, ReasonCode],
) -> None:
    ReasonCode.objects.filter(label="Lunch").update(translations={"de": "Pause"})
    carol, lunch = signed_in("carol"), codes["Lunch"]
    refused = text_of(carol.post(reverse(ADD), new(teams=[chat().pk], **german("pause"))))
    link = f'<a href="{page("change", lunch.pk)}">Lunch, code 1</a>'
    assert f"In German agents would read “pause” for this code and for {link}" in refused
    assert refused.count("In German agents would read") == 1
    assert "called the same" not in refused, "it is said once"
    untranslated = text_of(carol.post(reverse(ADD), new(teams=[chat().pk], label="Pause")))
    assert f"for {link}. Choose another label in German, or change that one." in untranslated
    assert carol.post(reverse(ADD), new(teams=[chat().pk], **german("Tee"))).status_code == 302


def test_a_code_of_another_team_is_not_named_when_it_has_the_label_in_one_language(
    codes: dict[str, ReasonCode],
) -> None:
    ReasonCode.objects.filter(label="Filing").update(translations={"de": "Ablage"})
    asked = new(teams=[chat().pk], category=codes["Filing"].category, **german("Ablage"))
    refused = text_of(signed_in("carol").post(reverse(ADD), asked))
    assert "for a code of another team. Choose another label in German." in refused
    assert "Filing" not in refused


def test_a_code_whose_label_in_one_language_is_taken_meanwhile_is_neither_brought_back_nor_copied(
    codes: dict[str, ReasonCode],
) -> None:
    coaching = codes["Coaching"]
    ReasonCode.objects.filter(pk=coaching.pk).update(translations={"de": "Pause"}, retired=True)
    ReasonCode.objects.filter(label="Lunch").update(translations={"de": "Pause"})
    carol = signed_in("carol")
    asked = text_of(carol.get(page("bring_back", coaching.pk)))
    assert "In German agents would read “Pause” for this code and for" in asked
    ReasonCode.objects.filter(pk=coaching.pk).update(retired=False)
    refused = carol.post(page("replace", coaching.pk), {"code": 30, "label": "Coaching"})
    assert "In German agents would read “Pause” for this code and for" in text_of(refused)
    coaching.refresh_from_db()
    assert not coaching.retired


def test_a_label_that_was_retired_is_offered_to_be_brought_back(
    codes: dict[str, ReasonCode],
) -> None:
    coaching = codes["Coaching"]
    coaching.retired = True
    coaching.save()
    carol, same = signed_in("carol"), new(teams=[chat().pk], label="coaching")
    asked = text_of(carol.post(reverse(ADD), same))
    assert "Coaching, code 3, was retired in" in asked
    assert page("bring_back", coaching.pk) in asked
    assert carol.post(reverse(ADD), {**same, "again": "on"}).status_code == 302


def test_meaning_is_saved_and_shown_again(codes: dict[str, ReasonCode]) -> None:
    carol, coaching = signed_in("carol"), codes["Coaching"]
    meaning = {
        "description": "With your coach",
        "colour_on": "on",
        "colour_is": "#17887F",
        "place": 3,
        "productive": "True",
        "maximum_minutes": 45,
        "warning_minutes": 5,
        "translations_language": ["de", "", ""],
        "translations_label": ["Einzelgespräch", "", ""],
    }
    assert carol.post(page("change", coaching.pk), typed(coaching, **meaning)).status_code == 302
    coaching.refresh_from_db()
    assert (coaching.colour, coaching.place, coaching.productive) == ("#17887f", 3, True)
    assert coaching.translations == {"de": "Einzelgespräch"}
    versions = Version.objects.filter(id=coaching.pk).count()
    again = text_of(
        carol.post(page("change", coaching.pk), typed(coaching, **meaning), follow=True)
    )
    assert "nothing was changed" in again
    assert Version.objects.filter(id=coaching.pk).count() == versions


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"colour_on": "on", "colour_is": "#ffffff"}, "too light"),
        ({"maximum_minutes": 1441}, "1440"),
        ({"warning_minutes": 5}, "A warning needs a maximum time"),
        ({"place": 0}, "greater than or equal to 1"),
        ({"translations_language": ["de", "de"], "translations_label": ["a", "b"]}, "twice"),
        ({"translations_language": [""], "translations_label": ["a"]}, "Choose the language"),
        ({"translations_language": ["de"], "translations_label": ["x" * 41]}, "41 characters"),
    ],
)
def test_a_meaning_that_cannot_be_is_refused_in_words(
    fields: dict[str, Any], told: str, codes: dict[str, ReasonCode]
) -> None:
    coaching = codes["Coaching"]
    answer = signed_in("carol").post(page("change", coaching.pk), typed(coaching, **fields))
    assert answer.status_code == 200
    assert told in text_of(answer)


def test_the_second_of_two_supervisors_is_told_and_overwrites_nothing(
    codes: dict[str, ReasonCode],
) -> None:
    coaching = codes["Coaching"]
    opened = typed(coaching)
    carol, dave = signed_in("carol"), signed_in("dave")
    first = {**opened, "label": "Training", "description": "With a coach"}
    assert dave.post(page("change", coaching.pk), first).status_code == 302
    refused = carol.post(page("change", coaching.pk), {**opened, "label": "One to one"})
    told = text_of(refused)
    assert "It was changed while you had it open." in told
    assert "Label: Coaching → Training" in told
    coaching.refresh_from_db()
    assert coaching.label == "Training"
    form = refused.context["adminform"].form
    assert (form["label"].value(), form["description"].value()) == ("One to one", "With a coach")

    sent = {**opened, "label": "One to one", "description": "With a coach"}
    sent["version"] = form["version"].value()
    assert carol.post(page("change", coaching.pk), sent).status_code == 302
    coaching.refresh_from_db()
    assert (coaching.label, coaching.description) == ("One to one", "With a coach")


# --- The preview ----------------------------------------------------------------------------------


def test_the_preview_page_has_what_the_agent_gets(codes: dict[str, ReasonCode], api: API) -> None:
    shown = signed_in("carol").get(page("preview"), {"agent": "alice"})
    lists = {str(category): lines for category, lines in shown.context["lists"]}
    labels = [line.reason_code.label for line in lists["NOT_READY"]]
    assert labels == ["Lunch", "Coaching"]
    listed = api.request("GET", "User/alice/ReasonCodes?category=NOT_READY").content.decode()
    assert [label in listed for label in labels] == [True, True]


@pytest.mark.parametrize("whose", [{"agent": "bob"}, {"team": "999"}, {"agent": "nobody"}])
def test_the_preview_page_shows_nobody_elses_agents(whose: dict[str, str]) -> None:
    assert signed_in("carol").get(page("preview"), whose).status_code == 404


def test_the_preview_beside_the_form_shows_before_and_after_and_saves_nothing(
    codes: dict[str, ReasonCode],
) -> None:
    carol, coaching = signed_in("carol"), codes["Coaching"]
    team = {"preview_team": chat().pk}
    versions = Version.objects.count()
    renamed = {**typed(coaching, label="Training"), **team, "preview_of": coaching.pk}
    answer = carol.post(page("preview_form"), renamed)
    marks = [(line.reason_code.label, line.mark) for line in answer.context["lines"]]
    assert marks == [("Lunch", ""), ("Training", "changed")]
    added = carol.post(page("preview_form"), {**new(teams=[chat().pk], code=2), **team})
    marks = [(line.reason_code.label, line.mark) for line in added.context["lines"]]
    assert marks == [("Lunch", ""), ("Tea", "new"), ("Coaching", "")]
    coaching.refresh_from_db()
    assert (coaching.label, Version.objects.count()) == ("Coaching", versions)


# --- Life -----------------------------------------------------------------------------------------


def test_retiring_asks_tells_who_is_in_it_and_can_be_undone(
    codes: dict[str, ReasonCode], api: API, settle: Callable[[], Any]
) -> None:
    coaching, carol = codes["Coaching"], signed_in("carol")
    api.put(LOGIN)
    api.state("NOT_READY", coaching.pk)
    settle()
    asked = text_of(carol.get(page("retire", coaching.pk)))
    assert "In it now: Alice." in asked
    coaching.refresh_from_db()
    assert not coaching.retired
    done = carol.post(page("retire", coaching.pk), {"confirmed": "yes"}, follow=True)
    assert "Still in it until their next change: Alice." in text_of(done)
    coaching.refresh_from_db()
    assert coaching.retired
    (message,) = done.context["messages"]
    undone = carol.post(page("undo", message.extra_tags), follow=True)
    assert "is again as it was" in text_of(undone)
    coaching.refresh_from_db()
    assert not coaching.retired


def test_several_at_once_have_a_result_each(codes: dict[str, ReasonCode]) -> None:
    carol = signed_in("carol")
    tea = ReasonCode.objects.create(category="NOT_READY", code=7, label="Tea", for_all=False)
    tea.teams.add(chat())
    chosen = [codes["Coaching"].pk, tea.pk, codes["Lunch"].pk]
    action = {"action": "retire", "_selected_action": chosen}
    assert "Retire 2" in text_of(carol.post(reverse(LIST), action))
    assert not ReasonCode.objects.filter(retired=True).exists()
    done = text_of(carol.post(reverse(LIST), {**action, "confirmed": "yes"}, follow=True))
    assert "Retired: “Coaching”, “Tea”." in done
    assert "“Lunch” stays as it is: It is not yours to change." in done


def test_two_retired_ones_of_the_same_number_are_not_both_brought_back() -> None:
    made = [
        ReasonCode.objects.create(
            category="NOT_READY", code=7, label=label, for_all=False, retired=True
        )
        for label in ("Tea", "Coffee")
    ]
    for code in made:
        code.teams.add(chat())
    action = {"action": "bring_back", "_selected_action": [code.pk for code in made]}
    done = signed_in("carol").post(reverse(LIST), {**action, "confirmed": "yes"}, follow=True)
    assert "Offered again: “Tea”." in text_of(done)
    assert "“Coffee” stays as it is: 7 is the code of" in text_of(done)


def test_a_code_is_replaced_by_another_with_its_teams_and_meaning(
    codes: dict[str, ReasonCode],
) -> None:
    coaching, carol = codes["Coaching"], signed_in("carol")
    coaching.maximum_minutes = 30
    coaching.save()
    assert "999 is reserved" in text_of(
        carol.post(page("replace", coaching.pk), {"code": 999, "label": "Training"})
    )
    done = carol.post(page("replace", coaching.pk), {"code": 3, "label": "Training"}, follow=True)
    assert "“Training” has taken the place of “Coaching”" in text_of(done)
    training = ReasonCode.objects.get(label="Training")
    coaching.refresh_from_db()
    assert (coaching.retired, coaching.label) == (True, "Coaching")
    assert (training.maximum_minutes, [*training.teams.all()]) == (30, [chat()])
    (message,) = done.context["messages"]
    carol.post(page("undo", message.extra_tags))
    coaching.refresh_from_db()
    assert not coaching.retired
    assert not ReasonCode.objects.filter(label="Training", retired=False).exists()


@pytest.mark.parametrize(("label", "kept"), [("Training", {}), ("COACHING", {"de": "Schulung"})])
def test_translations_are_of_the_label_and_go_with_it(
    codes: dict[str, ReasonCode], label: str, kept: dict[str, str]
) -> None:
    coaching = codes["Coaching"]
    ReasonCode.objects.filter(pk=coaching.pk).update(translations={"de": "Schulung"})
    signed_in("carol").post(page("replace", coaching.pk), {"code": 30, "label": label})
    assert ReasonCode.objects.get(code=30).translations == kept


def test_a_second_click_on_replace_says_that_it_is_done_already(
    codes: dict[str, ReasonCode],
) -> None:
    coaching, carol = codes["Coaching"], signed_in("carol")
    for _ in range(2):
        done = carol.post(
            page("replace", coaching.pk), {"code": 30, "label": "Training"}, follow=True
        )
        assert done.status_code == 200
    assert "“Coaching” is retired already" in text_of(done)
    assert ReasonCode.objects.filter(label="Training").count() == 1


def test_a_code_that_was_retired_while_its_replacement_was_typed_is_not_replaced(
    codes: dict[str, ReasonCode], monkeypatch: pytest.MonkeyPatch
) -> None:
    coaching = codes["Coaching"]
    in_turn = life_pages.exclusive

    @contextmanager
    def after_another(*args: Any) -> Any:
        ReasonCode.objects.filter(pk=coaching.pk).update(retired=True)
        with in_turn(*args) as change:
            yield change

    monkeypatch.setattr(life_pages, "exclusive", after_another)
    signed_in("carol").post(page("replace", coaching.pk), {"code": 30, "label": "Training"})
    assert not ReasonCode.objects.filter(label="Training").exists()


@pytest.mark.parametrize("ticked", [True, False])
def test_a_global_code_with_sleeping_teams_of_others_is_not_offered_to_them_anew(
    codes: dict[str, ReasonCode], ticked: bool
) -> None:
    User.objects.filter(pk="carol").update(manages_global_reason_codes=True)
    coaching = codes["Coaching"]
    coaching.teams.add(Team.objects.get(name="Back office"))
    ReasonCode.objects.filter(pk=coaching.pk).update(for_all=True)
    coaching.refresh_from_db()
    teams = [chat().pk] if ticked else []
    sent = typed(coaching, for_all="", teams=teams)
    answer = signed_in("carol").post(page("change", coaching.pk), sent)
    assert "It was offered to other teams, too: ask an administrator." in text_of(answer)
    coaching.refresh_from_db()
    assert coaching.for_all


def test_break_rules_are_said_before_and_hold_for_the_code_that_replaces(
    codes: dict[str, ReasonCode],
) -> None:
    coaching, lunch, carol = codes["Coaching"], codes["Lunch"], signed_in("carol")
    own = BreakRule.objects.create(reason_code=coaching, team=chat(), most_at_once=2)
    BreakRule.objects.create(reason_code=coaching, most_at_once=9)
    leading = {"maximum_minutes": 5, "then": "not_ready", "then_after": 0}
    BreakRule.objects.create(reason_code=lunch, team=chat(), then_reason_code=coaching, **leading)
    others = Team.objects.get(name="Back office")
    BreakRule.objects.create(reason_code=coaching, team=others, most_at_once=7)
    asked = text_of(carol.get(page("retire", coaching.pk)))
    assert "Not ready for “Coaching”" in asked
    asked = text_of(carol.get(page("replace", coaching.pk)))
    copied_too, _, of_others = asked.partition("These do not, since they are not yours")
    assert "At most 2" in copied_too
    assert "At most 9" not in copied_too
    assert "At most 9" in of_others
    assert "Not ready for “Coaching”" in of_others
    assert "At most 7" not in asked
    carol.post(page("replace", coaching.pk), {"code": 30, "label": "Training"})
    training = ReasonCode.objects.get(label="Training")
    copied = BreakRule.objects.filter(reason_code=training)
    assert [(one.team, one.most_at_once) for one in copied] == [(chat(), 2)]
    assert BreakRule.objects.filter(pk=own.pk, reason_code=coaching).exists()
    assert LogEntry.objects.filter(object_id=str(copied[0].pk), user="carol").count() == 1


PAGES_OF_LIFE = ("retire", "bring_back", "replace")


@pytest.mark.parametrize("name", PAGES_OF_LIFE)
def test_the_pages_of_life_are_for_those_who_may_change_the_code(
    name: str, codes: dict[str, ReasonCode], cast: Cast
) -> None:
    for login_id in ("alice", "carol"):
        client = signed_in(login_id)
        for label in ("Filing", "Lunch"):
            code = codes[label]
            sent = {"confirmed": "yes", "code": 50, "label": "Mine"}
            answers = [client.get(page(name, code.pk)), client.post(page(name, code.pk), sent)]
            expected = {302} if login_id == "alice" else {200, 302, 403, 404}
            assert {one.status_code for one in answers} <= expected
            code.refresh_from_db()
            assert not code.retired
    assert not ReasonCode.objects.filter(label="Mine").exists()
    assert Client().get(page(name, codes["Lunch"].pk)).status_code == 302


@pytest.mark.parametrize("login_id", ["alice", "carol"])
def test_what_another_has_changed_is_not_undone(
    login_id: str, codes: dict[str, ReasonCode]
) -> None:
    filing = codes["Filing"]
    filing.label = "Archive"
    filing.save()
    change = Version.objects.filter(id=filing.pk).latest("history_id").change
    answer = signed_in(login_id).post(page("undo", change))
    assert answer.status_code == 302
    filing.refresh_from_db()
    assert filing.label == "Archive"
    assert signed_in("carol").get(page("undo", change)).status_code == 405


def test_a_code_to_read_says_its_meaning_in_words(codes: dict[str, ReasonCode]) -> None:
    ReasonCode.objects.filter(label="Lunch").update(
        colour="#b0700a",
        maximum_minutes=45,
        warning_minutes=1,
        productive=False,
        translations={"fr": "Déjeuner", "de": "Mittagspause"},
    )
    text = text_of(signed_in("carol").get(page("change", codes["Lunch"].pk)))
    for said in ("Amber", "45 minutes", "1 minute<", "a break"):
        assert said in text
    assert "French (fr): Déjeuner<br>German (de): Mittagspause" in text
    assert "icon-no" not in text
    assert "{" not in text.partition("<main")[2].partition("</main")[0]
