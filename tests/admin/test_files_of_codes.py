"""Supervisors import and export reason codes: of their own teams; administrators: of all."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from finesse.files.limits import FILE_BYTES
from finesse.files.plan import Outcome
from finesse.users.models import Team, User
from media.reason_codes.files.pages import ReasonCodeFiles
from reasoncodes.history import Version
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast
from tests.kit import import_pages
from tests.kit.import_pages import kept_in, outcomes, said, signed_in

pytestmark = pytest.mark.usefixtures("cast", "own_layer")
IMPORT = "/admin/reasoncodes/reasoncode/import/"
HEAD = "category,code,label,offered to\n"


def upload(
    login_id: str, content: bytes | str, name: str = "codes.csv", **fields: Any
) -> tuple[Client, Any]:
    return import_pages.upload(IMPORT, login_id, content, name, **fields)


def confirm(client: Client, page: Any) -> Any:
    return import_pages.confirm(IMPORT, client, page, follow=True)


def export(login_id: str, extension: str) -> bytes:
    answer = signed_in(login_id).get(
        reverse("admin:reasoncodes_reasoncode_export_file", args=[extension])
    )
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    return answer.content


def test_a_supervisor_imports_codes_that_agents_can_choose_at_once(api: API) -> None:
    file = f"{HEAD}Not ready,21,Training,Chat\nnot_ready,22,Tea,\n"
    _, page = upload("carol", file)
    assert "Whom is it offered to?" in said(page)
    client, page = upload("carol", file, teams=[Team.objects.get(name="Chat").pk])
    assert outcomes(page) == {"new": 2}
    assert not ReasonCode.objects.filter(label="Tea").exists(), "a check changes nothing"
    done = confirm(client, page)
    assert done.status_code == 200
    assert "Imported: 2 reason codes" in said(done)
    for label in ("Training", "Tea"):
        code = ReasonCode.objects.get(label=label)
        assert (code.for_all, code.retired) == (False, False)
        assert list(code.teams.values_list("name", flat=True)) == ["Chat"]
    api.put(LOGIN)
    assert api.state("NOT_READY", ReasonCode.objects.get(label="Tea").pk).status_code == 202


def test_an_import_is_one_change_in_the_history_and_is_undone_as_a_whole(
    codes: dict[str, ReasonCode],
) -> None:
    file = f"{HEAD}Not ready,3,Coaching and more,Chat\nNot ready,21,Training,Chat\n"
    client, page = upload("carol", file)
    assert outcomes(page) == {"new": 1, "changed": 1}
    done = confirm(client, page)
    versions = Version.objects.filter(way="import")
    assert len({version.change for version in versions}) == 1
    assert {version.history_user_id for version in versions} == {"carol"}
    assert {version.history_type for version in versions} == {"+", "~"}
    chat = {str(Team.objects.get(name="Chat").pk): "Chat"}
    assert all(version.team_names == chat for version in versions)
    assert "Undo this import" in said(done)

    change = versions[0].change
    undo = reverse("admin:reasoncodes_reasoncode_undo_import", args=[change])
    assert signed_in("alice").post(undo).status_code == 302
    undone = client.post(undo)
    assert "The import is undone" in said(undone)
    assert not ReasonCode.objects.filter(label="Training").exists()
    codes["Coaching"].refresh_from_db()
    assert codes["Coaching"].label == "Coaching"


def test_an_undo_that_cannot_be_whole_is_none(
    codes: dict[str, ReasonCode],
) -> None:
    file = f"{HEAD}Not ready,3,Coaching and more,Chat\nNot ready,21,Training,Chat\n"
    client, page = upload("carol", file)
    confirm(client, page)
    coaching = codes["Coaching"]
    coaching.refresh_from_db()
    coaching.label = "Something else"
    coaching.save()
    change = Version.objects.filter(way="import")[0].change
    undone = client.post(reverse("admin:reasoncodes_reasoncode_undo_import", args=[change]))
    assert "Nothing was undone" in said(undone)
    assert ReasonCode.objects.filter(label="Training").exists()


def test_an_import_of_which_a_part_is_not_ones_own_any_more_is_not_undone(
    codes: dict[str, ReasonCode],
) -> None:
    client, page = upload("carol", f"{HEAD}Not ready,21,Training,Chat\n")
    confirm(client, page)
    User.objects.get(pk="carol").supervised_teams.set([Team.objects.get(name="Back office")])
    change = Version.objects.filter(way="import")[0].change
    undone = client.post(reverse("admin:reasoncodes_reasoncode_undo_import", args=[change]))
    assert "1 of its reason codes is not your teams’ any more" in said(undone)
    assert "Everything is as it was" not in said(undone)
    assert ReasonCode.objects.filter(label="Training").exists()


def test_a_row_of_a_retired_code_does_not_take_over_another_that_has_its_number(
    codes: dict[str, ReasonCode],
) -> None:
    head = HEAD.replace("\n", ",retired\n")
    file = f"{head}Not ready,3,Old name,Chat,yes\nNot ready,3,Coaching,Chat,no\n"
    _, page = upload("carol", file)
    assert outcomes(page) == {"left out": 1, "unchanged": 1}
    codes["Coaching"].refresh_from_db()
    assert (codes["Coaching"].label, codes["Coaching"].retired) == ("Coaching", False)


def test_what_has_changed_since_the_check_is_told_and_nothing_is_imported(
    codes: dict[str, ReasonCode],
) -> None:
    file = f"{HEAD}Not ready,21,Training,Chat\nNot ready,22,Tea,Chat\n"
    client, page = upload("carol", file)
    ReasonCode.objects.create(category="NOT_READY", code=22, label="Filing cabinet")
    answer = confirm(client, page)
    text = said(answer)
    assert "Nothing was imported: something has changed" in text
    assert "Row 3" in text
    assert "was new, and is refused now" in text
    assert not ReasonCode.objects.filter(label="Training").exists()


def test_a_second_click_imports_nothing_twice() -> None:
    client, page = upload("carol", f"{HEAD}Not ready,21,Training,Chat\n")
    confirm(client, page)
    again = confirm(client, page)
    assert "was new, and is unchanged now" in said(again)
    assert ReasonCode.objects.filter(label="Training").count() == 1


@pytest.mark.parametrize("kept", ["", "x", "a:b:c", "é" * 100])
def test_a_check_that_was_not_made_here_is_refused(kept: str) -> None:
    answer = signed_in("carol").post(IMPORT, {"kept": kept})
    assert "Upload the file again" in said(answer)


def test_somebody_elses_check_is_refused() -> None:
    _, page = upload("dave", f"{HEAD}Not ready,21,Training,everybody\n")
    answer = signed_in("carol").post(IMPORT, {"kept": kept_in(page)})
    assert "made by somebody else" in said(answer)
    assert not ReasonCode.objects.filter(label="Training").exists()


REFUSED = {
    "a code that is a text": ("Not ready,twelve,Tea,Chat", "“twelve” is no whole number"),
    "a code with leading zeros": ("Not ready,012,Tea,Chat", "“012” is no whole number"),
    "code 0": ("Not ready,0,Tea,Chat", "greater than or equal to 1"),
    "a code above the range": ("Not ready,70000,Tea,Chat", "less than or equal to 65535"),
    "a code of 4,300 digits": (f"Not ready,{'9' * 1900},Tea,Chat", "is no whole number"),
    "no code": ("Not ready,,Tea,Chat", "It is empty. Write a number"),
    "no label": ("Not ready,21,,Chat", "cannot be blank"),
    "a long label": (f"Not ready,21,{'x' * 41},Chat", "at most 40 characters"),
    "an invisible character": ("Not ready,21,Te\u202ea,Chat", "U+202E"),
    "another category": ("Busy,21,Tea,Chat", "“Busy” is not known. Write “Not ready” or"),
    "no category": (",21,Tea,Chat", "Write “Not ready” or “Sign out”"),
    "a team of others": ("Not ready,21,Tea,Back office", "“Back office” is none of your teams"),
    "a team that does not exist": ("Not ready,21,Tea,Chatt", "“Chatt” is none of your teams"),
    "a quotation mark that is open": ('Not ready,21,Tea,"""Chat"', "not closed"),
    "a global code": ("Not ready,21,Tea,everybody", "Global codes are an administrator’s"),
    "nobody": ("Not ready,21,Tea,nobody", "you could not find it again"),
    "a system code": ("Not ready,999,Tea,Chat", "999 is reserved by the system"),
    "a label of the system": ("Not ready,21,Not Ready - Offhook,Chat", "reserved by the system"),
    "another team's code": ("Not ready,4,Tea,Chat", "A reason code of another team has this code"),
    "another team's label": ("Not ready,21,FILING,Chat", "another team has this label"),
    "a global code's label": ("Not ready,21,lunch,Chat", "“Lunch” has this label, too"),
    "a change of a global code": ("Not ready,1,Dinner,everybody", "It is a global code"),
    "more cells than columns": ("Not ready,21,Tea,Chat,and more", "more cells"),
}


