"""The admin: supervisors manage reason codes, administrators everything, history is read-only."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from finesse.notifications.models import Notification
from finesse.users import passwords
from finesse.users.models import Team, User
from media.break_tables import BreakRule
from media.models import Media, MediaRequest, MediaRoutingDomain, StateInterval
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("cast", "own_layer")
MODELS = [model for model in admin.site._registry if model._meta.app_label != "auth"]
HISTORY = {
    "historicalreasoncode",
    "signinfailures",
    "mediarequest",
    "stateinterval",
    "notification",
    "transportcursor",
}
READ_BY_SUPERVISORS = {"team", "historicalreasoncode"}
MADE_BY_SUPERVISORS = {"breakrule"}
"""The row of `everything` is an administrator's."""


def signed_in(login_id: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=login_id))
    return client


def manager_of_global_codes() -> Client:
    """Carol, with the management of global codes."""
    User.objects.filter(pk="carol").update(manages_global_reason_codes=True)
    return signed_in("carol")


def url(model: Any, page: str, *arguments: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=arguments)


@pytest.fixture
def everything(api: API, codes: dict[str, ReasonCode], settle: Callable[[], Any]) -> None:
    """At least one row of every model."""
    from media import tasks

    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk, requestId="r-1")
    tasks.sweep()
    BreakRule.objects.create(reason_code=codes["Lunch"], most_at_once=9)
    passwords.verify("alice", "wrong")


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_administrators_see_every_page(model: Any) -> None:
    dave = signed_in("dave")
    row = model._default_manager.first()
    assert row is not None
    assert dave.get(url(model, "changelist")).status_code == 200
    assert dave.get(url(model, "changelist"), {"q": "alice"}).status_code == 200
    # An entry of the record of reason codes leads to the history of its code.
    assert dave.get(url(model, "change", row.pk), follow=True).status_code == 200
    assert dave.get(url(model, "history", row.pk), follow=True).status_code == 200
    read_only = model._meta.model_name in HISTORY
    assert dave.get(url(model, "add")).status_code == (403 if read_only else 200)


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_history_can_be_neither_written_nor_deleted(model: Any) -> None:
    if model._meta.model_name not in HISTORY:
        return
    dave = signed_in("dave")
    row = model._default_manager.first()
    assert dave.post(url(model, "change", row.pk), {}).status_code == 403
    assert dave.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in dave.get(url(model, "changelist")).content.decode()


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_supervisors_reach_reason_codes_and_nothing_that_they_could_change_besides(
    model: Any,
) -> None:
    carol = signed_in("carol")
    row = model._default_manager.first()
    if model._meta.model_name == "historicalreasoncode":
        # Any that she may see.
        row = model._default_manager.filter(for_all=True).first()
    if model is ReasonCode:
        assert carol.get(url(model, "changelist")).status_code == 200
        return
    for page in ("add", "changelist"):
        if model._meta.model_name in MADE_BY_SUPERVISORS:
            assert carol.get(url(model, page)).status_code == 200
        elif not (model._meta.model_name in READ_BY_SUPERVISORS and page == "changelist"):
            assert carol.get(url(model, page)).status_code == 403
    assert carol.post(url(model, "change", row.pk), {}).status_code == 403
    assert carol.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_supervisors_sign_in_by_the_admins_own_page_and_agents_do_not() -> None:
    def sign_in(login_id: str) -> int:
        login = {"username": login_id, "password": PASSWORD}
        return Client().post("/admin/login/?next=/admin/", login).status_code

    assert [sign_in(one) for one in ("carol", "dave")] == [302, 302]
    assert [sign_in(one) for one in ("alice",)] == [200]
    assert signed_in("alice").get("/admin/").status_code == 302


def code_form(**fields: Any) -> dict[str, Any]:
    return {"category": "NOT_READY", "code": 7, "label": " Tea ", "for_all": "on", **fields}


