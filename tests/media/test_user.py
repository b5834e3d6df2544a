"""The User resource: the user's data, the desktop's session, and its notifications [User]."""

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from django.test import Client

from finesse.notifications.models import Notification
from finesse.users.models import Team, User
from media.desktop import views
from media.models import Desktop, Media, MediaRequest, StateInterval
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, error_of, outcomes, update_of

pytestmark = pytest.mark.usefixtures("cast")
Settle = Callable[[], list[Notification]]

ELEMENTS = [
    "dialogs",
    "extension",
    "firstName",
    "lastName",
    "loginId",
    "loginName",
    "mediaType",
    "mobileAgent",
    "pendingState",
    "reasonCode",
    "reasonCodeId",
    "roles",
    "services",
    "settings",
    "skillTargetId",
    "state",
    "stateChangeTime",
    "teamId",
    "teamName",
    "teams",
    "uri",
]


class Desk:
    """alice's desktop, unless another user is given."""

    def __init__(self, api: API) -> None:
        self.api = api

    def put(self, state: str, more: str = "", user: str = "alice", **options: str) -> Any:
        body = f"<User><state>{state}</state>{more}</User>"
        return self.api.request("PUT", f"User/{user}", body, **options)

    def sign_in(self, **options: str) -> Any:
        return self.put("LOGIN", "<extension>1001</extension>", **options)

    def get(self, user: str = "alice", **options: str) -> Any:
        return self.api.request("GET", f"User/{user}", **options)

    def state(self, user: str = "alice") -> str | None:
        return fromstring(self.get(user, login=user).content).findtext("state")


def text_of(element: Element) -> list[tuple[str, str]]:
    return [(one.tag, (one.text or "").strip()) for one in element.iter()][1:]


@pytest.fixture
def desk(api: API) -> Desk:
    return Desk(api)


# --- reading ------------------------------------------------------------------------------------


def test_a_user_shows_every_documented_element_and_the_absent_ones_empty(desk: Desk) -> None:
    root = fromstring(desk.get().content)
    assert root.tag == "User"
    assert [child.tag for child in root] == ELEMENTS
    texts = {child.tag: child.text or "" for child in root if not len(child)}
    assert texts["loginId"] == texts["loginName"] == "alice"
    assert texts["uri"] == "/finesse/api/User/alice"
    assert texts["dialogs"] == "/finesse/api/User/alice/Dialogs"
    assert (texts["state"], texts["stateChangeTime"], texts["reasonCodeId"]) == ("LOGOUT", "", "-1")
    assert (texts["extension"], texts["reasonCode"], texts["teams"]) == ("", "", "")
    assert texts["teamName"] == "Chat"
    assert [role.text for role in root.findall("roles/role")] == ["Agent"]
    assert root.find("settings/wrapUpOnIncoming") is not None
    assert root.find("mobileAgent/mode") is not None


def test_a_supervisor_has_the_role_and_the_teams(desk: Desk, cast: Cast) -> None:
    root = fromstring(desk.get("carol", login="carol").content)
    assert [role.text for role in root.findall("roles/role")] == ["Agent", "Supervisor"]
    assert [team.text for team in root.findall("teams/Team/name")] == ["Chat"]
    assert root.findtext("teams/Team/uri") == f"/finesse/api/Team/{cast.alice.team_id}"


def test_a_user_who_is_a_supervisor_no_longer_shows_no_teams(desk: Desk, settle: Settle) -> None:
    carol = User.objects.get(pk="carol")
    settle()
    for is_supervisor, teams in ((False, []), (True, ["Chat"])):
        carol.is_supervisor = is_supervisor
        carol.save()
        root = fromstring(desk.get("carol", login="carol").content)
        assert [team.text for team in root.findall("teams/Team/name")] == teams
        shown = update_of(settle()[0])
        assert [team.text for team in shown.findall("data/user/teams/Team/name")] == teams


