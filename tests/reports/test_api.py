"""The API of reports: what programs ask and get, what each user may see, files of all of it."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from openpyxl import load_workbook

from finesse.files import long_spreadsheets
from finesse.users.models import Team, User
from media.models import StateInterval
from media.reports import pieces
from media.reports.files import KINDS, response_with
from media.reports.tables import Table
from media.writing.history import correct_past
from reasoncodes.models import ReasonCode
from tests.conftest import Cast, basic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_service")]
NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def day(cast: Cast, codes: dict[str, ReasonCode]) -> None:
    """alice (Chat) from nine to twelve, bob (Back office) from nine to ten."""
    add("alice", 5001, "READY", 0, 1)
    add("alice", 5001, "NOT_READY", 1, 2, codes["Lunch"])
    add("alice", 5001, "LOGOUT", 2, 3)
    add("bob", 5002, "READY", 0, 1)


def add(
    login_id: str, mrd: int, state: str, start: int, end: int, code: ReasonCode | None = None
) -> StateInterval:
    return StateInterval.objects.create(
        login_id=login_id,
        mrd_id=mrd,
        state=state,
        reason_code=code,
        code=code.code if code else None,
        label=code.label if code else "",
        started_at=NINE + timedelta(hours=start),
        ended_at=NINE + timedelta(hours=end),
        cause="self",
        actor=login_id,
        note="=1+1",
    )


def get(path: str, user: str = "dave", **query: Any) -> Any:
    query.setdefault("from", "2026-05-04")
    return Client().get(
        f"/finesse-media/api/reports/{path}", query, headers={"Authorization": basic(user)}
    )


def items(path: str, user: str = "dave", **query: Any) -> list[dict[str, Any]]:
    response = get(path, user, **query)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["items"]
    return found


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def test_sums_say_how_long_and_how_often() -> None:
    found = items("sums", by="agent,state,reason")
    lunch = next(one for one in found if one["label"] == "Lunch")
    assert (lunch["agent"], lunch["name"], lunch["code"]) == ("alice", "Alice", 1)
    assert (lunch["seconds"], lunch["stays"], lunch["meanSeconds"]) == (3600, 1, 3600)
    assert [one["state"] for one in found if one["agent"] == "alice"] == [
        "LOGOUT",
        "NOT_READY",
        "READY",
    ]


def test_steps_are_of_the_zone_that_was_asked_for() -> None:
    found = items("sums", by="agent", step="day", zone="Asia/Tokyo", to="2026-05-05", agent="alice")
    assert [one["from"] for one in found] == ["2026-05-04T00:00:00+09:00"]
    assert found[0]["seconds"] == 3 * 3600


@pytest.mark.parametrize(
    ("user", "seen"),
    [("alice", {"alice"}), ("bob", {"bob"}), ("carol", {"alice"}), ("dave", {"alice", "bob"})],
)
@pytest.mark.parametrize("path", ["sums", "stays", "sign-ins"])
def test_users_get_what_they_may_see(path: str, user: str, seen: set[str]) -> None:
    by = {"by": "agent"} if path == "sums" else {}
    assert {one["agent"] for one in items(path, user, **by)} == seen
    assert {one["agent"] for one in items(path, user, **by, agent="alice,bob")} == seen
    rows = json.loads(body(get(path, user, format="json", **by)))
    assert {one["agent"] for one in rows} == seen


def test_sums_without_agents_are_of_what_the_user_may_see() -> None:
    assert sum(one["seconds"] for one in items("sums", "carol")) == 3 * 3600
    assert sum(one["seconds"] for one in items("sums", "bob")) == 3600
    assert sum(one["seconds"] for one in items("sums", "dave")) == 4 * 3600
    back_office = Team.objects.get(name="Back office").pk
    assert items("sums", "carol", team=str(back_office)) == []


def test_time_counts_in_the_team_where_the_agent_was(cast: Cast) -> None:
    cast.alice.team = cast.bob.team
    cast.alice.save()
    add("alice", 5001, "READY", 10**5, 10**5 + 1)
    teams = {one["team"]: one["seconds"] for one in items("sums", by="team")}
    assert teams == {"Chat": 3 * 3600, "Back office": 3600}
    # carol still reports on what alice did in her team, but watches her no more.
    assert {one["agent"] for one in items("stays", "carol")} == {"alice"}


def test_deleted_users_and_teams_stay_in_reports(cast: Cast) -> None:
    cast.alice.delete()
    Team.objects.get(name="Chat").delete()
    found = {one["team"]: one["seconds"] for one in items("sums", by="team")}
    assert found["Chat"] == 3 * 3600


def test_a_correction_is_told_with_the_first_entry(codes: dict[str, ReasonCode]) -> None:
    past = StateInterval.objects.get(state="NOT_READY")
    correct_past(past, codes["Coaching"], actor="carol", note="Was a coaching")
    (stay,) = (one for one in items("stays") if one["state"] == "NOT_READY")
    assert (stay["label"], stay["firstLabel"], stay["corrections"]) == ("Coaching", "Lunch", 1)
    assert (stay["correctedBy"], stay["correctionNote"]) == ("carol", "Was a coaching")
    assert {one["label"] for one in items("sums", by="reason")} == {"", "Coaching"}


@pytest.mark.parametrize("path", ["sums", "stays", "sign-ins"])
def test_pages_follow_one_another_without_a_gap(path: str) -> None:
    by = {"by": "agent,state"} if path == "sums" else {}
    whole = items(path, **by)
    found, query = [], {"limit": "1", **by, "from": "2026-05-04"}
    for _ in whole:
        page = get(path, **query).json()
        found += page["items"]
        if page["next"]:
            query = dict(one.split("=") for one in page["next"][1:].replace("%2C", ",").split("&"))
    assert found == whole
    assert page["next"] is None


def test_pages_are_in_one_order_whatever_language_the_database_sorts_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Most sort "bob" before "Zoe", unlike Python. Here all agents come the other way round."""
    in_sql = pieces.intervals

    def by_another_language(*args: Any) -> Any:
        return sorted(in_sql(*args), key=lambda one: one.login_id, reverse=True)

    monkeypatch.setattr(pieces, "intervals", by_another_language)
    test_pages_follow_one_another_without_a_gap("stays")