@pytest.mark.parametrize(("row", "reason"), REFUSED.values(), ids=REFUSED)
@pytest.mark.usefixtures("codes")
def test_a_row_is_refused_with_its_reason_and_nothing_is_imported(row: str, reason: str) -> None:
    before = ReasonCode.objects.count()
    _, page = upload("carol", f"{HEAD}Not ready,31,Fine,Chat\n{row}\n")
    assert outcomes(page) == {"refused": 1, "new": 1}
    (refused,) = page.context["groups"][0]["rows"]
    assert refused.number == 3
    assert reason in " ".join(problem.text for problem in refused.problems)
    assert "until the refused row is mended" in said(page)
    assert not kept_in(page)
    assert ReasonCode.objects.count() == before


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("Not ready,21,Tea,Chat\nNot ready,21,Milk,Chat", "Row 2 is about the same code"),
        ("Not ready,21,Tea,Chat\nNot ready,22,TEA,Chat", "has this label, too"),
    ],
)
def test_duplicates_within_a_file_name_each_other(rows: str, reason: str) -> None:
    _, page = upload("carol", f"{HEAD}{rows}\n")
    assert outcomes(page) == {"refused": 1, "new": 1}
    assert reason in said(page)


@pytest.mark.parametrize(
    "category", ["NOT_READY", "not ready", "Not Ready", "not-ready", "NotReady"]
)
def test_a_category_may_be_in_another_case(category: str) -> None:
    _, page = upload("carol", f"{HEAD}{category},21,Tea,Chat\n")
    assert outcomes(page) == {"new": 1}