@pytest.mark.parametrize(
    ("caller", "asked_for", "status", "error_type"),
    [
        ("alice", "bob", 401, "Invalid Authorization User Specified"),
        ("alice", "nobody", 401, "Invalid Authorization User Specified"),
        ("carol", "alice", 200, ""),
        ("carol", "bob", 401, "Invalid Supervisor"),
        ("carol", "nobody", 401, "Invalid Supervisor"),
        ("dave", "bob", 200, ""),
        ("dave", "nobody", 404, "User Not Found"),
    ],
)
def test_agents_see_themselves_supervisors_their_team_administrators_all(
    desk: Desk, caller: str, asked_for: str, status: int, error_type: str
) -> None:
    response = desk.get(asked_for, login=caller)
    assert response.status_code == status
    if status != 200:
        assert error_of(response)["ErrorType"] == error_type


def test_an_id_that_no_database_can_hold_is_not_found(desk: Desk) -> None:
    assert desk.get("a%00b", login="dave").status_code == 404


def test_an_unknown_user_has_the_printed_body(desk: Desk) -> None:
    assert error_of(desk.get("nobody", login="dave")) == {
        "ErrorData": "nobody",
        "ErrorMessage": "UNKNOWN_USER",
        "ErrorType": "User Not Found",
    }


# --- signing in and out -------------------------------------------------------------------------


def test_signing_in_leads_to_not_ready_and_is_published_as_a_user_notification(
    desk: Desk, settle: Settle
) -> None:
    settle()
    response = desk.sign_in(requestId="r-1")
    assert (response.status_code, response.content, response["requestId"]) == (202, b"", "r-1")
    assert desk.state() == "LOGOUT"
    published, of_team = settle()
    assert of_team.node.startswith("/finesse/api/Team/")
    assert (published.node, published.source, published.event) == (
        *["/finesse/api/User/alice"] * 2,
        "PUT",
    )
    update = update_of(published)
    user = update.find("data/user")
    assert user is not None
    assert [child.tag for child in user] == ELEMENTS
    assert user.findtext("state") == "NOT_READY"
    assert user.findtext("extension") == "1001"
    assert user.findtext("reasonCodeId") == "-1"
    assert user.findtext("stateChangeTime", "").endswith("Z")
    answer = fromstring(desk.get().content)
    assert text_of(answer) == text_of(user)


def test_a_device_takes_the_place_of_the_extension(desk: Desk) -> None:
    assert desk.put("LOGIN", "<activeDeviceId>d-1</activeDeviceId>").status_code == 202


@pytest.mark.parametrize(
    ("body", "error_type", "data"),
    [
        ("<User><state>LOGIN</state></User>", "Parameter Missing", "extension"),
        (
            "<User><state>LOGIN</state><extension>a b</extension></User>",
            "Invalid Input",
            "extension",
        ),
        ("<User></User>", "Parameter Missing", "state"),
        ("<User><state>ACTIVE</state></User>", "Invalid Input", "state"),
        ("<User><state>ready</state></User>", "Invalid Input", "state"),
        ("<Media><state>READY</state></Media>", "Bad Request", ""),
        ("<User><state>READY</state>", "Bad Request", ""),
        ("<User><state>READY</state></User>", "Invalid State", "state"),
        ("<User><state>LOGOUT</state></User>", "Invalid State", "state"),
    ],
)
def test_a_wrong_request_is_refused_at_once(
    api: API, body: str, error_type: str, data: str
) -> None:
    response = api.request("PUT", "User/alice", body, requestId="r-1")
    assert (response.status_code, response["requestId"]) == (400, "r-1")
    error = error_of(response)
    assert (error["ErrorType"], error["ErrorData"]) == (error_type, data)
    assert "ErrorMedia" not in error
    assert not MediaRequest.objects.exists()


def test_the_states_and_their_times_and_history(
    desk: Desk, settle: Settle, codes: dict[str, ReasonCode]
) -> None:
    lunch = f"<reasonCodeId>{codes['Lunch'].pk}</reasonCodeId>"
    shift = f"<reasonCodeId>{codes['End of shift'].pk}</reasonCodeId>"
    desk.sign_in()
    settle()
    for state, more in (("READY", ""), ("NOT_READY", lunch), ("LOGOUT", shift)):
        assert desk.put(state, more).status_code == 202
        settle()
        assert desk.state() == state
    history = StateInterval.objects.filter(login_id="alice", mrd_id=1).order_by("id")
    assert list(history.values_list("state", "label")) == [
        ("NOT_READY", ""),
        ("READY", ""),
        ("NOT_READY", "Lunch"),
        ("LOGOUT", "End of shift"),
    ]
    assert history.filter(ended_at=None).count() == 1
    assert Desktop.objects.get(user="alice").extension == ""