def test_a_supervisor_adds_a_code_that_agents_can_choose_at_once(api: API) -> None:
    carol = manager_of_global_codes()
    assert carol.post(url(ReasonCode, "add"), code_form()).status_code == 302
    tea = ReasonCode.objects.get(system_code=False)
    assert tea.label == "Tea"
    assert api.state("NOT_READY").status_code == 400
    assert api.state("NOT_READY", tea.pk).status_code == 202


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"code": 0}, "greater than or equal to 1"),
        ({"code": -3}, "greater than or equal to 1"),
        ({"code": "1_0_0"}, "Enter a whole number"),
        ({"code": "007"}, "Enter a whole number"),
        ({"code": "+7"}, "Enter a whole number"),
        ({"code": "7.0"}, "Enter a whole number"),
        ({"code": "٧"}, "Enter a whole number"),
        ({"code": "9" * 5000}, "Enter a whole number"),
        ({"code": 70000}, "less than or equal to 65535"),
        ({"code": 1}, "1 is the code of"),
        ({"label": "lunch"}, "This is the label of"),
        ({"label": "x" * 41}, "at most 40 characters"),
        ({"label": "  "}, "required"),
        ({"label": "a\x07b"}, "printable"),
    ],
)
@pytest.mark.usefixtures("codes")
def test_the_form_says_what_is_wrong_with_a_code(fields: dict[str, Any], message: str) -> None:
    page = manager_of_global_codes().post(url(ReasonCode, "add"), code_form(**fields))
    assert page.status_code == 200
    assert message in page.content.decode()


@pytest.mark.parametrize("number", ["1_0_0", "-5", "0", "007", "9" * 40])
def test_an_mrd_has_a_plain_number(number: str) -> None:
    form = {"id": number, "name": "New"}
    page = signed_in("dave").post(url(MediaRoutingDomain, "add"), form)
    assert page.status_code == 200
    assert not MediaRoutingDomain.objects.filter(name="New").exists()


@pytest.mark.parametrize("model", [ReasonCode, User, Team, MediaRoutingDomain])
def test_no_field_cuts_a_text_without_a_word(model: Any) -> None:
    page = signed_in("dave").get(url(model, "add")).content.decode()
    assert "maxlength" not in page
    assert re.search(r"Up to \d+ characters", page)


def test_an_interval_over_a_change_of_clocks_shows_offsets_and_duration() -> None:
    StateInterval.objects.create(
        login_id="alice",
        mrd_id=5000,
        state="READY",
        started_at=datetime(2026, 10, 25, 0, 50, tzinfo=UTC),
        ended_at=datetime(2026, 10, 25, 1, 10, tzinfo=UTC),
        cause="self",
        actor="alice",
    )
    dave = signed_in("dave")
    dave.cookies["time_zone"] = "Europe/Berlin"
    page = dave.get(url(StateInterval, "changelist")).content.decode()
    text = page.replace("\xa0", " ")
    for shown in ("02:50:00 +0200", "02:10:00 +0100", "0:20:00"):
        assert shown in text


def test_the_category_of_a_code_is_fixed(codes: dict[str, ReasonCode]) -> None:
    lunch = codes["Lunch"]
    form = code_form(category="LOGOUT", code=1, label="Long lunch")
    assert (
        manager_of_global_codes().post(url(ReasonCode, "change", lunch.pk), form).status_code == 302
    )
    lunch.refresh_from_db()
    assert (lunch.category, lunch.label) == ("NOT_READY", "Long lunch")


@pytest.mark.usefixtures("everything")
def test_a_used_code_is_retired_and_an_unused_one_may_be_deleted(
    codes: dict[str, ReasonCode], api: API
) -> None:
    carol = manager_of_global_codes()
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    assert carol.post(url(ReasonCode, "delete", lunch.pk), {"post": "yes"}).status_code == 403
    assert carol.post(url(ReasonCode, "delete", coaching.pk), {"post": "yes"}).status_code == 302
    assert not ReasonCode.objects.filter(pk=coaching.pk).exists()

    retire = {"action": "retire", "_selected_action": [lunch.pk], "confirmed": "yes"}
    carol.post(url(ReasonCode, "changelist"), retire)
    assert api.state("NOT_READY", lunch.pk).status_code == 400
    carol.post(url(ReasonCode, "changelist"), {**retire, "action": "bring_back"})
    assert api.state("NOT_READY", lunch.pk).status_code == 202


