"""Each change of a GET's answer is published, in every way in which it can be made."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import canonicalize

import pytest
from defusedxml.ElementTree import fromstring
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finesse.notifications.models import Notification
from finesse.users.models import Team, User
from media.models import Desktop, Media, MediaRoutingDomain
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, PASSWORD, Cast, update_of
from tests.kit.documents import content

SIGN_IN_TO_CHAT = LOGIN.replace("<state>", "<id>5000</id><state>")
NO_MEDIA = {"media-TOTAL_FORMS": "0", "media-INITIAL_FORMS": "0"}
"""The part of a user's page in which MRDs are added."""
Settle = Callable[[], list[Notification]]
Snapshot = dict[str, str]
"""The answers of GET by path below the API, without 404s and without empty lists of Media."""


class House:
    """The installation that is changed, and all ways to change it."""

    def __init__(self, api: API, cast: Cast, codes: dict[str, ReasonCode]) -> None:
        self.api, self.cast, self.codes = api, cast, codes
        self.admin = Client()
        self.admin.force_login(cast.dave)

    def page(self, instance: Any, page: str, **fields: Any) -> None:
        """Send a form of the admin: of an instance, or for a new one of a model."""
        name = f"admin:{instance._meta.app_label}_{instance._meta.model_name}_{page}"
        path = reverse(name, args=[] if isinstance(instance, type) else [instance.pk])
        response = self.admin.post(path, fields)
        assert response.status_code == 302, response.content.decode()
        assert "login" not in response["Location"]

    def action(self, model: Any, action: str, *pks: Any) -> None:
        fields = {"action": action, "_selected_action": [str(pk) for pk in pks], "post": "yes"}
        self.page(model, "changelist", **fields)

    def user_form(self, user: User, **fields: Any) -> None:
        """Save a user's page, with other values for some fields; None clears a box."""
        shown = {
            "first_name": user.first_name,
            "last_name": user.last_name,
            "team": user.team_id or "",
            "is_active": "on",
            "is_supervisor": "on" if user.is_supervisor else None,
            "is_superuser": "on" if user.is_superuser else None,
            **NO_MEDIA,
            **fields,
        }
        filled = {name: value for name, value in shown.items() if value is not None}
        self.page(user, "change", **filled)

    def code_form(self, name: str, **fields: Any) -> None:
        code = self.codes[name]
        shown = {"category": code.category, "code": code.code, "label": name, "for_all": "on"}
        self.page(code, "change", **{**shown, **fields})

    def team_form(self, **fields: Any) -> None:
        shown = {"name": "Chat", "supervisors": ["carol"]}
        self.page(self.cast.alice.team, "change", **{**shown, **fields})

    def ask(self, method: str, path: str, body: str = "", *, login: str = "alice") -> None:
        response = self.api.request(method, path, body, login=login)
        assert response.status_code in {200, 202}, response.content

    def desktop(self, state: str, more: str = "", *, login: str = "alice") -> None:
        self.ask("PUT", "User/alice", f"<User><state>{state}</state>{more}</User>", login=login)

    def lunch(self, children: str) -> None:
        body = f"<ReasonCode>{children}</ReasonCode>"
        self.ask("PUT", f"ReasonCode/{self.codes['Lunch'].pk}", body, login="dave")


def snapshot(api: API, administrator: str = "dave", password: str = PASSWORD) -> Snapshot:
    found: Snapshot = {}

    def get(path: str, login: str) -> None:
        response = api.request("GET", path, login=login, password=password)
        assert response.status_code == 200, (path, response.content)
        document = canonicalize(response.content.decode(), strip_text=True)
        if document != "<MediaList></MediaList>":
            found[path] = document

    for user in User.objects.all():
        get(f"User/{user.pk}", administrator)
        if user.is_active:
            get(f"User/{user.pk}/Media", user.pk)
    for media in Media.objects.filter(user__is_active=True):
        get(f"User/{media.user_id}/Media/{media.mrd_id}", media.user_id)
    for team in Team.objects.all():
        get(f"Team/{team.pk}", administrator)
    return found


@pytest.fixture
def house(api: API, cast: Cast, codes: dict[str, ReasonCode], own_layer: None) -> House:
    """alice is at lunch, at her desktop and in an MRD; carol is in Chat, which she supervises."""
    made = House(api, cast, codes)
    cast.carol.team = cast.alice.team
    cast.carol.save()
    lunch = f"<reasonCodeId>{codes['Lunch'].pk}</reasonCodeId>"
    api.put(LOGIN)
    made.ask("PUT", "User/alice/Media/5001", f"<Media><state>NOT_READY</state>{lunch}</Media>")
    made.desktop("LOGIN", "<extension>1001</extension>")
    made.desktop("NOT_READY", lunch)
    return made


def node_about(path: str) -> str:
    """The node that docs/api.md names for what GET shows at this path."""
    kind, name, *_ = path.split("/")
    if kind == "Team":
        return f"/finesse/api/Team/{name}/Users"
    return f"/finesse/api/User/{name}/Media" if "/Media" in path else f"/finesse/api/User/{name}"


