"""The description says what the server does, and its pages say it to people."""

import json
import re
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest
import schemathesis
import yaml
from django.test import Client
from django.urls import get_resolver
from django.utils.html import escape
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rest_framework.views import APIView
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_xml

from finesse.api.description import operation_of
from finesse.api.errors import TABLE
from finesse.api.views import FinesseView, UnknownResource
from finesse.commands import demo_data
from finesse.db.names import visible_pattern
from finesse.docs import allowed_requests, openapi_document, page_contents
from finesse.docs.error_examples import error_document, sample
from finesse.docs.explanations import EXPLANATIONS
from finesse.docs.general_texts import PARAMETERS
from finesse.docs.openapi import XML
from finesse.docs.openapi_document import as_json, as_yaml, document
from finesse.docs.xml_schema import xml_schema
from finesse.users.models import User
from media.models import Media
from media.states import DESKTOP_TRANSITIONS, TRANSITIONS, Error, Refused, Row, State
from reasoncodes.models import ReasonCode
from tests.conftest import API, LOGIN, Cast, basic
from tests.kit.described import strict, typed
from tests.kit.installation import TIMEOUT_SECONDS, Installation
from tests.kit.xml_schema import faults

ROOT = Path(__file__).parents[2]
ERRORS = sorted(TABLE)
UNEXPLAINED = ", ".join(sorted(TABLE.keys() - EXPLANATIONS))
# Before the description is made, since that takes each error's explanation.
assert not UNEXPLAINED, f"finesse/docs/explanations.py does not explain {UNEXPLAINED}"
OPERATIONS = {f"{one.method} {one.path}": one for one in page_contents.operations()}


def page(path: str, client: Client | None = None) -> str:
    """A page as it is shown; anonymously unless a client is given."""
    answer = (client or Client()).get(path)
    assert answer.status_code == 200, path
    assert answer["Content-Security-Policy"].startswith("default-src 'self'")
    text: str = answer.content.decode()
    return text


def signed_in(login_id: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=login_id))
    return client


def address(name: str) -> str:
    """The page of an error."""
    return f"/finesse/docs/errors/{name}/"


# --- the document -------------------------------------------------------------------------------


def test_the_description_is_valid_openapi_without_a_warning() -> None:
    SchemaGenerator().get_schema(public=True)
    assert (dict(GENERATOR_STATS._warn_cache), dict(GENERATOR_STATS._error_cache)) == ({}, {})
    validate_schema(document())
    assert document()["openapi"].startswith("3.1")
    for schema in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_the_pattern_of_a_label_is_the_one_of_its_validator() -> None:
    schemas = document()["components"]["schemas"]
    labels = [
        one["properties"]["label"]
        for one in schemas.values()
        if "label" in one.get("properties", {})
    ]
    assert len(labels) > 3
    assert {one["maxLength"] for one in labels} == {40}
    (pattern,) = {one["pattern"] for one in labels}
    assert "\\U" not in pattern, "JavaScript has no such escape"
    described, validated = re.compile(pattern), visible_pattern()
    for character in map(chr, range(0x20000)):
        assert bool(described.search(character)) == bool(validated.search(character))


def test_the_document_is_made_once_however_many_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """drf-spectacular fails where two threads begin at the same time."""
    made: list[int] = []
    others = threading.Event()

    def make(self: Any, **_: Any) -> Any:
        made.append(threading.get_ident())
        # Without the lock the other threads come here, too, before this one is done.
        others.wait(0.2)
        return {"components": {}}

    monkeypatch.setattr(SchemaGenerator, "get_schema", make)
    fresh = cache(openapi_document._document.__wrapped__)
    monkeypatch.setattr(openapi_document, "_document", fresh)
    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(document) for _ in range(4)]
        assert len({id(one.result(20)) for one in asking}) == 1
    assert len(made) == 1


def test_every_reference_leads_somewhere() -> None:
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', as_json())):
        found: Any = document()
        for step in reference.split("/"):
            found = found[step]