def test_codes_of_one_file_may_swap_labels(codes: dict[str, ReasonCode]) -> None:
    file = f"{HEAD}Not ready,3,Filing,Chat\nNot ready,4,Coaching,Back office\n"
    client, page = upload("dave", file)
    assert outcomes(page) == {"changed": 2}
    confirm(client, page)
    labels = dict(ReasonCode.objects.filter(code__in=(3, 4)).values_list("code", "label"))
    assert (labels[3], labels[4]) == ("Filing", "Coaching")


def test_limits_count_the_codes_of_the_file(codes: dict[str, ReasonCode], settings: Any) -> None:
    settings.FINESSE_MAX_TEAM_REASON_CODES = 4
    file = HEAD + "".join(f"Not ready,{20 + n},Code {n},Chat\n" for n in range(3))
    _, page = upload("carol", file)
    assert outcomes(page) == {"refused": 1, "new": 2}
    assert "has 4 team reason codes already. Retire one of them first" in said(page)


def test_retiring_makes_room_for_a_new_one(codes: dict[str, ReasonCode], settings: Any) -> None:
    settings.FINESSE_MAX_TEAM_REASON_CODES = 2
    rows = "Not ready,50,New,Chat,no\nNot ready,3,Coaching,,yes\n"
    file = f"category,code,label,offered to,retired\n{rows}"
    client, page = upload("carol", file)
    assert outcomes(page) == {"new": 1, "changed": 1}
    confirm(client, page)
    assert ReasonCode.objects.get(code=3, category="NOT_READY").retired


def test_a_retired_code_is_brought_back_as_itself(codes: dict[str, ReasonCode]) -> None:
    coaching = codes["Coaching"]
    coaching.retired = True
    coaching.save()
    client, page = upload("carol", f"{HEAD}Not ready,3,Coaching,Chat\n")
    assert outcomes(page) == {"changed": 1}
    assert "brought back" in said(page)
    confirm(client, page)
    coaching.refresh_from_db()
    assert not coaching.retired


def test_columns_that_a_file_does_not_have_stay_as_they_are(codes: dict[str, ReasonCode]) -> None:
    coaching = codes["Coaching"]
    coaching.description, coaching.translations = "With Dana", {"de": "Anleitung"}
    coaching.save()
    client, page = upload("carol", "code,category,label\n3,Not ready,Coaching 2\n")
    assert outcomes(page) == {"changed": 1}
    confirm(client, page)
    coaching.refresh_from_db()
    assert coaching.label == "Coaching 2"
    assert (coaching.description, coaching.translations) == ("With Dana", {"de": "Anleitung"})
    assert coaching.teams.count() == 1


