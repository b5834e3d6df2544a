"""Administrators import and export people: agents, teams, supervisors and memberships in MRDs."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from openpyxl import load_workbook

from finesse.notifications.models import LogHead
from finesse.users.models import Team, User
from media.models import Media
from tests.conftest import API, LOGIN, Cast
from tests.kit import import_pages
from tests.kit.import_pages import kept_in, outcomes, said, signed_in

pytestmark = pytest.mark.usefixtures("cast", "own_layer")
IMPORT = "/admin/users/user/import/"
HEAD = "login id,first name,last name,team,role,supervises,mrds,active\n"


def upload(content: bytes | str, login_id: str = "dave", **fields: Any) -> tuple[Client, Any]:
    return import_pages.upload(IMPORT, login_id, content, "people.csv", **fields)


def confirm(client: Client, page: Any) -> Any:
    return import_pages.confirm(IMPORT, client, page)


def test_agents_and_supervisors_are_made_with_their_teams_and_mrds(
    settle: Callable[[], Any],
) -> None:
    settle()
    rows = (
        "erin,Erin,Ek,Chat,,,Email; 5002,\n"
        "frank,Frank,,,supervisor,Chat; Back office,,yes\n"
        "gina,Gina,,Voice team,agent,,,no\n"
    )
    _, page = upload(HEAD + rows)
    assert "There is no team “Voice team”" in said(page)
    client, page = upload(HEAD + rows, new_teams="on")
    assert outcomes(page) == {"new": 3}, said(page)
    assert "New teams would be made: “Voice team”" in said(page)
    assert not User.objects.filter(pk="erin").exists(), "a check changes nothing"
    done = confirm(client, page)
    assert "3 new, 0 changed" in said(done)

    erin, frank = User.objects.get(pk="erin"), User.objects.get(pk="frank")
    assert (erin.first_name, erin.last_name, erin.team) == (
        "Erin",
        "Ek",
        Team.objects.get(name="Chat"),
    )
    assert not erin.has_usable_password()
    assert sorted(erin.media.values_list("mrd", flat=True)) == [5001, 5002]
    assert frank.is_supervisor
    assert {team.name for team in frank.supervised_teams.all()} == {"Chat", "Back office"}
    gina = User.objects.get(pk="gina")
    assert (gina.team and gina.team.name, gina.is_active) == ("Voice team", False)
    published = [(one.event, one.source) for one in settle()]
    assert ("POST", "/finesse/api/User/erin") in published
    assert ("POST", "/finesse/api/User/erin/Media/5001") in published
    assert LogEntry.objects.filter(object_id="erin", user="dave").count() == 1


def test_servers_look_up_anew_who_may_see_whom_when_there_are_new_people_alone(cast: Cast) -> None:
    """They are made in bulk, of which no signal tells: open boards would not show them."""
    before = LogHead.objects.get().access
    client, page = upload(f"{HEAD}erin,Erin,,Chat,,,,\n")
    confirm(client, page)
    assert LogHead.objects.get().access > before


def test_new_people_choose_a_password_by_their_sign_in_link(api: API) -> None:
    client, page = upload(f"{HEAD}erin,Erin,,Chat,,,Email,\n")
    done = confirm(client, page)
    form = done.content.decode()
    chosen = re.findall(r'name="_selected_action" value="([^"]+)"', form)
    assert chosen == ["erin"]
    links = client.post(
        "/admin/users/user/", {"action": "sign_in_links", "index": 0, "_selected_action": chosen}
    ).content.decode()
    address = re.search(r"http://testserver(/\S+?),", links)
    assert address
    browser = Client()
    page = browser.get(address[1], follow=True)
    assert page.status_code == 200
    passwords = dict.fromkeys(("new_password1", "new_password2"), "a long enough one")
    browser.post(page.request["PATH_INFO"], passwords)
    answer = api.put(LOGIN, user="erin", login="erin", password="a long enough one")
    assert answer.status_code == 202


def test_people_change_in_what_the_file_says_alone(cast: Cast, settle: Callable[[], Any]) -> None:
    settle()
    client, page = upload("login id,first name,team,mrds\nalice,Alicia,Back office,Chat;Tasks\n")
    assert outcomes(page) == {"changed": 1}
    text = said(page)
    for change in ("Alice → Alicia", "Chat → Back office", "Chat; Email → Chat; Tasks"):
        assert change in text
    confirm(client, page)
    alice = User.objects.get(pk="alice")
    assert (alice.first_name, alice.team and alice.team.name) == ("Alicia", "Back office")
    assert alice.password == cast.alice.password
    assert sorted(alice.media.values_list("mrd", flat=True)) == [5000, 5002]
    assert {(one.event, one.source) for one in settle()} >= {
        ("PUT", "/finesse/api/User/alice"),
        ("DELETE", "/finesse/api/User/alice/Media/5001"),
        ("POST", "/finesse/api/User/alice/Media/5002"),
    }
    said_in_history = LogEntry.objects.get(object_id="alice").change_message
    assert "team from “Chat” to “Back office”" in said_in_history


def undo(client: Client, done: Any) -> Any:
    kept = re.search(r'name="undo" value="([^"]+)"', done.content.decode())
    assert kept
    return client.post(f"{IMPORT}undo/", {"undo": kept[1]})


def test_an_import_is_undone_as_a_whole(cast: Cast, settle: Callable[[], Any]) -> None:
    rows = (
        "alice,Alicia,Lima,Night,agent,,Chat; Tasks,\n"
        "carol,Carol,,,supervisor,Chat; Back office,,\n"
        "erin,Erin,,Night,,,Email,\n"
    )
    client, page = upload(HEAD + rows, new_teams="on")
    done = confirm(client, page)
    assert "1 new, 2 changed" in said(done)
    settle()
    assert "2 changed back, 1 deleted" in said(undo(client, done))
    alice = User.objects.get(pk="alice")
    assert (alice.first_name, alice.team and alice.team.name) == ("Alice", "Chat")
    assert sorted(alice.media.values_list("mrd", flat=True)) == [5000, 5001]
    assert [team.name for team in cast.carol.supervised_teams.all()] == ["Chat"]
    assert not User.objects.filter(pk="erin").exists()
    assert not Team.objects.filter(name="Night").exists(), "the import made it"
    published = [(one.event, one.source) for one in settle()]
    assert ("DELETE", "/finesse/api/User/erin") in published
    assert ("PUT", "/finesse/api/User/alice") in published
    entry = LogEntry.objects.filter(object_id="alice").latest("pk")
    assert entry.change_message.startswith("Imported from undo of people.csv: ")


def test_nothing_is_undone_if_one_of_the_people_was_changed_since(cast: Cast) -> None:
    client, page = upload(f"{HEAD}alice,Alicia,,Chat,,,Chat,\nbob,Bobby,,Back office,,,,\n")
    done = confirm(client, page)
    User.objects.filter(pk="bob").update(last_name="Bauer")
    refused = undo(client, done)
    assert "Nothing was undone" in said(refused)
    assert "(bob)" in said(refused)
    assert User.objects.get(pk="alice").first_name == "Alicia"


def test_a_new_person_who_has_a_password_already_is_made_inactive_and_not_deleted() -> None:
    client, page = upload(f"{HEAD}erin,Erin,,Chat,,,Email,\n")
    done = confirm(client, page)
    erin = User.objects.get(pk="erin")
    erin.set_password("a long enough one")
    erin.save()
    assert "erin had signed in or worked since" in said(undo(client, done))
    erin.refresh_from_db()
    assert not erin.is_active


def test_an_undo_is_its_users_alone_and_once(cast: Cast) -> None:
    client, page = upload(f"{HEAD}erin,Erin,,Chat,,,Email,\n")
    done = confirm(client, page)
    User.objects.create_superuser("zoe", "finesse-test", first_name="Zoe")
    assert "can no longer be undone" in said(undo(signed_in("zoe"), done))
    assert "1 deleted" in said(undo(client, done))
    assert "Nothing was undone" in said(undo(client, done))
    assert signed_in("carol").post(f"{IMPORT}undo/").status_code == 403
    assert "can no longer be undone" in said(client.post(f"{IMPORT}undo/", {"undo": "x"}))


REFUSED = {
    "no login id": (",Erin,,,,,,", "cannot be blank"),
    "a login id with blanks": ("e rin,Erin,,,,,,", "Use letters, digits"),
    "a login id in another case": ("ALICE,Alice,,,,,,", "There is “alice” already"),
    "no first name": ("erin,,,,,,,", "cannot be blank"),
    "a long name": (f"erin,{'x' * 65},,,,,,", "at most 64"),
    "an invisible character": ("erin,E\u202erin,,,,,,", "U+202E"),
    "a team that does not exist": ("erin,Erin,,Chta,,,,", "Is it “Chat”?"),
    "two teams": ("erin,Erin,,Chat; Back office,,,,", "A person is in one team"),
    "an unknown role": ("erin,Erin,,,boss,,,", "“boss” is no role"),
    "an agent who supervises": ("erin,Erin,,,agent,Chat,,", "Only supervisors watch teams"),
    "an unknown MRD": ("erin,Erin,,,,,Fax,", "“Fax” is no MRD"),
    "the voice MRD": ("erin,Erin,,,,,1,", "“1” is no MRD"),
    "active perhaps": ("erin,Erin,,,,,,perhaps", "neither yes nor no"),
    "oneself without access": ("dave,Dave,,,administrator,,,no", "lock yourself out"),
    "oneself as an agent": ("dave,Dave,,,agent,,,", "no longer be an administrator"),
}


@pytest.mark.parametrize(("row", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_row_is_refused_with_its_reason(row: str, reason: str) -> None:
    before = User.objects.count()
    _, page = upload(f"{HEAD}zoe,Zoe,,,,,,\n{row}\n")
    assert outcomes(page) == {"refused": 1, "new": 1}, said(page)
    assert reason in said(page)
    assert not kept_in(page)
    assert User.objects.count() == before


def test_the_same_person_twice_is_told() -> None:
    _, page = upload(f"{HEAD}erin,Erin,,,,,,\nErin,Erin,,,,,,\n")
    assert "Row 2 is about the same person" in said(page)


def test_passwords_are_never_in_files() -> None:
    _, page = upload("login id,first name,Password\nerin,Erin,secret\n")
    assert "Passwords are never in files" in said(page)
    assert "secret" not in said(page)


def test_what_has_changed_since_the_check_is_told() -> None:
    client, page = upload(f"{HEAD}erin,Erin,,,,,,\nzoe,Zoe,,,,,,\n")
    User.objects.create_user("Erin", None, first_name="Other")
    answer = confirm(client, page)
    assert "was new, and is refused now" in said(answer)
    assert not User.objects.filter(pk="zoe").exists()


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_an_export_that_is_imported_changes_nothing(extension: str) -> None:
    odd = Team.objects.create(name='=Sales; “EU” "one"')
    ivy = User.objects.create_user(
        "ivy", None, first_name="-Ivy", last_name="@x", team=odd, is_supervisor=True
    )
    ivy.supervised_teams.add(odd, Team.objects.get(name="Chat"))
    # As it may have come about: of somebody who is no supervisor any more.
    User.objects.get(pk="bob").supervised_teams.add(odd)
    answer = signed_in("dave").get(f"/admin/users/user/export/{extension}/")
    content = answer.content
    if extension == "xlsx":
        assert len(list(load_workbook(io.BytesIO(content)).active.rows)) == 6
    assert b"pbkdf2" not in content
    assert b"md5$" not in content
    _, page = upload(content)
    assert outcomes(page) == {"unchanged": 5}, said(page)


@pytest.mark.parametrize(
    "path", ["import/", "export/", "export/csv/", "import/template/csv/", "import/template/xlsx/"]
)
def test_administrators_alone_get_there(path: str) -> None:
    address = f"/admin/users/user/{path}"
    assert signed_in("dave").get(address).status_code == 200
    assert signed_in("carol").get(address).status_code == 403
    assert signed_in("alice").get(address).status_code == 302


@pytest.mark.parametrize("login_id", ["alice", "carol"])
def test_nobody_else_imports_people(login_id: str) -> None:
    upload(f"{HEAD}erin,Erin,,,administrator,,,\n", login_id)
    assert not User.objects.filter(pk="erin").exists()


def test_two_hundred_agents_are_imported_at_once() -> None:
    rows = "".join(f"agent{n},Agent,{n},Chat,,,Chat;Email,\n" for n in range(200))
    client, page = upload(HEAD + rows)
    assert outcomes(page) == {"new": 200}
    assert "200 new, 0 changed" in said(confirm(client, page))
    assert Media.objects.filter(user__login_id__startswith="agent").count() == 400
