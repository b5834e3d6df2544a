"""How every resource behaves as HTTP: addresses, methods, headers, ways to write a body."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from finesse.users.models import Team
from media.models import MediaRequest
from reasoncodes.models import ReasonCode
from tests.conftest import API, Cast, error_of

READ_ONLY = "GET, HEAD, OPTIONS"
CHANGED = "GET, PUT, HEAD, OPTIONS"
RESOURCES = {
    # path, query: the allowed methods
    ("SystemInfo", ""): READ_ONLY,
    ("User/dave", ""): CHANGED,
    ("User/dave/Media", ""): CHANGED,
    ("User/dave/Media/5001", ""): CHANGED,
    ("User/dave/Dialogs", ""): READ_ONLY,
    ("User/dave/Dialogs/Media", ""): READ_ONLY,
    ("MediaDomain", ""): READ_ONLY,
    ("MediaDomain/5001", ""): READ_ONLY,
    ("Team/{team}", ""): READ_ONLY,
    ("Team/{team}/ReasonCodes", "category=NOT_READY"): CHANGED,
    ("TeamResource/{team}/ReasonCodes", "category=NOT_READY"): READ_ONLY,
    ("ReasonCode", "category=NOT_READY&code=1"): "GET, POST, HEAD, OPTIONS",
    ("ReasonCode/{lunch}", ""): "GET, PUT, DELETE, HEAD, OPTIONS",
    ("ReasonCodes", "category=ALL"): READ_ONLY,
    ("User/dave/ReasonCodes", "category=NOT_READY"): READ_ONLY,
    ("User/dave/ReasonCode/{lunch}", ""): READ_ONLY,
}
MEDIA = "User/alice/Media/5001"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND")

Ask = Callable[..., Any]


@pytest.fixture
def ask(api: API, cast: Cast, codes: dict[str, ReasonCode]) -> Ask:
    """A request as dave, the administrator, to one of the resources."""
    team = Team.objects.get(name="Chat")

    def request(
        method: str, path: str, query: str = "", body: str | bytes = "", **options: Any
    ) -> Any:
        address = path.format(team=team.pk, lunch=codes["Lunch"].pk)
        address += f"?{query}" if query else ""
        return api.request(method, address, body, **{"login": "dave", **options})

    return request


def every_resource(test: Any) -> Any:
    cases = [(path, query, allowed) for (path, query), allowed in RESOURCES.items()]
    ids = [path for path, _ in RESOURCES]
    return pytest.mark.parametrize(("path", "query", "allowed"), cases, ids=ids)(test)


# --- addresses ----------------------------------------------------------------------------------


@every_resource
def test_a_trailing_slash_is_the_same_address(
    ask: Ask, path: str, query: str, allowed: str
) -> None:
    without, with_slash = ask("GET", path, query), ask("GET", f"{path}/", query)
    assert (without.status_code, with_slash.status_code) == (200, 200)
    assert fromstring(without.content).tag == fromstring(with_slash.content).tag
    assert len(without.content) == len(with_slash.content)


@every_resource
@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_ever_a_redirect(
    ask: Ask, path: str, query: str, allowed: str, method: str
) -> None:
    for address in (path, f"{path}/", f"{path}//"):
        assert ask(method, address, query).status_code // 100 in {2, 4}


@every_resource
def test_unknown_query_parameters_are_ignored(
    ask: Ask, path: str, query: str, allowed: str
) -> None:
    response = ask("GET", path, f"{query}&nocache=1700000000000&x=%00&y".lstrip("&"))
    assert response.status_code == 200


# --- methods ------------------------------------------------------------------------------------


@every_resource
def test_head_answers_as_get_without_a_body(ask: Ask, path: str, query: str, allowed: str) -> None:
    head, get = ask("HEAD", path, query), ask("GET", path, query)
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == get["Content-Length"] == str(len(get.content))
    assert head["Content-Type"] == get["Content-Type"] == "application/xml; charset=utf-8"


@every_resource
def test_options_lists_the_allowed_methods(ask: Ask, path: str, query: str, allowed: str) -> None:
    response = ask("OPTIONS", path, query)
    assert (response.status_code, response.content) == (200, b"")
    assert response["Allow"] == allowed
    assert response["Content-Length"] == "0"


@every_resource
def test_every_other_method_is_refused_in_the_protocols_words(
    ask: Ask, path: str, query: str, allowed: str
) -> None:
    for method in set(METHODS) - set(allowed.split(", ")):
        response = ask(method, path, query, requestId="r-1")
        assert (response.status_code, response["Allow"]) == (405, allowed)
        error = error_of(response)
        assert (error["ErrorType"], error["ErrorData"]) == ("Method Not Allowed", method)
        assert response["requestId"] == "r-1"


@every_resource
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_and_no_parameter_makes_another_method_of_it(
    ask: Ask, path: str, query: str, allowed: str, header: str
) -> None:
    for method in set(METHODS) - set(allowed.split(", ")):
        query_too = f"{query}&_method=GET".lstrip("&")
        assert ask(method, path, query_too, **{header: "GET"}).status_code == 405
    assert ask("GET", path, query, **{header: "DELETE"}).status_code == 200


def test_an_address_that_is_nothing_is_nothing_for_every_method(ask: Ask) -> None:
    for method in METHODS:
        response = ask(method, "Nonsense")
        assert response.status_code == 404
        if method != "HEAD":
            assert error_of(response)["ErrorType"] == "Not Found"


# --- headers ------------------------------------------------------------------------------------


@every_resource
@pytest.mark.parametrize("name", ["requestId", "requestid", "REQUESTID", "RequestId"])
def test_a_request_id_comes_back_except_from_reading(
    ask: Ask, path: str, query: str, allowed: str, name: str
) -> None:
    assert ask("OPTIONS", path, query, **{name: "r-1"})["requestId"] == "r-1"
    assert ask("PATCH", path, query, **{name: "r-1"})["requestId"] == "r-1"
    assert "requestId" not in ask("GET", path, query, **{name: "r-1"})
    assert "requestId" not in ask("HEAD", path, query, **{name: "r-1"})


@pytest.mark.parametrize("value", ["", "x" * 256, "é", "a\tb"])
def test_a_request_id_that_cannot_be_one_is_dropped_and_fails_nothing(ask: Ask, value: str) -> None:
    response = ask("PUT", MEDIA, "", body_of("READY"), login="alice", requestId=value)
    assert response.status_code == 202
    assert "requestId" not in response


@every_resource
@pytest.mark.parametrize("accept", ["application/json", "text/html", "x", ""])
def test_whatever_a_client_accepts_the_answer_is_xml(
    ask: Ask, path: str, query: str, allowed: str, accept: str
) -> None:
    response = ask("GET", path, query, Accept=accept)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"


# --- bodies -------------------------------------------------------------------------------------

CHANGES = {
    # Every resource that takes a document: method, path, query, the document, the answer.
    "User": (
        "PUT",
        "User/dave",
        "",
        "<User><state>LOGIN</state><extension>1</extension></User>",
        202,
    ),
    "Media": ("PUT", "User/alice/Media/5001", "", "<Media><state>READY</state></Media>", 202),
    "MediaList": (
        "PUT",
        "User/alice/Media",
        "",
        "<MediaList><Media><id>5001</id><state>READY</state></Media></MediaList>",
        202,
    ),
    "ReasonCode": (
        "POST",
        "ReasonCode",
        "",
        "<ReasonCode><category>NOT_READY</category><code>77</code><label>Tea</label>"
        "<forAll>true</forAll></ReasonCode>",
        200,
    ),
    "ReasonCode/id": (
        "PUT",
        "ReasonCode/{lunch}",
        "",
        "<ReasonCode><label>Dinner</label></ReasonCode>",
        200,
    ),
    "Team/ReasonCodes": (
        "PUT",
        "Team/{team}/ReasonCodes",
        "category=NOT_READY",
        "<ReasonCodes><ReasonCode><uri>/finesse/api/ReasonCode/{coaching}</uri></ReasonCode>"
        "</ReasonCodes>",
        200,
    ),
}


def body_of(state: str) -> str:
    return f"<Media><state>{state}</state></Media>"


@pytest.fixture(params=CHANGES, ids=lambda name: name.replace("/", "-"))
def change(
    request: pytest.FixtureRequest, ask: Ask, codes: dict[str, ReasonCode]
) -> Callable[..., Any]:
    """Send the document of one resource, written as the test likes; the answer must be the same."""
    method, path, query, document, status = CHANGES[request.param]

    named = document.replace("{coaching}", str(codes["Coaching"].pk))

    def send(write: Callable[[str], str | bytes] = str, **options: Any) -> Any:
        login = "alice" if "alice" in path else "dave"
        response = ask(method, path, query, write(named), login=login, **options)
        assert response.status_code == status, response.content
        assert (response.content, response["Content-Length"]) == (b"", "0")
        return response

    return send


@pytest.mark.parametrize(
    "content_type",
    [
        "Application/XML",
        "application/xml",
        "text/xml",
        "TEXT/XML",
        "application/xml; charset=UTF-8",
        'application/xml;charset="utf-8"',
        "application/xml ; Charset = utf-8",
        "application/xml;charset=us-ascii",
        "application/xml; charset=ISO-8859-1",
        "application/xml; charset=utf8",
    ],
)
def test_every_way_to_name_xml_is_taken(change: Callable[..., Any], content_type: str) -> None:
    change(content_type=content_type)


@pytest.mark.parametrize("name", CHANGES)
def test_only_a_post_must_name_its_content_type(ask: Ask, name: str) -> None:
    method, path, query, document, status = CHANGES[name]
    login = "alice" if "alice" in path else "dave"
    response = ask(
        method, path, query, document.replace("{coaching}", "1"), login=login, content_type=""
    )
    if method == "POST":
        # A page of another origin could send it unasked, with remembered credentials.
        assert (response.status_code, error_of(response)["ErrorType"]) == (400, "Bad Request")
    elif "{coaching}" not in document:
        assert response.status_code == status


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml; charset=utf-16",
        "application/xml; charset=nonsense",
    ],
)
@pytest.mark.parametrize("name", CHANGES)
def test_other_content_types_are_bad_requests(ask: Ask, name: str, content_type: str) -> None:
    method, path, query, document, _ = CHANGES[name]
    login = "alice" if "alice" in path else "dave"
    response = ask(method, path, query, document, login=login, content_type=content_type)
    assert response.status_code == 400
    assert error_of(response)["ErrorType"] == "Bad Request"
    assert not MediaRequest.objects.exists()


WRITINGS: dict[str, Callable[[str], str | bytes]] = {
    "blank lines first": lambda document: f"\r\n\n \t{document}",
    "blank lines before a declaration": (
        lambda document: f'\n\n<?xml version="1.0" encoding="UTF-8"?>\n{document}'
    ),
    "byte order mark": lambda document: b"\xef\xbb\xbf" + document.encode(),
    "byte order mark, then blank lines": lambda document: b"\xef\xbb\xbf\n" + document.encode(),
    "blank lines, then byte order mark": lambda document: b"\n\xef\xbb\xbf" + document.encode(),
    "declaration": lambda document: f"<?xml version='1.0' encoding='utf-8'?>{document}",
    "declaration in capitals": lambda document: (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{document}'
    ),
    "blank lines after": lambda document: f"{document}\r\n\r\n",
    "comments": lambda document: f"<!-- a -->{document.replace('><', '><!-- b --><')}<!-- c -->",
    "indented": lambda document: document.replace("><", ">\r\n\t<"),
    "white space around texts": lambda document: re.sub(">([^<]+)<", r">\n \1\t<", document),
    "unknown elements": lambda document: document.replace(
        "><", "><x>1</x><state2><y><z></z></y></state2><", 1
    ),
    "attributes": lambda document: document.replace(">", ' x="1">', 1),
    "a namespace": lambda document: document.replace(">", ' xmlns="urn:x">', 1),
    "a processing instruction": lambda document: f"<?x y?>{document}",
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_however_a_document_is_written_it_says_the_same(
    change: Callable[..., Any], writing: str
) -> None:
    change(WRITINGS[writing])


def test_of_a_repeated_element_the_last_counts(ask: Ask) -> None:
    twice = "<Media><state>NONSENSE</state><state>READY</state></Media>"
    assert ask("PUT", MEDIA, "", twice, login="alice").status_code == 202
    assert MediaRequest.objects.get().requested == "READY"
    twice = "<Media><state>READY</state><state>NONSENSE</state></Media>"
    assert ask("PUT", MEDIA, "", twice, login="alice").status_code == 400


def test_of_a_repeated_element_the_last_counts_in_a_list_too(ask: Ask) -> None:
    twice = (
        "<MediaList><Media><id>1</id><state>NONSENSE</state><id>5001</id><state>READY</state>"
        "</Media></MediaList>"
    )
    assert ask("PUT", "User/alice/Media", "", twice, login="alice").status_code == 202
    request = MediaRequest.objects.get()
    assert (request.mrd_id, request.requested) == (5001, "READY")


def test_of_a_repeated_element_the_last_counts_in_the_configuration_too(
    ask: Ask, codes: dict[str, ReasonCode]
) -> None:
    twice = "<ReasonCode><label>First</label><label>Last</label></ReasonCode>"
    assert ask("PUT", "ReasonCode/{lunch}", "", twice).status_code == 200
    assert ReasonCode.objects.get(pk=codes["Lunch"].pk).label == "Last"


def test_of_a_repeated_element_the_last_counts_at_the_desktop_too(ask: Ask) -> None:
    twice = (
        "<User><extension></extension><state>READY</state><state>LOGIN</state>"
        "<extension>2001</extension></User>"
    )
    assert ask("PUT", "User/dave", "", twice).status_code == 202
    request = MediaRequest.objects.get()
    assert (request.requested, request.extension) == ("LOGIN", "2001")


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "body", ["", "\n", "no xml", "<a", "<Nonsense></Nonsense>", "<x/><y/>", b"\xff\xfe<\0a\0/\0>\0"]
)
def test_a_body_that_is_no_such_document_is_a_bad_request(
    ask: Ask, name: str, body: str | bytes
) -> None:
    method, path, query, _, _ = CHANGES[name]
    response = ask(method, path, query, body, login="alice" if "alice" in path else "dave")
    assert response.status_code == 400
    assert error_of(response)["ErrorType"] == "Bad Request"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH"])
def test_a_body_where_none_belongs_is_not_read(ask: Ask, method: str) -> None:
    response = ask(method, "ReasonCodes", "category=ALL", "no xml", content_type="text/plain")
    assert response.status_code == (405 if method == "PATCH" else 200)