def handlers() -> Iterator[tuple[type[APIView], str]]:
    """Every handler of every resource under /finesse/api."""
    for pattern in _flat(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if view and issubclass(view, FinesseView) and view is not UnknownResource:
            for method in ("get", "put", "post", "delete", "patch"):
                if hasattr(view, method):
                    yield view, method


def _flat(patterns: list[Any]) -> Iterator[Any]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _flat(pattern.url_patterns)
        else:
            yield pattern


def test_every_handler_is_described() -> None:
    found = list(handlers())
    assert all(operation_of(getattr(view, method)) for view, method in found)
    assert len(found) == len(OPERATIONS)
    ids = [one.id for one in page_contents.operations()]
    assert len(ids) == len(set(ids))


def test_every_error_is_declared_by_an_operation() -> None:
    declared = {error.name for one in OPERATIONS.values() for error in one.errors + one.later}
    # Two are the answers where there is no operation; the third is for pages, not for programs.
    assert set(ERRORS) - declared == {"NOT_FOUND", "METHOD_NOT_ALLOWED", "PAGE_NOT_PROVED"}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("PUT /finesse/api/User/{userId}/Media/{mrdId}", TRANSITIONS),
        ("PUT /finesse/api/User/{userId}", DESKTOP_TRANSITIONS),
    ],
)
def test_the_errors_of_the_transition_tables_are_declared(
    name: str, table: Mapping[State, Row]
) -> None:
    cells = [cell for row in table.values() for cell in row.values()]
    answered = {error.name for error in OPERATIONS[name].errors}
    published = {error.name for error in OPERATIONS[name].later}
    assert {cell.name for cell in cells if isinstance(cell, Refused)} <= answered & published
    assert {cell.name for cell in cells if isinstance(cell, Error)} <= published


def test_json_and_yaml_say_the_same() -> None:
    client = Client()
    as_served = client.get("/finesse/docs/openapi.json")
    assert as_served["Content-Type"] == "application/json"
    assert json.loads(as_served.content) == document() == yaml.safe_load(as_yaml())
    assert client.get("/finesse/docs/openapi.yaml").content == as_yaml().encode()


def test_the_xml_schema_is_served_as_it_is() -> None:
    served = Client().get("/finesse/docs/finesse.xsd")
    assert served["Content-Type"] == "application/xml"
    assert served.content == xml_schema().encode()


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_examples_are_documents_of_the_serializers_and_of_the_xml_schema(name: str) -> None:
    path, method = OPERATIONS[name].path, OPERATIONS[name].method.lower()
    described = strict(document())
    operation = described["paths"][path][method]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = [one for code, one in operation["responses"].items() if int(code) < 300]
    for holder in bodies + answers:
        for media in holder.get("content", {}).values():
            forms = _forms(media["schema"], described)
            for form, example in zip(forms, media["examples"].values(), strict=True):
                instance = typed(fromstring(example["value"]), form, described)
                _validate(instance, form, described)
                if holder in answers:
                    assert faults(example["value"]) == []


def _forms(schema: dict[str, Any], described: dict[str, Any]) -> list[dict[str, Any]]:
    name = schema["$ref"].rpartition("/")[2]
    forms: list[dict[str, Any]] = described["components"]["schemas"][name].get("oneOf", [schema])
    return forms


def _validate(instance: Any, schema: dict[str, Any], described: dict[str, Any]) -> None:
    whole = {**schema, "components": described["components"]}
    Draft202012Validator(whole).validate(instance)


# --- the description and the running server -----------------------------------------------------

CALLERS = ("1234", "2001", "admin", "")
EXAMPLES = 12
"""Requests of each kind for each operation."""
KINDS = [
    pytest.param(name, mode, id=f"{name} {mode}")
    for name, one in OPERATIONS.items()
    for mode in GenerationMode
    # Nothing can be wrong with a request that says nothing.
    if mode is GenerationMode.POSITIVE or one.bodies or one.parameters
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/xml")  # type: ignore[untyped-decorator]
def _serialize(context: Any, value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    body: bytes = serialize_xml(context.case, value)["data"]
    return body


@schemathesis.deserializer("application/xml")  # type: ignore[untyped-decorator]
def _deserialize(context: Any, response: Any) -> Any:
    described = context.operation.schema.raw_schema
    operation = described["paths"][context.operation.path][context.operation.method.lower()]
    answer = operation["responses"][str(response.status_code)]
    return typed(fromstring(response.content), answer["content"][XML]["schema"], described)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("described"))
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def described(installation: Installation) -> Any:
    """What the server says of itself, strictly taken."""
    served = httpx.get(
        f"{installation.url}/finesse/docs/openapi.json", timeout=TIMEOUT_SECONDS
    ).json()
    return schemathesis.openapi.from_dict(strict(served))


@pytest.mark.parametrize(("name", "mode"), KINDS)
def test_the_server_does_what_is_described(
    name: str, mode: GenerationMode, installation: Installation, described: Any
) -> None:
    called = OPERATIONS[name]
    operation = described[called.path][called.method]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(generation_mode=mode),
        asked=st.sampled_from([*[(called.login, True)] * 8, *product(CALLERS, (True, False))]),
    )
    def ask(case: Any, asked: tuple[str, bool]) -> None:
        caller, about_the_known = asked
        if about_the_known and called.method != "DELETE":
            case.path_parameters = {
                name: PARAMETERS[name].example for name in case.path_parameters or {}
            }
        authorization = {"Authorization": basic(caller, "finesse")} if caller else {}
        response = case.call(installation.url, headers=authorization, timeout=TIMEOUT_SECONDS)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            assert is_one_of(response.content, called), response.text
            # The requests that are described as right can be parsed, at least.
            assert mode is GenerationMode.NEGATIVE or "Bad Request" not in response.text
        sent = (case.headers or {}).get("requestId")
        if sent and called.method != "GET" and re.fullmatch("[!-~]([ -~]{,253}[!-~])?", sent):
            assert response.headers["requestid"] == [sent]

    ask()