def test_sign_ins_are_of_the_day() -> None:
    alice, bob = items("sign-ins")
    assert (alice["agent"], alice["first"], alice["last"], alice["seconds"]) == (
        "alice",
        "2026-05-04T09:00:00+00:00",
        "2026-05-04T11:00:00+00:00",
        7200,
    )
    assert (bob["signIns"], bob["signedInSince"]) == (1, None)


def test_files_have_the_same_columns_and_harmless_texts() -> None:
    rows = json.loads(body(get("stays", format="json")))
    csv = body(get("stays", format="csv")).decode("utf-8-sig").splitlines()
    assert csv[0].split(",") == [*rows[0]]
    assert len(csv) == 1 + len(rows) == 5
    assert "'=1+1" in csv[1]
    book = load_workbook(io.BytesIO(body(get("stays", format="xlsx"))))
    sheet = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert sheet[0] == [*rows[0]]
    assert sheet[1][sheet[0].index("note")] == "'=1+1"
    assert sheet[1][sheet[0].index("seconds")] == 3600


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"from": ""}, "from"),
        ({"from": "tomorrow"}, "from"),
        ({"from": "2026-05-04T08:00"}, "to"),
        ({"from": "2001-01-01", "to": "2099-12-31"}, "400 days"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "from must be from 2000 to 2100"),
        ({"from": "0001-01-01", "zone": "Asia/Tokyo"}, "from must be from 2000"),
        ({"from": "0001-01-01"}, "from must be from 2000"),
        ({"from": "9999-12-31"}, "from must be from 2000"),
        ({"from": "2026-11-01", "to": "9999-12-31T23:30"}, "to must be from 2000"),
        (
            {
                "from": "9999-12-31T23:00",
                "to": "9999-12-31T23:30",
                "zone": "America/New_York",
            },
            "from must be from 2000",
        ),
        ({"to": "2026-05-01"}, "last day"),
        ({"zone": "Mars/Olympus"}, "time zone"),
        ({"zone": "../../etc/passwd"}, "time zone"),
        ({"step": "1m"}, "step"),
        ({"by": "mood"}, "by"),
        ({"team": "a"}, "team"),
        ({"team": "99999999999999999999"}, "team"),
        ({"limit": "0"}, "limit"),
        ({"limit": "0000000019999"}, "limit"),
        ({"limit": "9" * 20}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"after": "x"}, "after"),
        ({"format": "pdf"}, "format"),
        ({"form": "csv"}, "form"),
        ({"agent": "\0"}, "character"),
        ({"step": "15m", "to": "2026-08-01"}, "steps"),
    ],
)
def test_what_is_wrong_is_told(query: dict[str, str], named: str) -> None:
    response = get("sums", **query)
    assert response.status_code == 400, response.content
    assert named in response.json()["error"]