def every(model: Any) -> list[Any]:
    return list(model.objects.values_list("pk", flat=True))


def email() -> MediaRoutingDomain:
    return MediaRoutingDomain.objects.get(pk=5001)


def new_user(house: House) -> None:
    password = dict.fromkeys(("password1", "password2"), PASSWORD)
    names = {"login_id": "eve", "first_name": "Eve", "team": house.cast.bob.team_id}
    house.page(User, "add", **password, **names, usable_password="true", **NO_MEDIA)


def create_administrator(house: House) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        names = {"login_id": "frank", "first_name": "Frank"}
        call_command("createsuperuser", interactive=False, **names)


def demote(house: House) -> None:
    house.cast.carol.is_supervisor = False
    house.cast.carol.save()


def promote(house: House) -> None:
    """Who is among a team's supervisors, and becomes one only now."""
    house.cast.bob.is_supervisor = True
    house.cast.bob.save()


def move(house: House) -> None:
    house.cast.alice.team = house.cast.bob.team
    house.cast.alice.save(update_fields=["team"])


def rename_team(house: House) -> None:
    house.cast.alice.team.name = "Chatters"
    house.cast.alice.team.save()


def change_password(house: House) -> None:
    house.cast.bob.set_password(PASSWORD)
    house.cast.bob.save()