def is_one_of(body: bytes, called: page_contents.OperationEntry) -> bool:
    """Whether the operation declares the row of this error, with any values in its placeholders."""
    error = {child.tag: child.text or "" for child in fromstring(body)[0]}
    return any(
        error["ErrorType"] == TABLE[one.name].type
        and _matches(TABLE[one.name].message, error["ErrorMessage"])
        and _matches(TABLE[one.name].data, error["ErrorData"])
        for one in called.errors
    )


def _matches(template: str, text: str) -> bool:
    parts = [re.escape(part) for part in re.split(r"\{\w+\}", template)]
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None


# --- the pages ----------------------------------------------------------------------------------


def test_the_long_page_shows_every_operation_every_notification_and_every_error() -> None:
    text = page("/finesse/docs/")
    for operation in page_contents.operations():
        assert f'id="{operation.id}"' in text
        assert escape(operation.summary) in text
        assert operation.path in text
    for notification in page_contents.notifications():
        assert f'id="notification-{notification.name}"' in text
        assert notification.node in text
    for name in ERRORS:
        assert f'href="{address(name)}"' in text


def test_every_link_of_the_pages_leads_somewhere() -> None:
    index = page("/finesse/docs/")
    ids = set(re.findall(r' id="([^"]+)"', index))
    links = set(re.findall(r' href="([^"]+)"', index + "".join(map(page, map(address, ERRORS)))))
    targets = set()
    for link in links:
        target, _, fragment = link.partition("#")
        if fragment and target in {"", "/finesse/docs/"}:
            assert fragment in ids, link
        targets.add(target)
    for target in targets:
        if target and not target.startswith("/static/"):
            assert Client().get(target).status_code in {200, 302}, target


def test_commands_to_copy_contain_the_password_in_the_demo_only(settings: Any) -> None:
    assert "1234:finesse" not in page("/finesse/docs/")
    settings.FINESSE_DEMO = True
    assert "1234:finesse" in page("/finesse/docs/")


def test_a_host_that_is_not_ours_is_refused() -> None:
    for host in ("elsewhere.example", "<script>alert(1)</script>"):
        answer = Client(raise_request_exception=False).get("/finesse/docs/", headers={"Host": host})
        assert answer.status_code == 400
        assert b"alert(" not in answer.content


@pytest.mark.usefixtures("given_ids", "in_service")
def test_every_command_to_copy_does_what_it_says_in_the_demo(
    settings: Any, settle: Callable[[], Any]
) -> None:
    """In the order of the pages, but what deletes comes last."""
    settings.FINESSE_DEMO = True
    demo_data.load("finesse")
    index = page("/finesse/docs/")
    for called in sorted(page_contents.operations(), key=lambda one: one.method == "DELETE"):
        command = page_contents.curl(called, "http://testserver", "finesse")
        assert escape(command) in index
        for body in [one.example for one in called.bodies] or [""]:
            answer = run(command, body)
            settle()
            text = answer.getvalue()
            assert answer.status_code == called.status, (command, body, text)
            assert bool(text) == bool(called.answer)