def test_strangers_get_nothing() -> None:
    assert Client().get("/finesse-media/api/reports/sums").status_code == 401
    wrong = Client().get(
        "/finesse-media/api/reports/sums", headers={"Authorization": basic("dave", "wrong")}
    )
    assert wrong.status_code == 401
    assert wrong["WWW-Authenticate"].startswith("Basic")
    assert "error" in wrong.json()


def test_a_browser_gets_files_with_its_session() -> None:
    client = Client()
    client.force_login(User.objects.get(pk="carol"))
    response = client.get(
        "/finesse-media/api/reports/sums", {"from": "2026-05-04", "format": "csv"}
    )
    assert b"Lunch" in body(response)
    assert 'filename="sums.csv"' in response["Content-Disposition"]


def test_the_description_has_what_is_answered() -> None:
    described = Client().get("/finesse-media/api/openapi.json").json()
    for name in ("sums", "stays", "sign-ins"):
        assert f"/finesse-media/api/reports/{name}" in described["paths"]
        schema = described["components"]["schemas"][name]
        for item in items(name):
            assert [*item] == schema["required"]
            for column, value in item.items():
                kinds = schema["properties"][column]["type"]
                kind = {str: "string", int: "integer", float: "number", type(None): "null"}[
                    type(value)
                ]
                allowed = kinds if isinstance(kinds, list) else [kinds]
                assert kind in allowed or (kind == "integer" and "number" in allowed), column


def test_a_million_rows_are_neither_in_memory_nor_asked_for_at_once() -> None:
    """Parts are sent while rows are made: with all of them in memory these would be 40 MB."""
    made = 0

    def rows() -> Iterator[list[str]]:
        nonlocal made
        for made in range(1, 20_001):
            yield [f"{made}".rjust(1000)]

    for kind in KINDS:
        made = 0
        tracemalloc.start()
        try:
            response = response_with(Table(name="t", columns=["a"], rows=rows()), kind, 1.0)
            assert 0 < made < 10_000, kind
            size = sum(len(part) for part in response.streaming_content)  # type: ignore[arg-type]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert made == 20_000
        assert size > 100_000
        assert peak < 10_000_000, kind


def test_rows_that_do_not_fit_into_a_sheet_go_on_in_the_next() -> None:
    texts = ["a<b>&", "\x0bnul\0", " blank ", "=1", "ü" * 40_000]
    rows = [[text, None, number, 0.5] for number, text in enumerate(texts)]
    parts = long_spreadsheets.parts("stays", ["text", "none", "n", "f"], rows, most=3)
    book = load_workbook(io.BytesIO(b"".join(parts)))
    assert book.sheetnames == ["stays", "stays 2", "stays 3"]
    sheets = [[*sheet.iter_rows(values_only=True)] for sheet in book.worksheets]
    assert [len(sheet) for sheet in sheets] == [3, 3, 2]
    assert {sheet[0] for sheet in sheets} == {("text", "none", "n", "f")}
    assert sheets[0][1] == ("a<b>&", None, 0, 0.5)
    assert sheets[0][2][0] == " nul "
    assert sheets[1][1][0] == " blank "
    assert sheets[1][2][0] == "=1"
    assert book.worksheets[1]["A3"].data_type == "s", "no formula"
    assert sheets[2][1][0] == "ü" * 32_767
    assert book.worksheets[0]["A1"].font.bold
    assert book.worksheets[0].freeze_panes == "A2"


def test_what_fails_before_the_first_rows_is_an_error_of_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*arguments: Any) -> Iterator[Any]:
        raise DatabaseError("gone")
        yield

    monkeypatch.setattr("media.reports.api.all_stays", broken)
    for kind in KINDS:
        assert get("stays", format=kind).status_code in {500, 503}