def test_a_retired_code_whose_number_was_given_away_is_not_brought_back(
    codes: dict[str, ReasonCode],
) -> None:
    carol = manager_of_global_codes()
    lunch = codes["Lunch"]
    action = {"action": "retire", "_selected_action": [lunch.pk], "confirmed": "yes"}
    carol.post(url(ReasonCode, "changelist"), action)
    ReasonCode.objects.create(category="NOT_READY", code=1, label="Dinner")
    page = carol.post(
        url(ReasonCode, "changelist"), {**action, "action": "bring_back"}, follow=True
    )
    assert "1 is the code of" in page.content.decode()
    lunch.refresh_from_db()
    assert lunch.retired


def test_codes_of_the_system_are_only_to_look_at() -> None:
    code = ReasonCode.objects.get(category="LOGOUT", code=255)
    dave, carol = signed_in("dave"), signed_in("carol")
    listed = dave.get(url(ReasonCode, "changelist"), {"system_code__exact": 1})
    assert listed.context["cl"].result_count == 25
    page = dave.get(url(ReasonCode, "change", code.pk)).content.decode()
    assert "never offered to agents" in page
    assert 'name="_save"' not in page
    for who in (dave, carol):
        form = code_form(category="LOGOUT", code=255, label="Mine")
        assert who.post(url(ReasonCode, "change", code.pk), form).status_code in {302, 403}
        who.post(url(ReasonCode, "delete", code.pk), {"post": "yes"})
        chosen = {"action": "retire", "_selected_action": [code.pk], "confirmed": "yes"}
        who.post(url(ReasonCode, "changelist"), chosen)
    stored = ReasonCode.objects.get(category="LOGOUT", code=255)
    assert (stored.label, stored.retired) == ("Logged Out - Connection Failure", False)
    page = carol.get(url(ReasonCode, "change", code.pk)).content.decode()
    assert "never offered to agents" in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("code", [{"code": 999}, {"label": "Not Ready - offhook"}])
def test_a_code_or_label_of_the_system_is_taken(code: dict[str, Any]) -> None:
    page = manager_of_global_codes().post(url(ReasonCode, "add"), code_form(**code))
    assert "reserved by the system" in page.content.decode()


def test_the_form_says_that_a_category_is_full(codes: dict[str, ReasonCode], settings: Any) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 1
    settings.FINESSE_MAX_TEAM_REASON_CODES = 2
    carol = manager_of_global_codes()
    page = carol.post(url(ReasonCode, "add"), code_form())
    assert "has 1 global reason codes already" in page.content.decode()
    teams = [Team.objects.get(name="Chat").pk]
    page = carol.post(url(ReasonCode, "add"), code_form(for_all="", teams=teams))
    assert "has 2 team reason codes already" in page.content.decode()
    lunch = codes["Lunch"]
    form = code_form(code=1, label="Dinner")
    assert carol.post(url(ReasonCode, "change", lunch.pk), form).status_code == 302

    action = {"action": "retire", "_selected_action": [lunch.pk], "confirmed": "yes"}
    carol.post(url(ReasonCode, "changelist"), action)
    assert carol.post(url(ReasonCode, "add"), code_form()).status_code == 302
    page = carol.post(
        url(ReasonCode, "changelist"), {**action, "action": "bring_back"}, follow=True
    )
    assert "1 global reason codes already" in page.content.decode()
    lunch.refresh_from_db()
    assert lunch.retired


def test_many_codes_are_not_deleted_at_once() -> None:
    assert (
        "delete_selected"
        not in signed_in("dave").get(url(ReasonCode, "changelist")).content.decode()
    )


def test_the_voice_mrd_can_be_neither_changed_nor_deleted() -> None:
    dave = signed_in("dave")
    assert dave.post(url(MediaRoutingDomain, "change", 1), {"name": "X"}).status_code == 403
    assert dave.post(url(MediaRoutingDomain, "delete", 1), {"post": "yes"}).status_code == 403
    assert MediaRoutingDomain.objects.get(pk=1).name == "Voice"


