"""THE RULE OF ACCESS in the admin: every role, at every reason code and team, by the real pages."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import NoReverseMatch, reverse

from finesse.users.models import Team, User
from reasoncodes.models import ReasonCode
from tests.conftest import PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("own_layer")
CHANGELIST = "admin:reasoncodes_reasoncode_changelist"
ROLES = ("of one team", "of two teams", "granted", "administrator", "agent", "demoted")
OBJECTS = ("own", "of another team", "shared", "global", "of the system", "of nobody")
SEES: dict[str, set[str]] = {
    "of one team": {"own", "shared", "global", "of the system"},
    "of two teams": {"own", "of another team", "shared", "global", "of the system"},
    "granted": {"own", "shared", "global", "of the system"},
    "administrator": {*OBJECTS},
    "agent": set(),
    "demoted": set(),
}
CHANGES: dict[str, set[str]] = {
    "of one team": {"own"},
    "of two teams": {"own", "of another team", "shared"},
    "granted": {"own", "global"},
    "administrator": {*OBJECTS} - {"of the system"},
    "agent": set(),
    "demoted": set(),
}
OFFERED = dict.fromkeys(("of two teams", "administrator"), ("Chat", "Back office"))


class Browsers(dict[str, Client]):
    """By role; signed in when a test first asks for it."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = users

    def __missing__(self, role: str) -> Client:
        browser = self[role] = Client()
        browser.force_login(self._users[role])
        return browser


@pytest.fixture
def browsers(cast: Cast) -> Browsers:
    made = {"administrator": cast.dave, "agent": cast.alice, "of one team": cast.carol}
    for login_id, role, fields in (
        ("gina", "of two teams", {"is_supervisor": True}),
        ("hugo", "granted", {"is_supervisor": True, "manages_global_reason_codes": True}),
        ("ivy", "demoted", {"is_supervisor": False, "manages_global_reason_codes": True}),
    ):
        made[role] = User.objects.create_user(login_id, PASSWORD, first_name=login_id, **fields)
        made[role].supervised_teams.add(*_teams("Chat"))
    made["of two teams"].supervised_teams.add(*_teams("Back office"))
    return Browsers(made)


@pytest.fixture
def objects(cast: Cast) -> dict[str, ReasonCode]:
    made = {
        "own": _code("Own", "Chat"),
        "of another team": _code("Filing", "Back office"),
        "shared": _code("Shared", "Chat", "Back office"),
        "global": _code("Lunch", "Back office", for_all=True),
        "of the system": ReasonCode.objects.get(category="NOT_READY", code=999),
        "of nobody": _code("Nobody's"),
    }
    return made


def _teams(*names: str) -> list[Team]:
    return list(Team.objects.filter(name__in=names))


def _code(label: str, *teams: str, for_all: bool = False) -> ReasonCode:
    number = ReasonCode.objects.filter(system_code=False).count() + 1
    made = ReasonCode.objects.create(
        category="NOT_READY", code=number, label=label, for_all=for_all
    )
    made.teams.add(*_teams(*teams))
    return made


def _page(name: str, code: ReasonCode) -> str:
    return reverse(f"admin:reasoncodes_reasoncode_{name}", args=[code.pk])