def test_the_reason_is_shown_with_its_code(
    desk: Desk, settle: Settle, codes: dict[str, ReasonCode]
) -> None:
    desk.sign_in()
    settle()
    desk.put("NOT_READY", f"<reasonCodeId>{codes['Lunch'].pk}</reasonCodeId>")
    settle()
    root = fromstring(desk.get().content)
    assert root.findtext("reasonCodeId") == str(codes["Lunch"].pk)
    reason_code = root.find("reasonCode")
    assert reason_code is not None
    assert {child.tag: child.text for child in reason_code} == {
        "category": "NOT_READY",
        "code": "1",
        "forAll": "true",
        "id": str(codes["Lunch"].pk),
        "label": "Lunch",
        "systemCode": "false",
        "uri": codes["Lunch"].uri,
    }


def test_the_rules_of_reason_codes_are_those_of_media(
    desk: Desk, settle: Settle, codes: dict[str, ReasonCode]
) -> None:
    desk.sign_in()
    settle()
    for state, reason, data in (
        ("NOT_READY", "", "require_reasoncode"),
        ("LOGOUT", "", "require_reasoncode"),
        ("NOT_READY", codes["Filing"].pk, "not_valid"),
        ("NOT_READY", codes["End of shift"].pk, "not_valid"),
        ("READY", codes["Lunch"].pk, "not_allowed"),
    ):
        more = f"<reasonCodeId>{reason}</reasonCodeId>" if reason else ""
        response = desk.put(state, more)
        assert response.status_code == 400
        assert error_of(response)["ErrorData"] == f"finesse.api.reasoncode.{data}"


def test_signing_in_again_keeps_the_state_and_publishes_nothing(desk: Desk, settle: Settle) -> None:
    desk.sign_in()
    desk.put("READY")
    settle()
    assert desk.sign_in().status_code == 202
    assert settle() == []
    assert desk.state() == "READY"
    desk.put("LOGIN", "<extension>2002</extension>")
    published, of_team = settle()
    assert update_of(of_team).findtext("data/user/extension") == "2002"
    assert update_of(published).findtext("data/user/extension") == "2002"
    assert update_of(published).findtext("data/user/state") == "READY"


def test_voice_signs_out_from_not_ready_only(desk: Desk, settle: Settle) -> None:
    desk.sign_in()
    desk.put("READY")
    settle()
    response = desk.put("LOGOUT")
    assert (response.status_code, error_of(response)["ErrorType"]) == (400, "Invalid State")


def test_a_request_that_follows_at_once_is_judged_in_its_turn(desk: Desk, settle: Settle) -> None:
    desk.sign_in()
    assert desk.put("READY").status_code == 202
    assert desk.put("LOGOUT", requestId="early").status_code == 202
    published = settle()[-1]
    assert desk.state() == "READY"
    update = update_of(published)
    assert published.source == "/finesse/api/User/alice"
    assert update.findtext("requestId") == "early"
    error = update.find("data/apiErrors/apiError")
    assert error is not None
    assert [child.tag for child in error] == ["errorData", "errorMessage", "errorType"]
    # A capture of release 12.5; clients with types read an integer.
    assert [child.text for child in error] == ["22", "CF_INVALID_OBJECT_STATE", "Invalid State"]


def test_not_ready_after_a_sign_out_is_a_sign_in_without_a_password(
    desk: Desk, settle: Settle
) -> None:
    """Unified CCE's own words [User—Change Agent State]."""
    for given in ("never in", "out again"):
        assert desk.put("NOT_READY", requestId=given).status_code == 202
        update = update_of(settle()[-1])
        assert update.findtext("requestId") == given
        error = [child.text for child in update.findall("data/apiErrors/apiError/*")]
        assert error == ["257", "CF_INVALID_PASSWORD_SPECIFIED", "Invalid State"]
        desk.sign_in()
        assert desk.put("LOGOUT").status_code == 202


