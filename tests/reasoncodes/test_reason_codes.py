"""The ReasonCode resources: configuration for administrators, choices for agents [ReasonCode]."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from django.core.management import call_command
from django.db import connection

from finesse.users.models import Team, User
from media.models import MediaRequest
from reasoncodes.models import ReasonCode
from reasoncodes.system_codes import LABELS
from tests.conftest import API, Cast, error_of

pytestmark = pytest.mark.usefixtures("cast")
TEA = {"category": "NOT_READY", "code": "7", "label": "Tea", "forAll": "true"}


def body(**children: Any) -> str:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in children.items())
    return f"<ReasonCode>{inside}</ReasonCode>"


def references(*codes: ReasonCode) -> str:
    inside = "".join(f"<ReasonCode><uri>{code.uri}</uri></ReasonCode>" for code in codes)
    return f"<ReasonCodes>{inside}</ReasonCodes>"


@pytest.fixture
def ask(api: API) -> Callable[..., Any]:
    """A request as dave, the administrator, unless another user is given."""

    def request(method: str, path: str, text: str = "", **options: Any) -> Any:
        return api.request(method, path, text, **{"login": "dave", **options})

    return request


Ask = Callable[..., Any]


def shown(response: Any) -> Element:
    assert response.status_code == 200, response.content
    return fromstring(response.content)


def labels(response: Any) -> list[str | None]:
    root = shown(response)
    assert root.tag == "ReasonCodes"
    assert all(child.tag == "ReasonCode" for child in root)
    return [child.findtext("label") for child in root]


def refused(response: Any, status: int, error_type: str, data: str | None = None) -> None:
    error = error_of(response)
    assert (response.status_code, error["ErrorType"]) == (status, error_type)
    if data is not None:
        assert error["ErrorData"] == data


def done(response: Any) -> Any:
    assert (response.status_code, response.content) == (200, b""), response.content
    return response


def system_code(category: str, code: int) -> ReasonCode:
    return ReasonCode.objects.get(category=category, code=code, system_code=True)


# --- Reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["alice", "carol", "dave"])
def test_every_user_reads_any_reason_code(ask: Ask, codes: Any, login: str) -> None:
    filing = codes["Filing"]
    response = ask("GET", f"ReasonCode/{filing.pk}", login=login)
    assert response.content.decode() == (
        "<ReasonCode>\n"
        f"  <uri>/finesse/api/ReasonCode/{filing.pk}</uri>\n"
        f"  <id>{filing.pk}</id>\n"
        "  <category>NOT_READY</category>\n"
        "  <code>4</code>\n"
        "  <label>Filing</label>\n"
        "  <forAll>false</forAll>\n"
        "  <systemCode>false</systemCode>\n"
        "</ReasonCode>\n"
    )


def test_a_system_code_is_read_like_any_other(ask: Ask) -> None:
    pk = system_code("LOGOUT", 255).pk
    root = shown(ask("GET", f"ReasonCode/{pk}/", login="alice"))
    assert root.findtext("systemCode") == "true"
    assert root.findtext("label") == "Logged Out - Connection Failure"


@pytest.mark.parametrize("pk", ["4711", "0", "-1", "x", "9" * 19, "9" * 30, "%00", "1%0A"])
def test_an_unknown_reason_code_is_not_found(ask: Ask, pk: str) -> None:
    refused(ask("GET", f"ReasonCode/{pk}"), 404, "Not Found")
    refused(ask("DELETE", f"ReasonCode/{pk}"), 404, "Not Found")
    refused(ask("PUT", f"ReasonCode/{pk}", body(code=8)), 404, "Not Found")
    refused(ask("PUT", f"ReasonCode/{pk}", "<not xml"), 404, "Not Found")


def test_a_retired_reason_code_is_not_found(ask: Ask, codes: Any) -> None:
    lunch = codes["Lunch"]
    ReasonCode.objects.filter(pk=lunch.pk).update(retired=True)
    for method in ("GET", "PUT", "DELETE"):
        refused(ask(method, f"ReasonCode/{lunch.pk}"), 404, "Not Found", str(lunch.pk))
    refused(ask("GET", "ReasonCode?category=NOT_READY&code=1"), 404, "Not Found")
    assert "Lunch" not in labels(ask("GET", "ReasonCodes?category=NOT_READY"))


def test_a_leading_zero_makes_it_another_id(ask: Ask, codes: Any) -> None:
    refused(ask("GET", f"ReasonCode/0{codes['Lunch'].pk}"), 404, "Not Found")


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("category=NOT_READY&code=1", "Lunch"),
        ("category=LOGOUT&code=1", "End of shift"),
        ("category=NOT_READY&code=32762&nocache=17", "Not Ready - Offhook"),
        ("code=999&category=LOGOUT", "Logged Out - Supervisor Initiated"),
    ],
)
@pytest.mark.parametrize("path", ["ReasonCode", "ReasonCode/"])
def test_one_is_looked_up_by_what_reports_show(ask: Ask, path: str, query: str, label: str) -> None:
    root = shown(ask("GET", f"{path}?{query}", login="alice"))
    assert (root.tag, root.findtext("label")) == ("ReasonCode", label)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=1",
        "category=NOT_READY",
        "category=ALL&code=1",
        "category=not_ready&code=1",
        "category=NOT_READY&code=x",
        "category=NOT_READY&code=-1",
        "category=NOT_READY&code=",
        "category=NOT_READY&code=%D9%A1",
        f"category=NOT_READY&code={'1' * 5000}",
    ],
)
def test_a_lookup_without_category_and_number_is_a_bad_request(ask: Ask, query: str) -> None:
    refused(ask("GET", f"ReasonCode?{query}"), 400, "Bad Request")


@pytest.mark.parametrize("code", ["2", "0", "70000", "9999999999"])
def test_a_lookup_of_no_reason_code_is_not_found(ask: Ask, code: str) -> None:
    refused(ask("GET", f"ReasonCode?category=NOT_READY&code={code}"), 404, "Not Found", code)


# --- The administrators' list -------------------------------------------------------------------


@pytest.mark.usefixtures("codes")
def test_the_list_has_those_of_the_category_with_the_systems(ask: Ask) -> None:
    response = ask("GET", "ReasonCodes?category=LOGOUT")
    assert response.content.startswith(
        b'<ReasonCodes category="LOGOUT">\n  <ReasonCode>\n    <uri>'
    )
    assert labels(response)[:2] == ["End of shift", "Logged Out - Connection Failure"]
    assert {child.findtext("category") for child in shown(response)} == {"LOGOUT"}


def test_the_list_of_all_has_both_categories(ask: Ask, codes: Any) -> None:
    response = ask("GET", "ReasonCodes/?category=ALL&nocache=1")
    assert shown(response).get("category") == "ALL"
    assert sorted(map(str, labels(response))) == sorted([*codes, *LABELS.values()])


@pytest.mark.parametrize("query", ["", "?category=", "?category=READY", "?category=all"])
def test_a_list_without_a_known_category_is_a_bad_request(ask: Ask, query: str) -> None:
    refused(ask("GET", f"ReasonCodes{query}"), 400, "Bad Request")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "ReasonCodes?category=ALL"),
        ("GET", "ReasonCodes"),
        ("POST", "ReasonCode"),
        ("PUT", "ReasonCode/4711"),
        ("DELETE", "ReasonCode/4711"),
        ("GET", "Team/4711/ReasonCodes"),
        ("PUT", "Team/4711/ReasonCodes"),
    ],
)
@pytest.mark.parametrize("login", ["alice", "carol"])
def test_the_configuration_is_for_administrators(
    ask: Ask, method: str, path: str, login: str
) -> None:
    response = ask(method, path, "<not xml", login=login, requestId="r-1")
    refused(response, 401, "Authorization Failure", login)
    assert response.get("requestId") == (None if method == "GET" else "r-1")
    refused(ask(method, path, login=None), 401, "Authentication Failure")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "ReasonCode", "GET, POST, HEAD, OPTIONS"),
        ("DELETE", "ReasonCodes", "GET, HEAD, OPTIONS"),
        ("POST", "ReasonCode/1", "GET, PUT, DELETE, HEAD, OPTIONS"),
        ("POST", "Team/1/ReasonCodes", "GET, PUT, HEAD, OPTIONS"),
        ("PUT", "User/dave/ReasonCodes", "GET, HEAD, OPTIONS"),
        ("PUT", "User/dave/ReasonCode/1", "GET, HEAD, OPTIONS"),
        ("PUT", "TeamResource/1/ReasonCodes", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_not_allowed(ask: Ask, method: str, path: str, allow: str) -> None:
    response = ask(method, path)
    refused(response, 405, "Method Not Allowed", method)
    assert response["Allow"] == allow


# --- Adding -------------------------------------------------------------------------------------


def test_a_new_reason_code_is_found_where_the_answer_says(ask: Ask, api: API) -> None:
    response = done(ask("POST", "ReasonCode", body(**TEA), requestId="r-1"))
    assert response["requestId"] == "r-1"
    tea = ReasonCode.objects.get(label="Tea")
    assert response["Location"] == f"http://testserver/finesse/api/ReasonCode/{tea.pk}"
    assert (tea.category, tea.code, tea.for_all, tea.system_code) == ("NOT_READY", 7, True, False)
    assert api.state("NOT_READY", tea.pk).status_code == 202


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"label": "  Tea \n"}, {"label": "Tea"}),
        ({"label": "A&amp;B&lt;C>é"}, {"label": "A&B<C>é"}),
        ({"label": "x" * 40}, {"label": "x" * 40}),
        ({"code": "65532"}, {"code": 65532}),
        ({"forAll": "False"}, {"for_all": False}),
        ({"category": "LOGOUT"}, {"category": "LOGOUT"}),
        ({"systemCode": "false", "uri": "/x", "id": "3", "colour": "red"}, {"label": "Tea"}),
    ],
)
def test_the_given_elements_are_stored(
    ask: Ask, given: dict[str, str], stored: dict[str, Any]
) -> None:
    done(ask("POST", "ReasonCode/", body(**{**TEA, **given})))
    made = ReasonCode.objects.filter(system_code=False).values().get()
    assert {name: made[name] for name in stored} == stored
    assert made["id"] != 3 or given.get("id") is None


@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_missing_elements_are_listed_in_their_order(ask: Ask, missing: int) -> None:
    given = dict(list(TEA.items())[: 4 - missing])
    first = list(TEA)[4 - missing]
    refused(ask("POST", "ReasonCode", body(**given)), 400, "Parameter Missing", first)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("category", value) for value in ["", "READY", "ALL", "not_ready", "<a>NOT_READY</a>"]),
        *(("code", value) for value in ["", "0", "-1", "65536", "007", "1.0", "x", "1" * 5000]),
        *(("label", value) for value in ["", "   ", "x" * 41, "a&#9;b", "a\nb", "<b>Tea</b>"]),
        *(("forAll", value) for value in ["", "1", "yes", "<a>true</a>"]),
        *(("systemCode", value) for value in ["true", "", "1"]),
    ],
)
def test_an_invalid_element_is_named(ask: Ask, name: str, value: str) -> None:
    response = ask("POST", "ReasonCode", body(**{**TEA, name: value}))
    refused(response, 400, "Invalid Input", name)
    assert error_of(response)["ErrorMessage"] == f"Invalid {name} specified for reason code"
    assert not ReasonCode.objects.filter(system_code=False).exists()


@pytest.mark.parametrize("text", ["", "<not xml", "<ReasonCodes/>", "<reasonCode/>"])
def test_another_document_is_a_bad_request(ask: Ask, codes: Any, text: str) -> None:
    refused(ask("POST", "ReasonCode", text), 400, "Bad Request")
    refused(ask("PUT", codes["Lunch"].uri.removeprefix("/finesse/api/"), text), 400, "Bad Request")


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"code": "1"}, "code"),
        ({"label": "LUNCH"}, "label"),
        ({"code": "1", "label": "Lunch"}, "code"),
        ({"code": "999"}, "code"),
        ({"category": "LOGOUT", "code": "255"}, "code"),
        ({"label": "not ready - offhook"}, "label"),
    ],
)
def test_a_duplicate_of_the_category_is_refused(
    ask: Ask, fields: dict[str, str], parameter: str
) -> None:
    response = ask("POST", "ReasonCode", body(**{**TEA, **fields}))
    refused(response, 400, "Finesse API Error", parameter)


def test_labels_of_any_alphabet_are_compared_without_case(ask: Ask) -> None:
    done(ask("POST", "ReasonCode", body(**{**TEA, "label": "Équipe"})))
    again = ask("POST", "ReasonCode", body(**{**TEA, "code": "8", "label": "ÉQUIPE"}))
    refused(again, 400, "Finesse API Error", "label")


def test_the_other_category_and_retired_ones_are_no_duplicates(ask: Ask, codes: Any) -> None:
    ReasonCode.objects.filter(pk=codes["Coaching"].pk).update(retired=True)
    done(ask("POST", "ReasonCode", body(**{**TEA, "code": "3", "label": "coaching"})))
    done(ask("POST", "ReasonCode", body(**{**TEA, "category": "LOGOUT", "label": "Lunch"})))


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(("code", "label", "named"), [(1, "X", "code"), (9, "LUNCH", "label")])
def test_what_the_check_could_not_see_the_database_refuses(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, code: int, label: str, named: str
) -> None:
    monkeypatch.setattr(ReasonCode, "taken", lambda self: [])
    response = ask("POST", "ReasonCode", body(**{**TEA, "code": code, "label": label}))
    refused(response, 400, "Finesse API Error", named)


def test_a_host_that_is_refused_leaves_nothing_behind(ask: Ask) -> None:
    response = ask("POST", "ReasonCode", body(**TEA), Host="elsewhere.example")
    refused(response, 400, "Bad Request")
    assert not ReasonCode.objects.filter(label="Tea").exists()


# --- Limits -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("codes")
def test_a_category_has_a_limit_for_global_and_one_for_team_codes(ask: Ask, settings: Any) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 1
    settings.FINESSE_MAX_TEAM_REASON_CODES = 3
    refused(ask("POST", "ReasonCode", body(**TEA)), 400, "Maximum Exceeded", "1")
    for_team = {**TEA, "forAll": "false"}
    done(ask("POST", "ReasonCode", body(**for_team)))
    one_too_many = ask("POST", "ReasonCode", body(**{**for_team, "code": "8", "label": "Coffee"}))
    refused(one_too_many, 400, "Maximum Exceeded", "3")
    assert "team" in error_of(one_too_many)["ErrorMessage"]


def test_retired_codes_do_not_count(ask: Ask, codes: Any, settings: Any) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 1
    ReasonCode.objects.filter(pk=codes["Lunch"].pk).update(retired=True)
    done(ask("POST", "ReasonCode", body(**TEA)))


def test_becoming_global_counts_and_being_there_does_not(
    ask: Ask, codes: Any, settings: Any
) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 0
    lunch, coaching = codes["Lunch"], codes["Coaching"]
    refused(ask("PUT", f"ReasonCode/{coaching.pk}", body(forAll="true")), 400, "Maximum Exceeded")
    done(ask("PUT", f"ReasonCode/{lunch.pk}", body(label="Dinner", forAll="true")))


# --- Changing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"label": "Dinner"}, {"label": "Dinner", "code": 1, "for_all": True}),
        ({"label": "LUNCH"}, {"label": "LUNCH"}),
        ({"code": "2"}, {"label": "Lunch", "code": 2}),
        ({"forAll": "false"}, {"for_all": False}),
        ({"code": "1", "label": "Lunch"}, {"code": 1, "label": "Lunch"}),
    ],
)
def test_the_given_elements_are_changed_and_no_others(
    ask: Ask, codes: Any, given: dict[str, str], stored: dict[str, Any]
) -> None:
    lunch = codes["Lunch"]
    response = done(ask("PUT", f"ReasonCode/{lunch.pk}/", body(**given), requestId="r-2"))
    assert response["requestId"] == "r-2"
    changed = ReasonCode.objects.values().get(pk=lunch.pk)
    assert {name: changed[name] for name in stored} == stored


def test_the_whole_object_may_be_sent_back(ask: Ask, codes: Any) -> None:
    path = f"ReasonCode/{codes['Lunch'].pk}"
    whole = ask("GET", path).content.decode()
    done(ask("PUT", path, whole.replace("Lunch", "Dinner")))
    assert ask("GET", path).content.decode() == whole.replace("Lunch", "Dinner")


def test_of_a_repeated_element_the_last_one_counts(ask: Ask, codes: Any) -> None:
    path = f"ReasonCode/{codes['Lunch'].pk}"
    done(ask("PUT", path, "<ReasonCode><label>A</label><label>B</label></ReasonCode>"))
    assert shown(ask("GET", path)).findtext("label") == "B"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "code"),
        ({"category": "NOT_READY"}, "code"),
        ({"code": "0"}, "code"),
        ({"label": ""}, "label"),
        ({"forAll": "x"}, "forAll"),
        ({"label": "Dinner", "category": "LOGOUT"}, "category"),
        ({"label": "Dinner", "systemCode": "true"}, "systemCode"),
        ({"label": "Dinner", "systemCode": "x"}, "systemCode"),
    ],
)
def test_an_impossible_change_is_refused_whole(
    ask: Ask, codes: Any, given: dict[str, str], named: str
) -> None:
    lunch = codes["Lunch"]
    refused(ask("PUT", f"ReasonCode/{lunch.pk}", body(**given)), 400, "Invalid Input", named)
    assert ReasonCode.objects.get(pk=lunch.pk).label == "Lunch"


@pytest.mark.parametrize(
    ("given", "named"), [({"code": "3"}, "code"), ({"label": "filing", "code": "8"}, "label")]
)
def test_a_change_into_a_duplicate_is_refused(
    ask: Ask, codes: Any, given: dict[str, str], named: str
) -> None:
    response = ask("PUT", f"ReasonCode/{codes['Lunch'].pk}", body(**given))
    refused(response, 400, "Finesse API Error", named)


def test_codes_of_the_system_can_be_neither_changed_nor_deleted(ask: Ask) -> None:
    pk = system_code("NOT_READY", 999).pk
    for method in ("PUT", "DELETE"):
        response = ask(method, f"ReasonCode/{pk}", body(label="Mine"))
        refused(response, 400, "Finesse API Error", str(pk))
    assert system_code("NOT_READY", 999).label == "Not Ready - Supervisor Initiated"


def test_assignments_of_a_code_that_becomes_global_are_kept(ask: Ask, codes: Any) -> None:
    coaching = codes["Coaching"]
    path = f"ReasonCode/{coaching.pk}"
    done(ask("PUT", path, body(forAll="true")))
    assert "Coaching" in labels(ask("GET", "User/bob/ReasonCodes?category=NOT_READY", login="bob"))
    done(ask("PUT", path, body(forAll="false")))
    assert [team.name for team in coaching.teams.all()] == ["Chat"]


# --- Deleting -----------------------------------------------------------------------------------


def test_an_unused_code_is_deleted(ask: Ask, codes: Any) -> None:
    path = f"ReasonCode/{codes['Coaching'].pk}"
    assert done(ask("DELETE", path, requestId="r-3"))["requestId"] == "r-3"
    assert not ReasonCode.objects.filter(pk=codes["Coaching"].pk).exists()
    refused(ask("DELETE", path), 404, "Not Found")


def test_a_code_that_a_request_names_is_retired(ask: Ask, api: API, codes: Any) -> None:
    lunch = codes["Lunch"]
    assert api.state("NOT_READY", lunch.pk).status_code == 202
    done(ask("DELETE", f"ReasonCode/{lunch.pk}"))
    lunch.refresh_from_db()
    assert lunch.retired
    assert MediaRequest.objects.get().reason_code == lunch
    refused(ask("GET", f"ReasonCode/{lunch.pk}"), 404, "Not Found")
    done(ask("POST", "ReasonCode", body(**{**TEA, "code": "1", "label": "Lunch"})))


# --- What a user may choose ---------------------------------------------------------------------


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("login", "user", "expected"),
    [
        ("alice", "alice", ["Lunch", "Coaching"]),
        ("bob", "bob", ["Lunch", "Filing"]),
        ("carol", "carol", ["Lunch"]),
        ("dave", "bob", ["Lunch", "Filing"]),
    ],
)
def test_a_users_list_is_what_the_user_may_choose(
    ask: Ask, login: str, user: str, expected: list[str]
) -> None:
    response = ask("GET", f"User/{user}/ReasonCodes?category=NOT_READY", login=login)
    assert labels(response) == expected
    assert shown(response).get("category") == "NOT_READY"


def test_a_list_may_be_empty(ask: Ask) -> None:
    response = ask("GET", "User/alice/ReasonCodes/?category=LOGOUT", login="alice")
    assert response.content == b'<ReasonCodes category="LOGOUT"></ReasonCodes>\n'


@pytest.mark.parametrize("query", ["", "?category=ALL", "?category=logout"])
def test_a_users_list_needs_one_category(ask: Ask, query: str) -> None:
    refused(ask("GET", f"User/alice/ReasonCodes{query}", login="alice"), 400, "Bad Request")


@pytest.mark.parametrize("path", ["ReasonCodes", "ReasonCode/1"])
@pytest.mark.parametrize("login", ["bob", "carol"])
def test_another_users_are_for_administrators(ask: Ask, path: str, login: str) -> None:
    for user in ("alice", "nobody"):
        response = ask("GET", f"User/{user}/{path}", login=login)
        refused(response, 401, "Invalid Authorization User Specified", login)


@pytest.mark.parametrize("path", ["ReasonCodes", "ReasonCode/1"])
@pytest.mark.parametrize("user", ["nobody", "ALICE"])
def test_an_administrator_learns_that_there_is_no_such_user(ask: Ask, path: str, user: str) -> None:
    refused(ask("GET", f"User/{user}/{path}"), 404, "User Not Found")


def test_one_that_a_user_may_choose_is_found_and_another_is_not(ask: Ask, codes: Any) -> None:
    for label, found in {"Coaching": 200, "End of shift": 200, "Filing": 404}.items():
        path = f"User/alice/ReasonCode/{codes[label].pk}"
        assert ask("GET", path, login="alice").status_code == found
        assert ask("GET", f"{path}/").status_code == found
    path = f"User/alice/ReasonCode/{system_code('NOT_READY', 999).pk}"
    refused(ask("GET", path, login="alice"), 404, "Not Found")
    refused(ask("GET", "User/alice/ReasonCode/x", login="alice"), 404, "Not Found", "x")
    root = shown(ask("GET", f"User/alice/ReasonCode/{codes['Lunch'].pk}", login="alice"))
    assert (root.tag, root.findtext("label")) == ("ReasonCode", "Lunch")


# --- A team's own -------------------------------------------------------------------------------


@pytest.fixture
def team(cast: Cast) -> Team:
    assert cast.alice.team
    return cast.alice.team


def test_a_team_has_the_codes_assigned_to_it(ask: Ask, codes: Any, team: Team) -> None:
    response = ask("GET", f"Team/{team.pk}/ReasonCodes?category=NOT_READY")
    assert labels(response) == ["Coaching"]
    assert shown(response).get("category") == "NOT_READY"
    assert labels(ask("GET", f"Team/{team.pk}/ReasonCodes/?category=LOGOUT")) == []


def test_a_list_replaces_the_teams_codes_of_its_category(ask: Ask, codes: Any, team: Team) -> None:
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    parting = ReasonCode.objects.create(category="LOGOUT", code=2, label="Parting", for_all=False)
    parting.teams.add(team)
    response = done(ask("PUT", path, references(codes["Filing"]), requestId="r-4"))
    assert response["requestId"] == "r-4"
    assert labels(ask("GET", path)) == ["Filing"]
    assert labels(ask("GET", f"Team/{team.pk}/ReasonCodes?category=LOGOUT")) == ["Parting"]
    # Also Back office's, still.
    assert codes["Filing"].teams.count() == 2
    done(ask("PUT", path, references(codes["Coaching"], codes["Filing"], codes["Filing"])))
    assert labels(ask("GET", path)) == ["Coaching", "Filing"]


@pytest.mark.parametrize("empty", ["<ReasonCodes/>", "<ReasonCodes> </ReasonCodes>"])
def test_an_empty_list_leaves_the_team_none(ask: Ask, codes: Any, team: Team, empty: str) -> None:
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    done(ask("PUT", path, empty))
    assert labels(ask("GET", path)) == []


def test_codes_are_named_by_uri_by_address_or_by_id(ask: Ask, codes: Any, team: Team) -> None:
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    filing = codes["Filing"]
    for reference in (
        f"<uri>https://finesse.example:8445{filing.uri}/</uri>",
        f"<id>{filing.pk}</id>",
        f"<uri/><id>{filing.pk}</id><label>whatever</label>",
    ):
        done(ask("PUT", path, "<ReasonCodes/>"))
        done(ask("PUT", path, f"<ReasonCodes><ReasonCode>{reference}</ReasonCode></ReasonCodes>"))
        assert labels(ask("GET", path)) == ["Filing"]


def test_what_was_read_may_be_sent_back(ask: Ask, codes: Any, team: Team) -> None:
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    done(ask("PUT", path, ask("GET", path).content.decode()))
    assert labels(ask("GET", path)) == ["Coaching"]


@pytest.mark.parametrize(
    ("children", "error_type", "data"),
    [
        ("<ReasonCode/>", "Parameter Missing", "uri"),
        ("<ReasonCode><uri/></ReasonCode>", "Parameter Missing", "uri"),
        ("<ReasonCode>17</ReasonCode>", "Parameter Missing", "uri"),
        ("<ReasonCode><uri>/finesse/api/Team/1</uri></ReasonCode>", "Invalid Input", "uri"),
        ("<ReasonCode><uri><a/></uri></ReasonCode>", "Invalid Input", "uri"),
        ("<ReasonCode><id>4711</id></ReasonCode>", "Finesse API Error", "4711"),
        ("<ReasonCode><id>x</id></ReasonCode>", "Finesse API Error", "x"),
        ("<ReasonCode><id>0017</id></ReasonCode>", "Finesse API Error", "0017"),
        ("<Reasoncode><id>17</id></Reasoncode>", "Bad Request", None),
        ("/finesse/api/ReasonCode/17", "Bad Request", None),
    ],
)
def test_a_list_that_names_something_else_changes_nothing(
    ask: Ask, codes: Any, team: Team, children: str, error_type: str, data: str | None
) -> None:
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    response = ask("PUT", path, f"<ReasonCodes>{children}</ReasonCodes>")
    refused(response, 400, error_type, data)
    assert labels(ask("GET", path)) == ["Coaching"]


@pytest.mark.parametrize("wrong", ["Lunch", "Parting", "system"])
def test_only_the_categorys_own_team_codes_can_be_assigned(
    ask: Ask, codes: Any, team: Team, wrong: str
) -> None:
    parting = ReasonCode.objects.create(category="LOGOUT", code=2, label="Parting", for_all=False)
    named = {**codes, "Parting": parting, "system": system_code("NOT_READY", 999)}[wrong]
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    response = ask("PUT", path, references(codes["Filing"], named))
    refused(response, 400, "Invalid Input", "uri")
    assert labels(ask("GET", path)) == ["Coaching"]


def test_a_retired_code_is_stale(ask: Ask, codes: Any, team: Team) -> None:
    filing = codes["Filing"]
    ReasonCode.objects.filter(pk=filing.pk).update(retired=True)
    response = ask("PUT", f"Team/{team.pk}/ReasonCodes?category=NOT_READY", references(filing))
    refused(response, 400, "Finesse API Error", str(filing.pk))


def test_assignments_that_are_idle_outlive_the_list(ask: Ask, codes: Any, team: Team) -> None:
    """Of codes that are global or retired for the time being."""
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    coaching = ReasonCode.objects.filter(pk=codes["Coaching"].pk)
    for idle in ({"for_all": True}, {"retired": True}):
        coaching.update(**idle)
        assert labels(ask("GET", path)) == []
        done(ask("PUT", path, "<ReasonCodes/>"))
        coaching.update(for_all=False, retired=False)
        assert labels(ask("GET", path)) == ["Coaching"]


def test_more_than_the_limit_cannot_be_assigned(
    ask: Ask, codes: Any, team: Team, settings: Any
) -> None:
    settings.FINESSE_MAX_TEAM_REASON_CODES = 1
    path = f"Team/{team.pk}/ReasonCodes?category=NOT_READY"
    response = ask("PUT", path, references(codes["Coaching"], codes["Filing"]))
    refused(response, 400, "Maximum Exceeded", "1")


@pytest.mark.parametrize("pk", ["4711", "x", "0"])
def test_a_team_that_is_none_cannot_be_assigned_any(ask: Ask, pk: str) -> None:
    for method in ("GET", "PUT"):
        response = ask(method, f"Team/{pk}/ReasonCodes", "<not xml")
        refused(response, 404, "finesse.api.team.team_assignment_invalid_team")


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("query", ["", "?category=ALL"])
def test_a_teams_list_needs_one_category(ask: Ask, team: Team, method: str, query: str) -> None:
    response = ask(method, f"Team/{team.pk}/ReasonCodes{query}", "<ReasonCodes/>")
    refused(response, 400, "Bad Request")


# --- What a team's members may choose -----------------------------------------------------------


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize("login", ["alice", "carol", "dave"])
def test_members_of_a_team_read_the_reason_codes_that_they_may_choose(
    ask: Ask, team: Team, login: str
) -> None:
    path = f"TeamResource/{team.pk}/ReasonCodes"
    response = ask("GET", f"{path}?category=NOT_READY", login=login)
    assert labels(response) == ["Lunch", "Coaching"]
    assert shown(response).get("category") == "NOT_READY"
    assert labels(ask("GET", f"{path}/?category=LOGOUT", login=login)) == ["End of shift"]
    refused(ask("GET", path, login=login), 400, "Bad Request")


def test_other_teams_look_like_none(ask: Ask, cast: Cast, team: Team) -> None:
    assert cast.bob.team
    for login, pk in (
        ("bob", team.pk),
        ("carol", cast.bob.team.pk),
        ("alice", 4711),
        ("alice", "x"),
    ):
        response = ask("GET", f"TeamResource/{pk}/ReasonCodes", login=login)
        refused(response, 401, "Authorization Failure", login)
    refused(ask("GET", "TeamResource/4711/ReasonCodes"), 404, "Not Found", "4711")


def test_a_former_supervisor_reads_the_teams_no_more(ask: Ask, cast: Cast, team: Team) -> None:
    User.objects.filter(pk="carol").update(is_supervisor=False)
    response = ask("GET", f"TeamResource/{team.pk}/ReasonCodes?category=LOGOUT", login="carol")
    refused(response, 401, "Authorization Failure")


# --- The system's -------------------------------------------------------------------------------


def test_the_systems_codes_are_part_of_every_installation() -> None:
    found = ReasonCode.objects.filter(system_code=True).values_list("category", "code", "label")
    assert {(category, code): label for category, code, label in found} == LABELS
    assert len(found) == 25
    assert ("NOT_READY", 32767, "Not Ready - Call Not Answered") in found
    assert ("LOGOUT", 999, "Logged Out - Supervisor Initiated") in found


def test_migrating_again_adds_missing_codes_and_none_twice() -> None:
    system_code("NOT_READY", 999).delete()
    for _ in range(2):
        call_command("migrate", verbosity=0)
        assert ReasonCode.objects.count() == 25


def test_an_administrators_own_code_is_left_alone_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    system_code("LOGOUT", 255).delete()
    own = ReasonCode.objects.create(category="LOGOUT", code=255, label="Holiday")
    call_command("migrate", verbosity=0)
    own.refresh_from_db()
    assert (own.label, own.system_code) == ("Holiday", False)
    assert "LOGOUT 255" in caplog.text
    own.delete()
    call_command("migrate", verbosity=0)
    assert system_code("LOGOUT", 255)


def test_no_user_can_choose_a_system_code(ask: Ask, api: API, codes: Any) -> None:
    pk = system_code("NOT_READY", 999).pk
    assert error_of(api.state("NOT_READY", pk))["ErrorType"] == "Invalid Input"
    assert not any(
        str(label).startswith("Not Ready - ")
        for label in labels(ask("GET", "User/alice/ReasonCodes?category=NOT_READY"))
    )


def test_out_of_service_nothing_is_answered(ask: Ask, settings: Any) -> None:
    settings.FINESSE_HEARTBEAT_SECONDS = -1
    for path in ("ReasonCode/1", "ReasonCodes", "Team/1/ReasonCodes"):
        refused(ask("GET", path), 503, "Service Unavailable")


# --- At the same moment -------------------------------------------------------------------------


def at_once(requests: list[tuple[str, str, str]]) -> list[Any]:
    """The answers to these requests of dave or alice, sent by a thread each at the same moment."""
    start = threading.Barrier(len(requests))
    answers: list[Any] = [None] * len(requests)

    def send(number: int, method: str, path: str, text: str) -> None:
        try:
            start.wait(60)
            who = "alice" if path.startswith("User/alice/") else "dave"
            answers[number] = API().request(method, path, text, login=who)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=send, args=[number, *one]) for number, one in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return answers


@pytest.mark.django_db(transaction=True)
def test_of_duplicates_at_the_same_moment_one_is_made(ask: Ask) -> None:
    ask("GET", "ReasonCodes?category=ALL")  # The password is known now.
    same = ("POST", "ReasonCode", body(**TEA))
    answers = at_once([same] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    for answer in answers:
        if answer.status_code == 400:
            refused(answer, 400, "Finesse API Error", "code")
    assert ReasonCode.objects.filter(label="Tea").count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_at_the_same_moment(
    ask: Ask, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FINESSE_MAX_GLOBAL_REASON_CODES = 1
    ask("GET", "ReasonCodes?category=ALL")
    both_have_counted = threading.Barrier(2)
    exceeds = ReasonCode.exceeds

    def held_up(self: ReasonCode) -> bool:
        found = exceeds(self)
        # A request that waits for the lock neither counts nor says so: give it the time to.
        with suppress(threading.BrokenBarrierError):
            both_have_counted.wait(0.5)
        return found

    monkeypatch.setattr(ReasonCode, "exceeds", held_up)
    tea, coffee = body(**TEA), body(**{**TEA, "code": "8", "label": "Coffee"})
    answers = at_once([("POST", "ReasonCode", tea), ("POST", "ReasonCode", coffee)])
    one, other = sorted(answers, key=lambda answer: answer.status_code)
    done(one)
    refused(other, 400, "Maximum Exceeded", "1")


@pytest.mark.django_db(transaction=True)
def test_a_code_is_deleted_once_and_renamed_only_while_it_is_there(ask: Ask, codes: Any) -> None:
    path = f"ReasonCode/{codes['Coaching'].pk}"
    ask("GET", path)
    answers = at_once([("DELETE", path, "")] * 2 + [("PUT", path, body(label="Training"))])
    assert sorted(answer.status_code for answer in answers[:2]) == [200, 404]
    assert answers[2].status_code in {200, 404}
    assert not ReasonCode.objects.filter(pk=codes["Coaching"].pk).exists()


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_chosen_while_it_is_deleted_is_gone_or_retired(
    ask: Ask, api: API, codes: Any
) -> None:
    """A request that was answered 202 gets its reason; one that is too late is refused."""
    ask("GET", "ReasonCodes?category=ALL")
    api.get()
    for _ in range(5):
        code = ReasonCode.objects.create(category="NOT_READY", code=9, label="Errand")
        state = f"<Media><state>NOT_READY</state><reasonCodeId>{code.pk}</reasonCodeId></Media>"
        chosen = [("PUT", f"User/alice/Media/{mrd}", state) for mrd in (5000, 5001)]
        deleted, *answers = at_once([("DELETE", f"ReasonCode/{code.pk}", ""), *chosen])
        done(deleted)
        accepted = [answer for answer in answers if answer.status_code == 202]
        for answer in answers:
            if answer not in accepted:
                refused(answer, 400, "Invalid Input")
        assert MediaRequest.objects.filter(reason_code=code.pk).count() == len(accepted)
        left = ReasonCode.objects.filter(pk=code.pk).first()
        assert bool(left) == bool(accepted)
        assert left is None or left.retired
        MediaRequest.objects.all().delete()