def run(command: str, body: str) -> Any:
    """What curl would do, with this of the bodies."""
    _, _, *words, url = shlex.split(command)
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = dict(value.split(": ", 1) for word, value in options if word == "-H")
    last = dict(options)
    if "-u" in last:
        headers["Authorization"] = basic(*last["-u"].split(":", 1))
    return Client().generic(
        last.get("-X", "GET"),
        url.removeprefix("http://testserver"),
        body,
        headers.pop("Content-Type", ""),
        headers=headers,
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/finesse/docs", 302),
        ("/finesse/docs/errors", 302),
        ("/finesse/docs/errors/", 302),
        ("/finesse/docs/errors/STATE_MISSING", 200),
        ("/finesse/docs/errors/state_missing", 404),
        ("/finesse/docs/errors/E_ARM_STAT_NOTHING/", 404),
        ("/finesse/docs/errors/__class__/", 404),
        ("/finesse/docs/errors/%00/", 404),
        ("/finesse/docs/errors/%3Cscript%3E/", 404),
        ("/finesse/docs/errors/../../settings/", 404),
        ("/finesse/docs/errors/" + "X" * 5000, 404),
        ("/finesse/docs/openapi.json/", 404),
        ("/finesse/docs/nothing", 404),
    ],
)
def test_odd_paths_are_no_faults(path: str, status: int) -> None:
    assert Client(raise_request_exception=False).get(path).status_code == status


def test_pages_are_only_read() -> None:
    for path in ("/finesse/docs/", "/finesse/docs/openapi.json", address("STATE_MISSING")):
        assert Client().post(path).status_code == 405


# --- the page of an error -----------------------------------------------------------------------


def test_every_error_says_what_happened_and_what_to_do() -> None:
    assert list(EXPLANATIONS) == list(TABLE)
    for name, explanation in EXPLANATIONS.items():
        for sentence in (explanation.happened, explanation.remedy):
            assert re.fullmatch(r"[A-Z“/].{10,}[.)]", sentence), name


@pytest.mark.parametrize("name", ERRORS)
def test_a_page_speaks_of_error_media_only_where_the_error_may_have_it(name: str) -> None:
    with_it = error_document(TABLE[name], with_media=True)
    assert "<ErrorMedia>" in with_it or "is present if the request is" not in page(address(name))


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_a_page_with_its_exact_body(name: str) -> None:
    text = page(address(name))
    explanation, row = EXPLANATIONS[name], TABLE[name]
    assert escape(explanation.happened) in text
    assert escape(explanation.remedy) in text
    assert escape(row.type) in text
    error = sample(row)
    forms = [
        (error.message, page_contents.http_form(name)),
        (error.later_message, page_contents.notification_form(name)),
    ]
    assert any(form for _, form in forms)
    for message, form in forms:
        if form:
            assert escape(form) in text
            assert faults(form) == []
            assert message in form


@pytest.mark.parametrize("name", [name for name in ERRORS if TABLE[name].message.isupper()])
def test_a_constant_leads_to_its_page(name: str) -> None:
    constant = TABLE[name].message
    answer = Client().get(address(constant))
    assert answer.status_code == 302
    assert constant in page(answer["Location"])


def test_the_tables_show_every_state_once() -> None:
    for shown, table in (
        (allowed_requests.rules_of_media(), TRANSITIONS),
        (allowed_requests.rules_of_desktops(), DESKTOP_TRANSITIONS),
    ):
        states = [state for one in shown for state in one.states]
        assert sorted(states) == sorted(table)


@pytest.mark.parametrize(
    ("state", "way"),
    [("LOGOUT", []), ("NOT_READY", ["LOGIN"]), ("READY", ["LOGIN", "READY"])],
)
def test_the_table_of_states_says_what_the_server_does(
    state: str, way: list[str], cast: Cast, api: API, settle: Callable[[], Any]
) -> None:
    (described,) = [one for one in allowed_requests.rules_of_media() if state in one.states]
    outcomes = {one.request: one.outcome for one in described.allowed}
    refused = {
        request: one.error for one in described.refused for request in one.requests.split(", ")
    }
    assert len(outcomes | refused) == 7
    for request in outcomes | refused:
        api.put(document_of("LOGOUT"))
        for step in way:
            api.put(document_of(step))
        settle()
        answer = api.put(document_of(request))
        notified = "".join(notification.update for notification in settle())
        if request in refused:
            assert TABLE[refused[request]].message in (notified or answer.content.decode())
        else:
            assert answer.status_code == 202
            after = outcomes[request] if outcomes[request] in list(TRANSITIONS) else state
            assert Media.objects.get(user="alice", mrd=5001).state == after


def document_of(request: str) -> str:
    """The body that asks for what a page calls by this word."""
    if request == "LOGIN":
        return LOGIN
    mode = request.removeprefix("routable ")
    child = f"<state>{request}</state>" if mode == request else f"<routable>{mode}</routable>"
    return f"<Media>{child}</Media>"