def test_a_request_is_not_refused_for_a_state_that_has_just_ended(
    desk: Desk, settle: Settle, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = views._find

    def find_just_before_the_writer(caller: User, login_id: str) -> User:
        found = find(caller, login_id)
        settle()
        return found

    monkeypatch.setattr(views, "_find", find_just_before_the_writer)
    desk.sign_in()
    assert desk.put("READY").status_code == 202
    assert desk.put("NOT_READY").status_code == 202
    assert desk.put("LOGOUT").status_code == 202
    settle()
    assert [outcome for _, outcome, _ in outcomes()] == ["changed"] * 4


@pytest.mark.parametrize("reason", ["", "0", "-1"])
@pytest.mark.usefixtures("codes")
def test_the_reason_0_or_minus_1_is_none(desk: Desk, settle: Settle, reason: str) -> None:
    none = f"<reasonCodeId>{reason}</reasonCodeId>"
    desk.put("LOGIN", f"<extension>1001</extension>{none}")
    desk.put("READY", none)
    settle()
    assert desk.state() == "READY"
    response = desk.put("NOT_READY", none)
    assert error_of(response)["ErrorData"] == "finesse.api.reasoncode.require_reasoncode"


def test_signing_out_of_the_desktop_signs_out_of_the_mrds(
    desk: Desk, api: API, settle: Settle, codes: dict[str, ReasonCode]
) -> None:
    api.put(LOGIN, mrd=5000)
    api.put(LOGIN, mrd=5001)
    api.state("READY", mrd=5000)
    desk.sign_in()
    settle()
    shift = codes["End of shift"].pk
    desk.put("LOGOUT", f"<reasonCodeId>{shift}</reasonCodeId>", requestId="bye")
    # It was accepted after the sign-out, and stays.
    api.put(LOGIN, mrd=5001)
    published = settle()
    assert [one.source.removeprefix("/finesse/api/User/alice") for one in published] == [
        "",
        "",  # On the node of the team.
        "/Media/5000",
        "/Media/5001",
        "/Media/5001",
    ]
    assert [one.request_id for one in published] == [""] * 5
    assert outcomes()[-3:] == [("LOGIN", "changed", ""), *[("FORCED_LOGOUT", "changed", "")] * 2]
    states = dict(Media.objects.filter(user="alice").values_list("mrd_id", "state"))
    assert states == {5000: "LOGOUT", 5001: "NOT_READY"}
    ended = StateInterval.objects.filter(state="LOGOUT", mrd_id=5000).get()
    assert (ended.label, ended.cause, ended.actor) == ("End of shift", "self", "alice")


def test_the_mrds_stay_when_the_channel_is_voice_alone(
    desk: Desk, api: API, settle: Settle, settings: Any
) -> None:
    settings.FINESSE_USER_SIGNOUT_CHANNEL = "1"
    api.put(LOGIN)
    desk.sign_in()
    settle()
    desk.put("LOGOUT")
    settle()
    assert Media.objects.get(user="alice", mrd=5001).state == "NOT_READY"
    assert desk.state() == "LOGOUT"


@pytest.mark.parametrize("channel", ["0", "1"])
@pytest.mark.parametrize("login", ["alice", "carol"])
@pytest.mark.parametrize(
    ("said", "leaves"),
    [("true", True), ("True", True), ("false", False), ("FALSE", False), ("", None)],
)
def test_the_request_may_say_whether_the_sign_out_is_from_all_media(
    desk: Desk, api: API, settle: Settle, settings: Any, said: str, leaves: bool | None,
    channel: str, login: str,
) -> None:  # fmt: skip
    settings.FINESSE_USER_SIGNOUT_CHANNEL = channel
    api.put(LOGIN)
    desk.sign_in()
    settle()
    said = f"<logoutAllMedia>{said}</logoutAllMedia>"
    assert desk.put("LOGOUT", said, login=login).status_code == 202
    settle()
    assert desk.state() == "LOGOUT"
    if leaves is None:
        leaves = channel != "1"
    state = Media.objects.get(user="alice", mrd=5001).state
    assert state == ("LOGOUT" if leaves else "NOT_READY")


def test_all_media_is_yes_or_no_and_counts_with_a_sign_out_alone(
    desk: Desk, settle: Settle
) -> None:
    desk.sign_in()
    settle()
    said = "<logoutAllMedia>perhaps</logoutAllMedia>"
    error = error_of(desk.put("LOGOUT", said))
    assert (error["ErrorType"], error["ErrorData"]) == ("Invalid Input", "logoutAllMedia")
    assert desk.put("READY", said).status_code == 202
    settle()
    assert desk.state() == "READY"


# --- supervisors --------------------------------------------------------------------------------


def test_a_supervisor_changes_the_teams_agents_with_the_systems_code(
    desk: Desk, settle: Settle, cast: Cast
) -> None:
    desk.sign_in()
    desk.put("READY")
    settle()
    assert desk.put("NOT_READY", login="carol", requestId="s-1").status_code == 202
    published, _ = settle()
    user = update_of(published).find("data/user")
    assert user is not None
    assert user.findtext("reasonCode/code") == "999"
    assert user.findtext("reasonCode/systemCode") == "true"
    assert desk.put("READY", login="carol").status_code == 202
    settle()
    # Voice signs out from NOT_READY only, but a supervisor's sign-out always works.
    assert desk.put("LOGOUT", login="carol").status_code == 202
    settle()
    assert desk.state() == "LOGOUT"
    interval = StateInterval.objects.filter(login_id="alice", ended_at=None, mrd_id=1).get()
    assert (interval.cause, interval.actor, interval.code) == ("supervisor", "carol", 999)


@pytest.mark.parametrize(
    ("caller", "user", "state", "more", "status", "error_type"),
    [
        ("carol", "bob", "NOT_READY", "", 401, "Invalid Supervisor"),
        ("bob", "alice", "NOT_READY", "", 401, "Invalid Authorization User Specified"),
        (
            "carol",
            "alice",
            "LOGIN",
            "<extension>1</extension>",
            401,
            "Invalid Authorization User Specified",
        ),
        ("carol", "alice", "READY", "<reasonCodeId>1</reasonCodeId>", 400, "Invalid Input"),
    ],
)
def test_what_a_supervisor_may_not(
    desk: Desk,
    settle: Settle,
    caller: str,
    user: str,
    state: str,
    more: str,
    status: int,
    error_type: str,
) -> None:
    desk.sign_in()
    settle()
    response = desk.put(state, more, user=user, login=caller)
    assert (response.status_code, error_of(response)["ErrorType"]) == (status, error_type)
    assert settle() == []


# --- notifications of users ---------------------------------------------------------------------


def test_a_new_a_renamed_and_a_deleted_user_are_published(settle: Settle, cast: Cast) -> None:
    settle()
    eve = User.objects.create_user("eve", None, first_name="Eve")
    eve.first_name, eve.is_supervisor = "Evelyn", True
    eve.save()
    eve.set_password("another one")
    eve.save()
    eve.delete()
    published = settle()
    assert [(one.event, one.source) for one in published] == [
        (event, "/finesse/api/User/eve") for event in ("POST", "PUT", "DELETE")
    ]
    added, changed, deleted = (update_of(one) for one in published)
    assert added.findtext("data/user/firstName") == "Eve"
    assert changed.findtext("data/user/firstName") == "Evelyn"
    assert [role.text for role in changed.findall("data/user/roles/role")][-1] == "Supervisor"
    assert deleted.find("data") is None


def test_signing_in_to_the_pages_is_not_published(settle: Settle, cast: Cast) -> None:
    settle()
    Client().force_login(cast.alice)
    assert settle() == []


def test_another_team_is_published(settle: Settle, cast: Cast) -> None:
    settle()
    cast.alice.team = cast.bob.team
    cast.alice.save()
    published, *of_teams = settle()
    assert update_of(published).findtext("data/user/teamName") == "Back office"
    assert [one.event for one in of_teams] == ["DELETE", "POST"]


def test_a_deleted_user_leaves_no_open_interval(desk: Desk, settle: Settle, cast: Cast) -> None:
    desk.sign_in()
    settle()
    cast.alice.delete()
    assert not StateInterval.objects.filter(ended_at=None).exists()
    assert not Desktop.objects.exists()


def test_a_sign_in_of_a_user_who_was_deleted_meanwhile_ends_in_an_error(
    desk: Desk, settle: Settle, cast: Cast
) -> None:
    assert desk.sign_in(requestId="late").status_code == 202
    cast.alice.delete()
    settle()
    assert outcomes() == [("LOGIN", "error", "E_ARM_STAT_AGENT_NOT_FOUND")]


# --- Team, MediaDomain, Dialogs -----------------------------------------------------------------


def test_a_team_lists_its_users_for_its_supervisors(
    desk: Desk, api: API, settle: Settle, cast: Cast
) -> None:
    desk.sign_in()
    settle()
    for login in ("carol", "dave"):
        response = api.request("GET", f"Team/{cast.alice.team_id}", login=login)
        assert response.status_code == 200
        root = fromstring(response.content)
        assert [child.tag for child in root] == ["uri", "id", "name", "users"]
        (user,) = root.findall("users/User")
        assert [child.tag for child in user] == [
            "dialogs",
            "extension",
            "firstName",
            "lastName",
            "loginId",
            "pendingState",
            "reasonCode",
            "state",
            "stateChangeTime",
            "uri",
        ]
        assert (user.findtext("loginId"), user.findtext("state")) == ("alice", "NOT_READY")


def test_a_team_is_read_by_its_supervisors_and_administrators_only(api: API, cast: Cast) -> None:
    for login, team in (
        ("alice", cast.alice.team_id),
        ("carol", cast.bob.team_id),
        ("carol", 999_999),
    ):
        response = api.request("GET", f"Team/{team}", login=login)
        assert response.status_code == 401
        assert error_of(response) == {
            "ErrorData": login,
            "ErrorMessage": "UNAUTHORIZED",
            "ErrorType": "Authorization Failure",
        }
    for team_id in ("999999", "x", "01"):
        response = api.request("GET", f"Team/{team_id}", login="dave")
        assert (response.status_code, error_of(response)["ErrorType"]) == (404, "Not Found")


def test_reading_a_team_takes_the_same_queries_for_many_members(
    api: API, cast: Cast, django_assert_num_queries: Callable[..., object]
) -> None:
    team = Team.objects.get(pk=cast.alice.team_id)
    for number in range(20):
        User.objects.create_user(f"agent{number}", None, first_name="A", team=team)
    api.request("GET", f"Team/{team.pk}", login="dave")
    with django_assert_num_queries(4):  # caller, team, members, their supervised teams
        response = api.request("GET", f"Team/{team.pk}", login="dave")
    assert len(fromstring(response.content).findall("users/User")) == 21


def test_every_mrd_is_listed_with_the_voice_mrd(api: API) -> None:
    root = fromstring(api.request("GET", "MediaDomain").content)
    assert root.tag == "MediaDomains"
    assert [mrd.findtext("id") for mrd in root] == ["1", "5000", "5001", "5002"]
    assert [child.tag for child in root[0]] == [
        "uri",
        "description",
        "id",
        "interruptible",
        "name",
    ]
    one = fromstring(api.request("GET", "MediaDomain/5000").content)
    assert (one.tag, one.findtext("name")) == ("MediaDomain", "Chat")
    unknown = api.request("GET", "MediaDomain/77")
    assert (unknown.status_code, error_of(unknown)["ErrorData"]) == (404, "77")
    # It is for errors about a user's Media.
    assert "ErrorMedia" not in error_of(unknown)


@pytest.mark.parametrize("path", ["Dialogs", "Dialogs/", "Dialogs/Media", "Dialogs/Media/"])
def test_no_agent_has_a_task(api: API, path: str) -> None:
    response = api.request("GET", f"User/alice/{path}?nocache=1")
    assert response.status_code == 200
    root = fromstring(response.content)
    assert (root.tag, len(root), root.text) == ("Dialogs", 0, None)
    assert api.request("GET", f"User/bob/{path}").status_code == 401