def test_all_columns_are_read(codes: dict[str, ReasonCode]) -> None:
    head = (
        "Category;Code;LABEL;Offered_To;retired;description;colour;place in the list;productive;"
        "maximum minutes;warning-minutes;label de;label PT-br"
    )
    row = 'Not ready;21;Training;Chat;no;Courses;teal;2;yes;60;10;Schulung;"Treinamento"'
    client, page = upload("carol", f"{head}\n{row}\n")
    assert outcomes(page) == {"new": 1}, said(page)
    confirm(client, page)
    code = ReasonCode.objects.get(label="Training")
    assert code.description == "Courses"
    assert code.colour == "#17887f"
    assert (code.place, code.productive, code.maximum_minutes, code.warning_minutes) == (
        2,
        True,
        60,
        10,
    )
    assert code.translations == {"de": "Schulung", "pt-BR": "Treinamento"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("colour", "#ffffff", "too light"),
        ("colour", "pinkish", "is no colour"),
        ("place in the list", "1000", "less than or equal to 999"),
        ("productive", "perhaps", "neither yes nor no"),
        ("retired", "2", "neither yes nor no"),
        ("maximum minutes", "1.5", "is no whole number"),
        ("warning minutes", "5", "needs a maximum time"),
        ("label de", "x" * 41, "at most"),
        ("description", "x" * 256, "at most 255"),
    ],
)
def test_a_value_is_refused_as_in_the_form(column: str, value: str, reason: str) -> None:
    _, page = upload(
        "carol", f"category,code,label,offered to,{column}\nNot ready,21,Tea,Chat,{value}\n"
    )
    assert outcomes(page) == {"refused": 1}
    assert reason in said(page)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("Not ready,21,Tea,Chat,pause\n", "for it and for Not ready 1 “Lunch”"),
        ("Not ready,21,Pause,Chat,\n", "for it and for Not ready 1 “Lunch”"),
        ("Not ready,21,Tea,Chat,Tee\nNot ready,22,Brew,Chat,TEE\n", "“Tea”"),
    ],
)
def test_a_label_that_another_code_has_in_one_language_is_refused(
    rows: str, told: str, codes: dict[str, ReasonCode]
) -> None:
    ReasonCode.objects.filter(label="Lunch").update(translations={"de": "Pause"})
    _, page = upload("carol", f"category,code,label,offered to,label de\n{rows}")
    assert outcomes(page)["refused"] == 1
    assert "In German agents would read" in said(page)
    assert told in said(page)
    assert not kept_in(page)


def test_codes_of_one_file_may_swap_their_labels_in_one_language(
    codes: dict[str, ReasonCode],
) -> None:
    new = {"category": "NOT_READY", "for_all": False}
    ReasonCode.objects.create(code=21, label="Tea", translations={"de": "Tee"}, **new)
    ReasonCode.objects.create(code=22, label="Brew", translations={"de": "Sud"}, **new)
    for code in ReasonCode.objects.filter(code__in=(21, 22)):
        code.teams.add(Team.objects.get(name="Chat"))
    file = "category,code,label,label de\nNot ready,21,Tea,Sud\nNot ready,22,Brew,Tee\n"
    client, page = upload("carol", file)
    assert outcomes(page) == {"changed": 2}, said(page)
    confirm(client, page)
    assert ReasonCode.objects.get(label="Tea").translations == {"de": "Sud"}


