"""The pages of who changed what: each role sees what concerned it, and nothing of others."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from finesse.users.models import Team, User
from reasoncodes.changes import Way
from reasoncodes.configuration import exclusive
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast

RECORD = "/admin/reasoncodes/historicalreasoncode/"
CODES = "/admin/reasoncodes/reasoncode/"


@pytest.fixture
def night(cast: Cast) -> Team:
    eve = User.objects.create_user("eve", "x", first_name="Eve", last_name="Night")
    eve.is_supervisor = True
    eve.save()
    team = Team.objects.create(name="Night shift")
    team.supervisors.add(eve)
    return team


@pytest.fixture
def eve(night: Team) -> User:
    return User.objects.get(pk="eve")


def change(changed: ReasonCode, by: User, way: Way = Way.ADMIN, **fields: Any) -> Any:
    """One change; returns the version that it left."""
    teams = fields.pop("teams", None)
    with exclusive(by, way):
        for name, value in fields.items():
            setattr(changed, name, value)
        changed.save()
        if teams is not None:
            changed.teams.set(teams)
    return Version.objects.filter(id=changed.pk).latest("history_id")


def new(by: User, number: int, label: str, **fields: Any) -> ReasonCode:
    code = ReasonCode(category="NOT_READY", code=number, label=label, for_all=False)
    change(code, by, **fields)
    return code


@pytest.fixture
def tea(cast: Cast) -> ReasonCode:
    return new(cast.carol, 7, "Tea", teams=[cast.alice.team])


def text_of(client: Client, user: User, address: str) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(answer.content.decode().split())


def history(code: ReasonCode) -> str:
    return f"{CODES}{code.pk}/history/"


def test_the_history_of_a_code_says_who_when_how_and_from_which_to_which_value(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    change(tea, cast.carol, label="Green tea", translations={"de": "Grüntee"}, maximum_minutes=15)

    page = text_of(client, cast.carol, history(tea))

    assert "Carol (carol)</span>, by administration" in page
    assert "Label:</span> <del>Tea</del>" in page
    assert "<ins>Green tea</ins>" in page
    assert "Label in German (de):</span> <del>–</del>" in page
    assert "<ins>15 minutes</ins>" in page


def test_the_form_of_the_administration_is_recorded(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    client.force_login(cast.carol)
    form = client.get(f"{CODES}{tea.pk}/change/").context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    sent = {name: value for name, value in shown.items() if value not in (None, False, {}, "{}")}
    answer = client.post(f"{CODES}{tea.pk}/change/", sent | {"label": "Black tea"})
    assert answer.status_code == 302

    page = text_of(client, cast.carol, history(tea))

    assert "Carol (carol)</span>, by administration" in page
    assert "<ins>Black tea</ins>" in page
    assert page.count('<li id="change-') == 2


def test_the_api_is_recorded(client: Client, cast: Cast, tea: ReasonCode, api: API) -> None:
    body = "<ReasonCode><label>Green tea</label></ReasonCode>"
    assert api.request("PUT", f"ReasonCode/{tea.pk}", body, login="dave").status_code == 200

    assert "Dave (dave)</span>, by API" in text_of(client, cast.dave, history(tea))


def test_retiring_many_at_once_is_recorded_as_one_change_of_each(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    juice = new(cast.carol, 8, "Juice", teams=[cast.alice.team])
    client.force_login(cast.carol)
    selected = {"action": "retire", "_selected_action": [tea.pk, juice.pk], "confirmed": "yes"}
    client.post(CODES, selected)

    page = text_of(client, cast.carol, history(tea))

    assert "<strong>Retired</strong>" in page
    assert "with 1 other code" in page


def test_a_team_that_is_deleted_is_recorded_with_its_name_of_then(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    team: Any = cast.alice.team
    client.force_login(cast.dave)
    client.post(f"/admin/users/team/{team.pk}/delete/", {"post": "yes"})

    page = text_of(client, cast.dave, history(tea))

    assert "Dave (dave)</span>, by administration" in page
    assert (
        'Offered to:</span> <del>Chat</del> <span class="arrow">→</span> <ins>nobody</ins>' in page
    )


def test_people_whom_the_reader_may_not_see_have_no_name(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    change(tea, cast.dave, label="Green tea")

    page = text_of(client, cast.carol, history(tea))

    assert "another user</span>, by administration" in page
    assert "Dave" not in page
    assert "dave" not in page


def test_other_teams_have_no_name(client: Client, cast: Cast, tea: ReasonCode, night: Team) -> None:
    change(tea, cast.dave, teams=[cast.alice.team, night])

    for address in (history(tea), RECORD):
        page = text_of(client, cast.carol, address)
        assert "<ins>Chat, other teams</ins>" in page
        assert "Night" not in page


def test_what_a_code_became_once_it_went_to_another_team_is_not_told(
    client: Client, cast: Cast, tea: ReasonCode, night: Team, eve: User
) -> None:
    change(tea, cast.dave, label="Secret", teams=[night])
    change(tea, eve, label="Very secret")

    for address in (history(tea), RECORD, f"{RECORD}export.csv"):
        client.force_login(cast.carol)
        answer = client.get(address)
        page = b"".join(answer).decode() if answer.streaming else answer.content.decode()
        assert "Taken from your teams" in page
        assert "ecret" not in page
        assert "Night" not in page


def test_what_a_code_was_before_it_came_from_another_team_is_not_told(
    client: Client, cast: Cast, tea: ReasonCode, night: Team, eve: User
) -> None:
    change(tea, cast.dave, label="Moon tea", teams=[night])

    page = text_of(client, eve, history(tea))

    assert "Given to your teams" in page
    assert "Moon tea" in page
    assert "Chat" not in page
    assert "<del>Tea</del>" not in page


@pytest.mark.parametrize("word", ["Secret", "dave", "Dave", "12"])
def test_no_search_finds_what_is_not_shown(
    client: Client, cast: Cast, tea: ReasonCode, night: Team, word: str
) -> None:
    change(tea, cast.dave, label="Secret", code=12, teams=[night])

    assert "No change is found" in text_of(client, cast.carol, f"{RECORD}?q={word}")


@pytest.mark.parametrize(
    "lookup",
    [
        "history_user_id__startswith=d",
        "label__startswith=S",
        "team_names__has_key=1",
        "team_names__contains=1",
        "code__gt=3",
    ],
)
def test_the_address_answers_no_other_questions(
    client: Client, cast: Cast, tea: ReasonCode, lookup: str
) -> None:
    client.force_login(cast.carol)

    for address in (RECORD, f"{RECORD}export.csv"):
        assert client.get(f"{address}?{lookup}").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=tea", ["Tea"]),
        ("q=7", ["Tea"]),
        ("q=carol", ["Juice", "Tea"]),
        ("q=carol+juice", ["Juice"]),
        ("q=nobody", []),
        ("way__exact=admin", ["Juice", "Tea"]),
        ("way__exact=api", []),
        ("category__exact=LOGOUT", []),
        ("history_date__gte=2020-01-01+00:00:00Z", ["Juice", "Tea"]),
        ("history_date__lt=2020-01-01+00:00:00Z", []),
    ],
)
def test_the_record_is_searched_and_filtered(
    client: Client, cast: Cast, tea: ReasonCode, query: str, found: list[str]
) -> None:
    new(cast.carol, 8, "Juice", teams=[cast.alice.team])

    page = text_of(client, cast.carol, f"{RECORD}?{query}")

    assert [label for label in ("Juice", "Tea") if f"“{label}”" in page] == found


def test_a_code_is_found_by_the_label_that_it_lost(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    change(tea, cast.carol, label="Coffee")

    assert "“Coffee”" in text_of(client, cast.carol, f"{RECORD}?q=tea")


def test_a_deleted_code_is_shown_and_comes_back_with_its_id(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    pk = tea.pk
    client.force_login(cast.carol)
    assert client.post(f"{CODES}{pk}/delete/", {"post": "yes"}).status_code == 302
    assert "<strong>Deleted</strong>" in text_of(client, cast.carol, RECORD)

    page = text_of(client, cast.carol, f"{CODES}{pk}/history/")
    assert "Bring it back" in page
    last = Version.objects.filter(id=pk).latest("history_id")
    client.post(f"{CODES}{pk}/history/{last.pk}/")

    again = ReasonCode.objects.get(pk=pk)
    assert (again.label, list(again.teams.all())) == ("Tea", [cast.alice.team])


def test_one_goes_back_by_one_click(client: Client, cast: Cast, tea: ReasonCode) -> None:
    first = Version.objects.get(id=tea.pk)
    change(tea, cast.carol, label="Green tea")
    client.force_login(cast.carol)

    answer = client.post(f"{history(tea)}{first.pk}/", follow=True)

    tea.refresh_from_db()
    assert tea.label == "Tea"
    assert "is again as it was" in answer.content.decode()
    assert ", by undo" in answer.content.decode()


def test_going_back_asks_before_it_takes_a_code_from_agents(
    client: Client, cast: Cast, tea: ReasonCode
) -> None:
    retired = change(tea, cast.carol, retired=True)
    change(tea, cast.carol, retired=False)
    client.force_login(cast.carol)

    asked = client.post(f"{history(tea)}{retired.pk}/")
    tea.refresh_from_db()
    assert (asked.status_code, tea.retired) == (200, False)
    assert "will no longer be offered it" in asked.content.decode()

    client.post(f"{history(tea)}{retired.pk}/", {"confirmed": "yes"})
    tea.refresh_from_db()
    assert tea.retired


def test_a_link_to_going_back_changes_nothing(client: Client, cast: Cast, tea: ReasonCode) -> None:
    first = Version.objects.get(id=tea.pk)
    change(tea, cast.carol, label="Green tea")

    page = text_of(client, cast.carol, f"{history(tea)}{first.pk}/")

    tea.refresh_from_db()
    assert "This will change:" in page
    assert tea.label == "Green tea"


def test_a_refusal_says_why(client: Client, cast: Cast, tea: ReasonCode) -> None:
    first = Version.objects.get(id=tea.pk)
    change(tea, cast.carol, code=9)
    new(cast.carol, 7, "Juice", teams=[cast.alice.team])
    client.force_login(cast.carol)

    answer = client.post(f"{history(tea)}{first.pk}/", follow=True)

    assert "Another reason code has the code of then now: Not ready 7 “Juice”" in (
        answer.content.decode()
    )


def table_of(client: Client, user: User, kind: str, query: str = "") -> list[list[Any]]:
    client.force_login(user)
    answer = client.get(f"{RECORD}export.{kind}{query}")
    assert answer.status_code == 200
    content = b"".join(answer)  # type: ignore[arg-type]
    if kind == "csv":
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    sheet: Any = load_workbook(io.BytesIO(content)).active
    return [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_export_has_a_row_for_each_value_that_was_changed(
    client: Client, cast: Cast, tea: ReasonCode, kind: str
) -> None:
    change(tea, cast.carol, label="Green tea", code=9)

    head, *rows = table_of(client, cast.carol, kind)

    assert head[:4] == ["Time", "Who", "By way of", "What"]
    wanted = ["Carol (carol)", "administration", "Changed", "Not ready", "9", "Green tea"]
    assert [row[1:10] for row in rows[:2]] == [
        [*wanted, "Label", "Tea", "Green tea"],
        [*wanted, "Code", "7", "9"],
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_export_has_what_the_list_finds(
    client: Client, cast: Cast, tea: ReasonCode, kind: str
) -> None:
    new(cast.carol, 8, "Juice", teams=[cast.alice.team])

    rows = table_of(client, cast.carol, kind, "?q=juice")[1:]

    assert {row[6] for row in rows} == {"Juice"}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)"])
def test_no_cell_of_an_export_is_a_formula(
    client: Client, cast: Cast, label: str, kind: str
) -> None:
    new(cast.carol, 8, label, teams=[cast.alice.team])

    cells = [cell for row in table_of(client, cast.carol, kind) for cell in row]

    assert f"'{label}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_an_export_of_another_kind_does_not_exist(client: Client, cast: Cast) -> None:
    client.force_login(cast.carol)

    assert client.get(f"{RECORD}export.pdf").status_code == 404


@pytest.fixture
def of_night(night: Team, cast: Cast) -> ReasonCode:
    return new(cast.dave, 70, "Moon", teams=[night])


@pytest.mark.parametrize(
    ("login_id", "statuses"),
    [
        ("dave", (200, 200, 200, 200, 302)),
        ("carol", (200, 200, 200, 404, 404)),
        ("eve", (200, 200, 404, 200, 302)),
        # Agents have no access to the administration: they are asked to sign in as somebody else.
        ("alice", (302, 302, 302, 302, 302)),
    ],
)
def test_who_gets_which_page(
    client: Client,
    tea: ReasonCode,
    of_night: ReasonCode,
    login_id: str,
    statuses: tuple[int, ...],
) -> None:
    client.force_login(User.objects.get(pk=login_id))
    moon = Version.objects.get(id=of_night.pk)
    addresses = (
        RECORD,
        f"{RECORD}export.csv",
        history(tea),
        history(of_night),
        f"{RECORD}{moon.pk}/change/",
    )

    answers = [client.get(address) for address in addresses]
    for answer in answers:
        answer.close()
    assert tuple(answer.status_code for answer in answers) == statuses


@pytest.mark.parametrize(
    ("login_id", "status", "label"),
    [
        ("dave", 302, "Tea"),
        ("carol", 302, "Tea"),
        ("eve", 404, "Green tea"),
        ("alice", 302, "Green tea"),
    ],
)
def test_who_may_go_back(
    client: Client, cast: Cast, tea: ReasonCode, eve: User, login_id: str, status: int, label: str
) -> None:
    first = Version.objects.get(id=tea.pk)
    change(tea, cast.carol, label="Green tea")
    client.force_login(User.objects.get(pk=login_id))

    answer = client.post(f"{history(tea)}{first.pk}/")

    tea.refresh_from_db()
    assert (answer.status_code, tea.label) == (status, label)


def test_a_supervisor_who_may_only_read_a_code_is_offered_no_way_back(
    client: Client, cast: Cast, tea: ReasonCode, night: Team
) -> None:
    first = Version.objects.get(id=tea.pk)
    change(tea, cast.dave, teams=[cast.alice.team, night])

    assert "Go back to this" not in text_of(client, cast.carol, history(tea))
    assert client.post(f"{history(tea)}{first.pk}/").status_code == 403


@pytest.mark.parametrize("address", ["0", "007", "9999999999999999999999", "x", "1_0"])
def test_the_history_of_no_code_does_not_exist(client: Client, cast: Cast, address: str) -> None:
    client.force_login(cast.dave)

    assert client.get(f"{CODES}{address}/history/").status_code == 404


def test_the_record_takes_the_same_number_of_queries_for_any_number_of_changes(
    client: Client, cast: Cast, tea: ReasonCode, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        change(tea, cast.carol, description=f"Number {number}")
    client.force_login(cast.carol)

    with django_assert_max_num_queries(14):
        client.get(RECORD)