BY_THE_API: dict[str, Callable[[House], Any]] = {
    "a state of a Media": lambda house: house.api.state("READY"),
    "a state of several Media": lambda house: house.ask(
        "PUT", "User/alice/Media", f"<MediaList>{SIGN_IN_TO_CHAT}</MediaList>"
    ),
    "the state of a desktop": lambda house: house.desktop("READY"),
    "a sign-out by the supervisor": lambda house: house.desktop("LOGOUT", login="carol"),
    "the label of a reason code": lambda house: house.lunch("<label>Dinner</label>"),
    "the number of a reason code": lambda house: house.lunch("<code>77</code>"),
    "whom a reason code is for": lambda house: house.lunch("<forAll>false</forAll>"),
}
BY_THE_ADMIN: dict[str, Callable[[House], Any]] = {
    "a user's name": lambda house: house.user_form(house.cast.alice, first_name="Alicia"),
    "a user's team": lambda house: house.user_form(house.cast.alice, team=house.cast.bob.team_id),
    "a user without a team": lambda house: house.user_form(house.cast.alice, team=""),
    "a supervisor no more": lambda house: house.user_form(house.cast.carol, is_supervisor=None),
    "an administrator": lambda house: house.user_form(house.cast.bob, is_superuser="on"),
    "a new user": new_user,
    "a deleted user": lambda house: house.page(house.cast.alice, "delete", post="yes"),
    "deleted users": lambda house: house.action(User, "delete_selected", "alice", "bob"),
    "a membership": lambda house: house.page(Media, "add", user="bob", mrd=5000),
    "a membership by the user's page": lambda house: house.user_form(
        house.cast.bob, **{**NO_MEDIA, "media-TOTAL_FORMS": "1", "media-0-mrd": "5000"}
    ),
    "a deleted membership": lambda house: house.page(
        Media.objects.get(user="alice", mrd=5001), "delete", post="yes"
    ),
    "deleted memberships": lambda house: house.action(Media, "delete_selected", *every(Media)),
    "a lost connection": lambda house: house.action(Media, "lose_connection", *every(Media)),
    "an MRD's name": lambda house: house.page(email(), "change", name="Letters"),
    "a deleted MRD": lambda house: house.page(email(), "delete", post="yes"),
    "a reason code's label": lambda house: house.code_form("Lunch", label="Dinner"),
    "a reason code for one team": lambda house: house.code_form(
        "Lunch", for_all="", teams=[house.cast.alice.team_id]
    ),
    "a team's name": lambda house: house.team_form(name="Chatters"),
    "a team without supervisors": lambda house: house.team_form(supervisors=[]),
    "a deleted team": lambda house: house.page(house.cast.alice.team, "delete", post="yes"),
    "deleted teams": lambda house: house.action(Team, "delete_selected", *every(Team)),
}
BY_COMMANDS_AND_IN_THE_SHELL: dict[str, Callable[[House], Any]] = {
    "an administrator by command": create_administrator,
    "a supervisor of a team": lambda house: house.cast.bob.team.supervisors.add("carol"),
    "the teams of a supervisor": lambda house: house.cast.carol.supervised_teams.set(
        [house.cast.bob.team]
    ),
    "no teams of a supervisor": lambda house: house.cast.carol.supervised_teams.clear(),
    "a supervisor demoted by a program": demote,
    "a supervisor by a program": promote,
    "a user moved by a program": move,
    "a user taken out of a team by a program": lambda house: house.cast.alice.team.members.clear(
        bulk=False
    ),
    "members of a team": lambda house: house.cast.bob.team.members.set(
        [house.cast.alice, house.cast.carol], bulk=False
    ),
    "a user deleted by a program": lambda house: house.cast.alice.delete(),
    "users deleted by a program": lambda house: User.objects.filter(
        pk__in=["alice", "bob"]
    ).delete(),
    "a membership deleted by a program": lambda house: Media.objects.get(
        user="alice", mrd=5001
    ).delete(),
    "a team deleted by a program": lambda house: house.cast.alice.team.delete(),
    "a team renamed by a program": rename_team,
    "an MRD deleted by a program": lambda house: email().delete(),
    "no supervisors of a team": lambda house: house.cast.alice.team.supervisors.clear(),
    "all teams deleted": lambda house: Team.objects.all().delete(),
    "all MRDs deleted": lambda house: MediaRoutingDomain.objects.exclude(pk=1).delete(),
    "all memberships deleted": lambda house: Media.objects.all().delete(),
    "a reason code saved in part": lambda house: ReasonCode(
        pk=house.codes["Lunch"].pk, label="Dinner"
    ).save(update_fields=["label"]),
}
CHANGES = BY_THE_API | BY_THE_ADMIN | BY_COMMANDS_AND_IN_THE_SHELL
SILENT: dict[str, Callable[[House], Any]] = {
    "a password": change_password,
    "an inactive user": lambda house: house.user_form(house.cast.bob, is_active=None),
    "a new team": lambda house: house.page(Team, "add", name="Night shift"),
    "a team saved as it was": lambda house: house.team_form(),
    "an MRD saved as it was": lambda house: email().save(),
    "a retired reason code": lambda house: house.page(
        house.codes["Lunch"], "retire", confirmed="yes"
    ),
    "a used reason code, deleted": lambda house: house.ask(
        "DELETE", f"ReasonCode/{house.codes['Lunch'].pk}", login="dave"
    ),
    "a reason code that nobody shows": lambda house: house.code_form("Coaching", label="Training"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_what_get_says_is_published_on_the_node_about_it(
    house: House, settle: Settle, change: str
) -> None:
    settle()
    before = snapshot(house.api)
    CHANGES[change](house)
    published = settle()
    after = snapshot(house.api)
    different = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert different
    assert {node_about(path) for path in different} <= {one.node for one in published}
    # The last word about an object is what GET says.
    last = {(one.node, one.source): one for one in published}
    for path in different & {*after}:
        if notification := last.get((node_about(path), f"/finesse/api/{path}")):
            said = update_of(notification).find("data/*")
            assert content(said) == content(fromstring(after[path]))


@pytest.mark.parametrize("change", SILENT)
def test_what_changes_none_of_these_answers_is_not_published(
    house: House, settle: Settle, change: str
) -> None:
    settle()
    before = snapshot(house.api)
    SILENT[change](house)
    # Lists of reason codes are none of these answers: each has a node of its own.
    assert [one for one in settle() if not one.node.endswith("/ReasonCodes")] == []
    after = snapshot(house.api)
    assert all(before[path] == after[path] for path in {*before} & {*after})


def test_what_the_demo_loads_is_published(
    api: API, given_ids: None, own_layer: None, settle: Settle, settings: Any
) -> None:
    settings.FINESSE_DEMO = True
    call_command("demo")
    nodes = {one.node for one in settle()}
    shown = snapshot(api, "admin", settings.FINESSE_DEMO_PASSWORD)
    assert {node_about(path) for path in shown} <= nodes
    assert "<state>READY</state>" in shown["User/1234/Media/5001"]


def test_renaming_a_reason_code_takes_a_statement_for_each_page_of_those_who_show_it(
    house: House, settle: Settle
) -> None:
    def show_lunch(number: int) -> None:
        names = [f"lunch{one}" for one in range(number)]
        users = User.objects.bulk_create([User(login_id=name, first_name="L") for name in names])
        lunch = house.codes["Lunch"]
        options = {"max_dialog_limit": 1, "interrupt_action": "ACCEPT"}
        Media.objects.bulk_create(
            Media(
                user=user,
                mrd_id=5000,
                state="NOT_READY",
                reason_code=lunch,
                dialog_logout_action="CLOSE",
                **options,
            )
            for user in users
        )
        Desktop.objects.bulk_create(
            Desktop(user=user, state="NOT_READY", reason_code=lunch) for user in users
        )

    def rename(label: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            house.codes["Lunch"].label = label
            house.codes["Lunch"].save()
        return len(captured)

    settle()
    for_one = rename("Dinner")
    assert len(settle()) == 4  # alice's Media, alice, the team, and everybody's list.
    show_lunch(190)
    assert rename("Supper") == for_one
    assert len(settle()) == 4 + 2 * 190


def test_only_a_supervisor_lists_teams(house: House) -> None:
    for is_supervisor in (True, False, True):
        house.cast.carol.is_supervisor = is_supervisor
        house.cast.carol.save()
        document = house.api.request("GET", "User/carol", login="carol").content
        assert [one.text for one in fromstring(document).findall("teams/Team/name")] == [
            "Chat"
        ] * is_supervisor