def _form(code: ReasonCode, **fields: Any) -> dict[str, Any]:
    teams = [team.pk for team in code.teams.all()]
    shown = {"category": code.category, "code": code.code, "label": code.label, "teams": teams}
    is_nobodys = not (code.for_all or fields.get("teams", teams))
    offer = {"for_all": "on"} if code.for_all else {"nobody": "on"} if is_nobodys else {}
    return {**shown, **offer, **fields}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_it_may(
    role: str, browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    browser, may = browsers[role], SEES[role]
    for name in ("change", "history"):
        pages = {which: browser.get(_page(name, code)) for which, code in objects.items()}
        assert {which for which, page in pages.items() if page.status_code == 200} == may
    assert _listed(browser.get(reverse(CHANGELIST), {"all": ""}), objects) == may
    for which, code in objects.items():
        assert _listed(browser.get(reverse(CHANGELIST), {"q": code.label}), {which: code}) == (
            may & {which}
        )


def _listed(page: Any, objects: dict[str, ReasonCode]) -> set[str]:
    """Which of the objects the page of a list shows."""
    rows = page.context["cl"].result_list if page.status_code == 200 else []
    shown = {row.pk for row in rows}
    return {which for which, code in objects.items() if code.pk in shown}


@pytest.mark.parametrize("which", OBJECTS)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_renames_retires_and_deletes_what_it_may(
    role: str, which: str, browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    code, browser = objects[which], browsers[role]
    may = which in CHANGES[role]
    teams = {team.pk for team in code.teams.all()}
    label = code.label

    offered = {team.pk for team in _teams(*OFFERED.get(role, ("Chat",)))}
    for page in ("", "?_popup=1"):
        form = _form(code, label=f"Renamed{page}", teams=[*teams & offered])
        browser.post(_page("change", code) + page, form)
        code.refresh_from_db()
        assert code.label == (f"Renamed{page}" if may else label)
        assert {team.pk for team in code.teams.all()} == teams

    chosen = {"action": "retire", "_selected_action": [code.pk], "confirmed": "yes"}
    browser.post(reverse(CHANGELIST), chosen)
    code.refresh_from_db()
    assert code.retired == may
    ReasonCode.objects.filter(pk=code.pk).update(retired=True)
    browser.post(reverse(CHANGELIST), {**chosen, "action": "bring_back"})
    code.refresh_from_db()
    assert code.retired == (not may)
    browser.post(reverse(CHANGELIST), {**chosen, "action": "delete_selected", "post": "yes"})
    assert ReasonCode.objects.filter(pk=code.pk).exists()
    browser.post(_page("delete", code), {"post": "yes"})
    assert ReasonCode.objects.filter(pk=code.pk).exists() == (not may)


def test_every_code_at_once_is_only_what_one_may_change(
    browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    chosen = {"action": "retire", "_selected_action": [objects["own"].pk]}
    every = {**chosen, "select_across": 1, "confirmed": "yes"}
    browsers["of one team"].post(reverse(CHANGELIST), every)
    assert [*ReasonCode.objects.filter(retired=True)] == [objects["own"]]


@pytest.mark.parametrize("role", ROLES)
def test_only_own_teams_can_be_chosen_and_global_only_by_the_grant(
    role: str, browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    browser, add = browsers[role], reverse("admin:reasoncodes_reasoncode_add")
    (chat,), (other,) = _teams("Chat"), _teams("Back office")
    new = {"category": "NOT_READY", "code": 77, "label": "New"}

    def made(**fields: Any) -> ReasonCode | None:
        browser.post(add, {**new, **fields})
        found = ReasonCode.objects.filter(label="New")
        first = found.first()
        teams = {team.name for team in first.teams.all()} if first else set()
        found.delete()
        if first:
            first.__dict__["names"] = teams
        return first

    may_add, every = role not in {"agent", "demoted"}, role in {"administrator", "of two teams"}
    mine = made(teams=[chat.pk])
    assert (mine is not None) == may_add
    assert (made(teams=[other.pk]) is not None) == every
    assert (made(teams=[chat.pk, other.pk]) is not None) == every
    assert made() is None
    assert (made(nobody="on") is not None) == (role == "administrator")
    for_all = made(for_all="on", teams=[chat.pk])
    granted = role in {"administrator", "granted"}
    assert bool(for_all and for_all.for_all) == granted
    assert (made(for_all="on") is not None) == granted

    own = objects["own"]
    browser.post(_page("change", own), _form(own, for_all="on"))
    own.refresh_from_db()
    assert own.for_all == granted
    own.for_all = False
    own.save()
    browser.post(_page("change", own), _form(own, teams=[chat.pk, other.pk]))
    assert (own.teams.count() == 2) == every


def test_a_change_of_a_global_code_keeps_the_teams_that_its_manager_does_not_see(
    browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    code = objects["global"]
    (chat,) = _teams("Chat")
    form = _form(code, teams=[chat.pk], label="Meal")
    assert browsers["granted"].post(_page("change", code), form).status_code == 302
    assert {team.name for team in code.teams.all()} == {"Back office"}


def test_no_page_of_another_team_is_there(browsers: Browsers) -> None:
    (team,) = _teams("Back office")
    browser = browsers["of one team"]
    for name in ("change", "history"):
        page = browser.get(reverse(f"admin:users_team_{name}", args=[team.pk]))
        # As for a team that does not exist: Django repeats the id, and no more.
        assert (page.status_code, page["Location"]) == (302, "/admin/")
    page = browser.get(reverse("admin:users_team_changelist"))
    assert [row.name for row in page.context["cl"].result_list] == ["Chat"]
    ask = {"app_label": "reasoncodes", "model_name": "reasoncode", "field_name": "teams"}
    for more in ({}, {"term": "Back"}, {"term": "o"}):
        answer = browser.get(reverse("admin:autocomplete"), {**ask, **more})
        assert "Back office" not in answer.content.decode()
    assert browsers["agent"].get(reverse("admin:users_team_changelist")).status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "teams__id__exact={other}",
        "teams={other}",
        "teams__in={other}",
        "teams__pk={other}",
        "teams__isnull=True",
        "teams__name__startswith=B",
        "teams__members__first_name=Bob",
        "teams__supervisors=gina",
        "teams__gte={other}",
    ],
)
def test_no_filter_tells_of_another_teams_assignments(
    query: str, browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    (other,) = _teams("Back office")
    page = browsers["of one team"].get(f"{reverse(CHANGELIST)}?{query.format(other=other.pk)}")
    shown = page.context["cl"].result_count if page.status_code == 200 else 0
    assert shown == 0


def test_the_filter_offers_own_teams_and_works(
    browsers: Browsers, objects: dict[str, ReasonCode]
) -> None:
    (chat,) = _teams("Chat")
    page = browsers["of one team"].get(reverse(CHANGELIST), {"teams__id__exact": chat.pk})
    assert {row.label for row in page.context["cl"].result_list} == {"Own", "Shared"}
    offered = [
        choice["display"]
        for choice in page.context["cl"].filter_specs[3].choices(page.context["cl"])
    ]
    assert offered == ["All", "Chat"]


# --- No page names a stranger -------------------------------------------------------------------


@pytest.fixture
def strangers(cast: Cast, browsers: Browsers, objects: dict[str, ReasonCode]) -> set[str]:
    """Members of Back office: one supervises Chat, too; they have changed what carol may see."""
    (chat,), (other,) = _teams("Chat"), _teams("Back office")
    names = set()
    for number, is_supervisor in enumerate((False, True, True)):
        user = User.objects.create_user(
            f"stranger-{number}",
            first_name=f"Xavier{number}",
            last_name=f"Ypsilon{number}",
            team=other,
            is_supervisor=is_supervisor,
        )
        names |= {user.pk, user.first_name, user.last_name}
        if is_supervisor:
            chat.supervisors.add(user)
            other.supervisors.add(user)
        for model, pk in [
            *((ReasonCode, code.pk) for code in objects.values()),
            (Team, chat.pk),
            (Team, other.pk),
        ]:
            _log(user, model, pk, "something")
    # Carol was an administrator once.
    _log(cast.carol, User, "stranger-1", "Xavier1 Ypsilon1 (stranger-1)")
    return names | {"Filing", "Nobody's"}


def _log(user: User, model: Any, pk: Any, text: str) -> None:
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(model),
        object_id=str(pk),
        object_repr=text,
        action_flag=CHANGE,
        change_message=json.dumps([{"changed": {"fields": ["Label"]}}]),
    )


def _every_address() -> Iterator[str]:
    """Each page of the admin for each object, whether somebody links to it or not."""
    yield from ("/admin/", "/admin/users/", "/admin/reasoncodes/", "/admin/media/")
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{base}_changelist")
        yield f"{reverse(f'{base}_changelist')}?_popup=1&_to_field=id&_facets=True&all="
        try:
            yield reverse(f"{base}_add")
        except NoReverseMatch:
            continue
        for row in model._default_manager.all()[:40]:
            for name in ("change", "history", "delete"):
                yield reverse(f"{base}_{name}", args=[row.pk])
    for app, name, field in (
        ("reasoncodes", "reasoncode", "teams"),
        ("users", "user", "team"),
        ("users", "team", "supervisors"),
        ("media", "media", "user"),
    ):
        yield (f"/admin/autocomplete/?app_label={app}&model_name={name}&field_name={field}&term=")


@pytest.mark.parametrize("role", ["of one team", "granted"])
def test_no_page_of_a_supervisor_names_a_stranger(
    role: str, browsers: Browsers, strangers: set[str]
) -> None:
    browser = browsers[role]
    waiting, seen, shown = [*_every_address()], set(), 0
    while waiting:
        address = waiting.pop()
        if address in seen or "logout" in address:
            continue
        seen.add(address)
        page = browser.get(address, follow=True)
        # Lists lead to files, too.
        content = page.getvalue() if page.streaming else page.content
        text = content.decode(errors="replace")
        assert not {name for name in strangers if name in text}, address
        if page.status_code == 200:
            shown += 1
            links = re.findall(r'href="((?:/admin/|\?)[^"#]*)"', text)
            base = address.split("?")[0]
            waiting += [
                (link if link[0] == "/" else base + link).replace("&amp;", "&") for link in links
            ][:60]
        if len(seen) > 180:
            break
    assert shown > 60