FINESSE = """<?xml version="1.0" encoding="UTF-8"?>
<ReasonCodes category="ALL">
  <ReasonCode><uri>/finesse/api/ReasonCode/12</uri><category>NOT_READY</category><code>31</code>
    <label>Ärztin &amp; Co</label><forAll>true</forAll><systemCode>false</systemCode></ReasonCode>
  <ReasonCode><category>LOGOUT</category><code>32</code><label>Home</label><forAll>false</forAll>
    </ReasonCode>
  <ReasonCode><category>NOT_READY</category><code>999</code><label>Supervisor initiated</label>
    <forAll>true</forAll><systemCode>true</systemCode></ReasonCode>
</ReasonCodes>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_list_of_a_finesse_server_moves_over_in_one_step(encoding: str) -> None:
    declared = FINESSE.replace("UTF-8", "windows-1252") if encoding == "cp1252" else FINESSE
    content = declared.encode(encoding)
    _, page = upload("dave", content, "ReasonCodes.xml")
    assert outcomes(page) == {"refused": 1, "new": 1, "left out": 1}
    assert "choose the teams for all such rows" in said(page)
    chat = Team.objects.get(name="Chat")
    client, page = upload("dave", content, "ReasonCodes.xml", teams=[chat.pk])
    assert outcomes(page) == {"new": 2, "left out": 1}
    assert "the system’s own" in said(page)
    confirm(client, page)
    assert ReasonCode.objects.get(label="Ärztin & Co").for_all
    assert list(ReasonCode.objects.get(label="Home").teams.all()) == [chat]


WHOLE_FILES = {
    "empty": (b"", "The file is empty"),
    "blank lines alone": (b"\n \n;;\n", "The file is empty"),
    "the head alone": (b"category,code,label\n", "no rows below"),
    "a missing column": (b"category,label\nNot ready,Tea\n", "The column “code” is missing"),
    "missing columns": (b"code,x\n1,2\n", "The columns “category”, “label” are missing"),
    "a column twice": (b"category,code,label,Label\nNot ready,1,a,b\n", "“label” is there twice"),
    "an open quotation mark": (b'category,code,label\nNot ready,1,"a\n', "quotation mark"),
    "a DTD": (b'<!DOCTYPE a [<!ENTITY b "c">]><ReasonCodes>&b;</ReasonCodes>', "DTD or entities"),
    "broken XML": (b"<ReasonCodes><ReasonCode></ReasonCodes>", "not well-formed"),
    "other XML": (b"<Users><User>a</User></Users>", "no list of reason codes"),
    "an empty list": (b"<ReasonCodes/>", "This list of reason codes is empty"),
    "a text for a code": (b"<ReasonCodes><ReasonCode>a</ReasonCode></ReasonCodes>", "no list of"),
    "an old Excel file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as XLSX"),
    "a PDF": (b"%PDF-1.7", "This is a PDF"),
    "a broken ZIP": (b"PK\x03\x04 and no more", "damaged"),
    "bytes": (bytes(range(256)), "not a text"),
    "too many rows": (
        b"category,code,label\n" + b"a,1,a\n" * 5_001,
        "more than 5,000 rows",
    ),
    "too many empty rows": (b"category,code,label\n" + b"\n" * 6_000 + b"a,b,c", "5,000 rows"),
    "a long cell": (b"category,code,label\nNot ready,1," + b"a" * 2_001, "2,000 characters"),
    "too large": (b"category,code,label\n" + b"a" * FILE_BYTES, "too large: 2 MB"),
    "many columns": (b"category,code,label" + b",x" * 100 + b"\n1,2,3\n", "60 are the most"),
}


@pytest.mark.parametrize(("content", "reason"), WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    _, page = upload("carol", content)
    assert page.status_code == 200
    assert reason in said(page)
    assert not kept_in(page)


def test_no_file_at_all_is_told() -> None:
    assert "Choose a file first" in said(signed_in("carol").post(IMPORT, {}))


def test_unknown_columns_are_named_with_what_they_may_be() -> None:
    _, page = upload("carol", "category,code,label,ofered to,cost\nNot ready,21,Tea,Chat,7\n")
    assert "The column “ofered to” is not known, and is left out. Is it “offered to”?" in said(page)
    assert "The column “cost” is not known, and is left out." in said(page)


ROWS = {
    "alice": None,
    "carol": {"Lunch", "Coaching", "End of shift"},
    "dave": {"Lunch", "Coaching", "Filing", "End of shift"},
}


@pytest.mark.parametrize(("login_id", "labels"), ROWS.items(), ids=ROWS)
@pytest.mark.parametrize("extension", ["csv", "xlsx", "xml"])
def test_an_export_has_exactly_what_its_user_may_see(
    login_id: str, labels: set[str] | None, extension: str, codes: dict[str, ReasonCode]
) -> None:
    if labels is None:
        address = reverse("admin:reasoncodes_reasoncode_export_file", args=[extension])
        assert signed_in(login_id).get(address).status_code == 302
        return
    content = export(login_id, extension)
    if extension == "xlsx":
        sheet = load_workbook(io.BytesIO(content)).active
        text = " ".join(str(cell.value) for row in sheet.rows for cell in row)
    else:
        text = content.decode()
    assert {label for label in codes if label in text} == labels
    assert ("Back office" in text) == (login_id == "dave" and extension != "xml")


@pytest.mark.parametrize("login_id", ["carol", "dave"])
@pytest.mark.parametrize("extension", ["csv", "xlsx", "xml"])
def test_an_export_that_is_imported_changes_nothing(
    login_id: str, extension: str, codes: dict[str, ReasonCode]
) -> None:
    coaching, lunch = codes["Coaching"], codes["Lunch"]
    coaching.teams.add(Team.objects.get(name="Back office"))
    lunch.teams.add(Team.objects.get(name="Chat"))
    ReasonCode.objects.create(
        category="NOT_READY", code=8, label="Nobody's", for_all=False, retired=True
    )
    ReasonCode.objects.create(
        category="NOT_READY", code=1, label="Lunch", for_all=True, retired=True
    )
    _, page = upload(login_id, export(login_id, extension), f"codes.{extension}")
    assert outcomes(page).keys() <= {"unchanged", "left out"}, said(page)
    assert outcomes(page)["left out"] == 25, "the system's own"
    assert "Nothing to import" in said(page)


TEXTS = st.text(
    st.one_of(
        st.sampled_from("=+-@'\t;,\"\u00e4 A1|!"),
        st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(label=TEXTS, description=TEXTS, german=TEXTS, team=TEXTS)
def test_any_texts_come_back_from_a_file_as_they_were(
    label: str, description: str, german: str, team: str
) -> None:
    try:
        with transaction.atomic():
            ReasonCode.objects.filter(code=77).delete()
            Team.objects.exclude(name__in=("Chat", "Back office")).delete()
            own = Team(name=team.strip())
            own.full_clean()
            own.save()
            code = ReasonCode(
                category="NOT_READY",
                code=77,
                label=label.strip(),
                for_all=False,
                description=description.strip(),
                translations={"de": german.strip()},
            )
            code.full_clean()
            code.save()
            code.teams.add(own)
    except ValidationError:
        return
    files, dave = ReasonCodeFiles(), User.objects.get(pk="dave")
    for extension in ("csv", "xlsx"):
        table = files.read(files.export(dave, extension), dave)
        plan = files.plan(table, dave, {"teams": []})
        assert {row.outcome for row in plan.rows} <= {Outcome.UNCHANGED, Outcome.LEFT_OUT}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_no_exported_text_is_a_formula(start: str, extension: str) -> None:
    label = f"{start}cmd|' /C calc'!A0"
    ReasonCode.objects.create(category="NOT_READY", code=9, label=label)
    content = export("dave", extension)
    if extension == "csv":
        assert f",'{label}" in content.decode().replace('"', "")
    else:
        cells = [cell for row in load_workbook(io.BytesIO(content)).active.rows for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
        assert f"'{label}" in {cell.value for cell in cells}


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (40 * 1024 * 1024))
    assert len(bomb.getvalue()) < 100_000
    _, page = upload("carol", bomb.getvalue(), "bomb.xlsx")
    assert "unpacks to more than 30 MB" in said(page)


def test_a_sheet_of_a_million_empty_rows_is_refused() -> None:
    book = Workbook()
    book.active.append(["category", "code", "label"])
    book.active.cell(1_000_000, 1, "Not ready")
    file = io.BytesIO()
    book.save(file)
    _, page = upload("carol", file.getvalue(), "long.xlsx")
    assert "more than 5,000 rows" in said(page)


def test_numbers_and_booleans_of_a_spreadsheet_are_read() -> None:
    book = Workbook()
    book.active.append(["category", "code", "label", "offered to", "retired", "maximum minutes"])
    book.active.append(["Not ready", 21.0, "Tea", "Chat", False, "60"])
    book.active.append([None] * 6)
    book.active.append(["Not ready", "22", 2024, "Chat", None, 30])
    file = io.BytesIO()
    book.save(file)
    client, page = upload("carol", file.getvalue(), "codes.xlsx")
    assert outcomes(page) == {"new": 2}, said(page)
    assert [row.number for row in page.context["groups"][0]["rows"]] == [2, 4]
    confirm(client, page)
    assert ReasonCode.objects.get(label="2024").maximum_minutes == 30


@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_the_template_is_filled_in_and_imported(extension: str) -> None:
    client = signed_in("carol")
    answer = client.get(reverse("admin:reasoncodes_reasoncode_template", args=[extension]))
    if extension == "csv":
        content = answer.content + b"Not ready,21,Tea,Chat\r\n"
    else:
        book = load_workbook(io.BytesIO(answer.content))
        book.worksheets[0].append(["Not ready", 21, "Tea", "Chat"])
        file = io.BytesIO()
        book.save(file)
        content = file.getvalue()
    _, page = upload("carol", content, f"filled.{extension}")
    assert outcomes(page) == {"new": 1}, said(page)


ENCODED = {
    "utf-8": "utf-8",
    "utf-8 with a mark": "utf-8-sig",
    "windows-1252": "cp1252",
    "utf-16 with a mark": "utf-16",
    "utf-16 little": "utf-16-le",
    "utf-16 big": "utf-16-be",
}


@pytest.mark.parametrize("codec", ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_files_of_every_spreadsheet_program_are_read(codec: str, separator: str) -> None:
    lines = [["category", "code", "label", "offered to"], ["Not ready", "21", "Büro „A“", "Chat"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    _, page = upload("carol", text.encode(codec))
    assert outcomes(page) == {"new": 1}, said(page)
    assert "“Büro „A“”" in page.context["groups"][0]["rows"][0].name


@pytest.mark.parametrize(
    "path", ["import/", "export/", "export/csv/", "import/template/csv/", "import/template/xlsx/"]
)
def test_agents_do_not_get_there(path: str) -> None:
    address = f"/admin/reasoncodes/reasoncode/{path}"
    assert signed_in("alice").get(address).status_code == 302
    assert signed_in("carol").get(address).status_code == 200
    assert signed_in("dave").get(address).status_code == 200
    assert Client().get(address).status_code == 302


def test_an_agent_imports_nothing() -> None:
    upload("alice", f"{HEAD}Not ready,21,Tea,Chat\n")
    assert not ReasonCode.objects.filter(label="Tea").exists()


@pytest.mark.parametrize("path", ["export/exe/", "import/template/xml/", "import/template/x/"])
def test_other_formats_are_not_there(path: str) -> None:
    assert signed_in("dave").get(f"/admin/reasoncodes/reasoncode/{path}").status_code == 404


def test_the_result_is_its_users_own(codes: dict[str, ReasonCode]) -> None:
    client, page = upload("dave", f"{HEAD}Not ready,21,Training,Chat\n")
    confirm(client, page)
    change = Version.objects.filter(way="import")[0].change
    address = reverse("admin:reasoncodes_reasoncode_imported", args=[change])
    assert signed_in("carol").get(address).status_code == 403
    assert signed_in("dave").get(address).status_code == 200
    unknown = reverse(
        "admin:reasoncodes_reasoncode_imported", args=["00000000-0000-0000-0000-000000000000"]
    )
    assert signed_in("dave").get(unknown).status_code == 404


def test_what_agents_show_is_published(
    api: API, codes: dict[str, ReasonCode], settle: Callable[[], Any]
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Coaching"].pk)
    settle()
    client, page = upload("carol", f"{HEAD}Not ready,3,Coaching and more,Chat\n")
    confirm(client, page)
    published = settle()
    assert {one.source for one in published} == {
        "/finesse/api/User/alice/Media/5001",
        f"/finesse/api/ReasonCode/{codes['Coaching'].pk}",
    }
    assert all("Coaching and more" in one.update for one in published)


def test_the_lists_have_buttons() -> None:
    page = signed_in("carol").get("/admin/reasoncodes/reasoncode/").content.decode()
    assert 'href="/admin/reasoncodes/reasoncode/import/"' in page
    assert 'href="/admin/reasoncodes/reasoncode/export/"' in page


def test_a_large_check_stays_a_page(cast: Cast, settings: Any) -> None:
    settings.FINESSE_MAX_TEAM_REASON_CODES = 5_000
    file = HEAD + "".join(f"Not ready,{3000 + n},Code {n},Chat\n" for n in range(1_000))
    client, page = upload("carol", file)
    assert outcomes(page) == {"new": 1_000}
    assert "And 700 more rows" in said(page)
    done = confirm(client, page)
    assert "Imported: 1000 reason codes" in said(done)
    assert ReasonCode.objects.filter(label__startswith="Code ").count() == 1_000