# --- what the pages show of one's own -----------------------------------------------------------

STATE_PAGE = "/finesse/docs/errors/STATE_INVALID/"
REASON_PAGE = "/finesse/docs/errors/REASON_CODE_REQUIRED/"


@pytest.mark.usefixtures("codes")
def test_nothing_private_is_shown_to_the_anonymous(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        for name in ERRORS:
            text = page(address(name))
            assert not re.search("alice|Alice|Lunch|Coaching|You are signed in", text)
    assert f'href="/login/?next={STATE_PAGE}"' in page(STATE_PAGE)


@pytest.mark.usefixtures("cast")
def test_agents_see_their_present_state_and_what_may_be_asked_for_now(
    api: API, settle: Callable[[], Any]
) -> None:
    api.put(LOGIN)
    api.state("READY")
    settle()
    text = page(STATE_PAGE, signed_in("alice"))
    assert rows(text.split("What you may request now")[1]) == [
        ["Chat (5000)", "LOGOUT", "LOGIN → NOT_READY"],
        [
            "Email (5001)",
            "READY routable",
            "READY → stays as it is NOT_READY → NOT_READY LOGOUT → LOGOUT "
            "routable false → not routable",
        ],
        ["Desktop", "LOGOUT", "LOGIN → NOT_READY"],
    ]
    assert "Tasks (5002)" not in text


@pytest.mark.parametrize("way", [[], ["LOGIN"], ["LOGIN", "READY"], ["LOGIN", "routable false"]])
def test_what_may_be_asked_for_now_succeeds(
    way: list[str], cast: Cast, api: API, settle: Callable[[], Any]
) -> None:
    for step in way:
        api.put(document_of(step))
    settle()
    (now,) = [
        one for one in allowed_requests.current_media(cast.alice) if one.name.startswith("Email")
    ]
    assert now.allowed
    for one in now.allowed:
        api.put(document_of("LOGOUT"))
        for step in way:
            api.put(document_of(step))
        settle()
        assert api.put(document_of(one.request)).status_code == 202
        assert "apiErrors" not in "".join(notified.update for notified in settle())


def test_each_sees_the_own_reason_codes_by_category(codes: dict[str, ReasonCode]) -> None:
    codes["Lunch"].label = "<b>Lunch</b> & tea"
    codes["Lunch"].save()
    for login, offered, others in (("alice", "Coaching", "Filing"), ("bob", "Filing", "Coaching")):
        text = page(REASON_PAGE, signed_in(login))
        assert f"You are signed in as {login}" in text
        assert offered in text
        assert others not in text
        assert f"<code>{codes[offered].pk}</code>" in text
        assert "&lt;b&gt;Lunch&lt;/b&gt; &amp; tea" in text
        assert "Supervisor Initiated" not in text
        assert "None: send no" not in text
    codes["End of shift"].retired = True
    codes["End of shift"].save()
    assert "None: send no" in page(REASON_PAGE, signed_in("alice"))


@pytest.mark.usefixtures("cast")
def test_a_user_without_media_reads_so_on_the_page() -> None:
    text = page("/finesse/docs/errors/AGENT_ALREADY_LOGGED_IN/", signed_in("carol"))
    assert "not assigned to any Media Routing Domain" in text


@pytest.mark.usefixtures("cast")
def test_pages_with_something_private_are_never_stored() -> None:
    for path in (STATE_PAGE, REASON_PAGE):
        assert "no-store" in signed_in("alice").get(path)["Cache-Control"]


def rows(text: str) -> list[list[str]]:
    """The cells of the first table, as they are read."""
    body = text.split("<tbody>")[1].split("</tbody>")[0]
    return [
        [
            " ".join(re.sub("<[^>]+>", " ", cell).split())
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in body.split("</tr>")[:-1]
    ]


# --- other names of the same errors -------------------------------------------------------------


def test_the_document_of_the_api_names_the_pages() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert "/finesse/docs/errors/" in text
    named = set(re.findall(r"\]\(/finesse/docs/errors/(\w+)/\)", text))
    assert named <= set(ERRORS)


@pytest.mark.usefixtures("cast")
def test_the_viewer_and_the_sign_in_link_to_the_description() -> None:
    assert 'href="/finesse/docs/"' in Client().get("/login/").content.decode()
    assert 'href="/finesse/docs/"' in signed_in("alice").get("/").content.decode()