def test_an_administrator_makes_a_user_who_can_work_at_once(api: API) -> None:
    dave = signed_in("dave")
    form = {
        "login_id": "erin",
        "usable_password": "true",
        "password1": "a long enough one",
        "password2": "a long enough one",
        "first_name": "Erin",
        "team": Team.objects.get(name="Chat").pk,
        "media-TOTAL_FORMS": 1,
        "media-INITIAL_FORMS": 0,
        "media-0-mrd": 5000,
    }
    assert dave.post(url(User, "add"), form).status_code == 302
    answer = api.put(LOGIN, user="erin", mrd=5000, login="erin", password="a long enough one")
    assert answer.status_code == 202


def test_a_membership_that_is_made_or_removed_is_published(
    cast: Cast, settle: Callable[[], Any]
) -> None:
    dave = signed_in("dave")
    settle()
    dave.post(url(Media, "add"), {"user": "alice", "mrd": 5002})
    media = Media.objects.get(user="alice", mrd=5002)
    dave.post(url(Media, "delete", media.pk), {"post": "yes"})
    assert [(one.event, one.source) for one in settle()] == [
        ("POST", "/finesse/api/User/alice/Media/5002"),
        ("DELETE", "/finesse/api/User/alice/Media/5002"),
    ]


def test_pages_call_states_by_words_and_not_by_the_protocols_names(
    api: API, settle: Callable[[], Any], cast: Cast, codes: dict[str, ReasonCode]
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    team = cast.alice.team
    assert team is not None
    pages = [url(model, "changelist") for model in (Media, MediaRequest, StateInterval)]
    of_one = [url(User, "change", "alice"), url(Team, "change", team.pk)]
    browser = signed_in("dave")
    for page in pages + of_one:
        text = re.sub("<script.*?</script>|<[^>]*>", " ", browser.get(page).content.decode())
        assert "Not ready" in text, page
        assert not {"NOT_READY", "LOGOUT"} & {*text.split()}, page


def test_an_administrator_simulates_a_lost_connection(api: API, settle: Callable[[], Any]) -> None:
    api.put(LOGIN)
    settle()
    browser = signed_in("dave")
    page = url(Media, "changelist")
    chosen = [media.pk for media in Media.objects.filter(user="alice")]
    data = {"action": "lose_connection", "_selected_action": chosen}
    response = browser.post(page, data, follow=True)
    assert "A lost connection was simulated for 1." in response.content.decode()
    settle()
    states = Media.objects.filter(user="alice").order_by("mrd").values_list("state", flat=True)
    assert list(states) == ["LOGOUT", "WORK"]
    request = MediaRequest.objects.get(requested="CONNECTION_LOST")
    assert (request.cause, request.actor) == ("system", "dave")
    assert (
        "None of these users is signed in."
        in browser.post(
            page, {**data, "_selected_action": chosen[:1]}, follow=True
        ).content.decode()
    )


def test_nobody_belongs_to_the_voice_mrd() -> None:
    page = signed_in("dave").post(url(Media, "add"), {"user": "alice", "mrd": 1})
    assert page.status_code == 200
    assert not Media.objects.filter(mrd=1).exists()


def test_a_users_login_id_cannot_be_changed() -> None:
    page = signed_in("dave").get(url(User, "change", "alice"))
    assert "login_id" not in page.context["adminform"].form.fields


@pytest.mark.usefixtures("everything")
def test_a_notifications_xml_is_shown_readable() -> None:
    of_media = Notification.objects.filter(node="/finesse/api/User/alice/Media")
    newest = of_media.order_by("-position").first()
    assert newest is not None
    page = signed_in("dave").get(url(Notification, "change", newest.pk)).content.decode()
    assert "&lt;state&gt;NOT_READY&lt;/state&gt;" in page


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_lists_queries_do_not_grow_with_their_rows(
    model: Any, django_assert_max_num_queries: Any
) -> None:
    dave = signed_in("dave")
    with django_assert_max_num_queries(12):
        dave.get(url(model, "changelist"))
