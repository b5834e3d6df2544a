"""The lists of all users and teams, and the lists that desktops ask for and that are empty."""

import contextlib
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finesse.users.models import Team, User
from media.documents import user as documents
from media.models import Desktop
from tests.conftest import API, Cast, error_of

pytestmark = pytest.mark.usefixtures("cast")


@pytest.mark.parametrize("path", ["Users", "Users/", "Users?nocache=1&bypassServerCache=true"])
def test_an_administrator_reads_all_users_each_as_a_whole(
    api: API, cast: Cast, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "USERS_PER_PAGE", 2)
    Desktop.objects.create(user=cast.bob, state="READY", extension="1001")
    response = api.request("GET", path, login="dave")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    text = b"".join(response.streaming_content)
    assert response["Content-Length"] == str(len(text))
    root = fromstring(text)
    assert root.tag == "Users"
    assert [one.findtext("loginId") for one in root] == ["alice", "bob", "carol", "dave"]
    for listed in root:
        alone = fromstring(api.request("GET", f"User/{listed[4].text}", login="dave").content)
        assert [(one.tag, one.text) for one in listed.iter() if (one.text or "").strip()] == [
            (one.tag, one.text) for one in alone.iter() if (one.text or "").strip()
        ]


def test_a_list_reads_as_any_other_document(api: API) -> None:
    text = b"".join(api.request("GET", "Users", login="dave").streaming_content).decode()
    alone = api.request("GET", "User/alice", login="dave").content.decode()
    assert text.startswith("<Users>\n  <User>\n    <dialogs>")
    assert text.endswith("\n  </User>\n</Users>\n")
    assert "  " + alone.rstrip().replace("\n", "\n  ") in text


@pytest.mark.parametrize("path", ["Teams", "Teams/", "Teams?nocache=1&bypassServerCache=true"])
def test_an_administrator_reads_all_teams(api: API, path: str) -> None:
    root = fromstring(api.request("GET", path, login="dave").content)
    assert (root.tag, {one.tag for one in root}) == ("Teams", {"Team"})
    expected = [
        [("uri", f"/finesse/api/Team/{one.pk}"), ("id", str(one.pk)), ("name", one.name)]
        for one in Team.objects.order_by("pk")
    ]
    assert [[(child.tag, child.text) for child in one] for one in root] == expected
    assert api.request("GET", f"Team/{root[0][1].text}", login="dave").status_code == 200


@pytest.mark.parametrize("path", ["Users", "Teams"])
@pytest.mark.parametrize("login", ["alice", "carol"])
def test_everybody_else_may_not_read_the_lists(api: API, path: str, login: str) -> None:
    response = api.request("GET", path, login=login)
    assert response.status_code == 401
    assert error_of(response) == {
        "ErrorData": login,
        "ErrorMessage": "The user is not authorized to perform this operation",
        "ErrorType": "Unauthorized",
    }
    assert api.request("GET", path, login=None).status_code == 401
    assert api.request("PUT", path, "<Users/>", login="dave").status_code == 405


def test_many_users_take_few_queries_and_little_memory(api: API, cast: Cast) -> None:
    many = [
        User(login_id=f"agent{number:05}", first_name="A" * 40, team=cast.alice.team)
        for number in range(5_000)
    ]
    User.objects.bulk_create(many)
    del many
    with CaptureQueriesContext(connection) as queries:
        assert list(api.request("GET", "Users", login="dave").streaming_content)
    assert len(queries) < 70
    with memory_of_its_own() as memory:
        response = api.request("GET", "Users", login="dave")
        peak = memory()
    # All of it, which closes the file, before anything can fail.
    seen = sum(piece.count(b"<loginId>") for piece in _lines(response))
    size = int(response["Content-Length"])
    assert seen == User.objects.count() == 5_004
    assert peak < size, (peak, size)


@contextlib.contextmanager
def memory_of_its_own() -> Iterator[Callable[[], int]]:
    """The most bytes that were allocated within, when it is called.

    Pages that were read are garbage in circles. How soon that is collected depends on how many
    other objects the process has, so these are set aside, and the collector comes often.
    """
    usual = gc.get_threshold()
    gc.collect()
    gc.freeze()
    # Now it knows that there is little to look after, and makes whole rounds often.
    gc.collect()
    gc.set_threshold(usual[0], 1, 1)
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.set_threshold(*usual)
        gc.unfreeze()


def _lines(response: Any) -> Any:
    """The lines, since a piece may end within a word."""
    rest = b""
    for piece in response.streaming_content:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


LISTS = ["Queues", "WrapUpReasons", "PhoneBooks", "MediaPropertiesLayouts", "ClientLog"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("login", ["alice", "dave"])
def test_what_desktops_ask_for_at_their_start_is_there_and_empty(
    api: API, name: str, login: str
) -> None:
    for path in (f"User/alice/{name}", f"User/alice/{name}/"):
        response = api.request("GET", path, login=login)
        assert (response.status_code, response.content.decode()) == (200, f"<{name}></{name}>\n")


@pytest.mark.parametrize("name", LISTS)
def test_the_empty_lists_are_the_users_own(api: API, name: str) -> None:
    refused = api.request("GET", f"User/bob/{name}", login="alice")
    assert error_of(refused)["ErrorType"] == "Invalid Authorization User Specified"
    assert api.request("GET", f"User/nobody/{name}", login="dave").status_code == 404
    assert api.request("PUT", f"User/alice/{name}", "<x/>").status_code == 405


LONG_LOG = "<ClientLog><logData>{}</logData></ClientLog>".format(
    '08:15:02 GET /finesse/api/User/1234?nocache=1733 it\'s "200"\n' * 1_000
)
LOG = "<ClientLog><logData>08:15:02 INFO &lt;start&gt;\n08:15:03 ERROR …</logData></ClientLog>"


@pytest.mark.parametrize("body", [LOG, LONG_LOG, "<ClientLog><logData/></ClientLog>"])
def test_a_desktop_posts_its_log(api: API, body: str) -> None:
    response = api.request("POST", "User/alice/ClientLog", body.encode(), requestId="log-1")
    assert (response.status_code, response.content) == (202, b"")
    assert response["requestId"] == "log-1"
    other = api.request("POST", "User/alice/ClientLog", body.encode(), login="dave")
    assert error_of(other)["ErrorType"] == "Invalid Authorization User Specified"


@pytest.mark.parametrize(
    ("body", "error_type", "data"),
    [
        ("<ClientLog></ClientLog>", "Parameter Missing", "logData"),
        ("<ClientLog><other/></ClientLog>", "Parameter Missing", "logData"),
        ("<logData>x</logData>", "Bad Request", ""),
        ("", "Bad Request", ""),
    ],
)
def test_a_log_without_data_is_refused(api: API, body: str, error_type: str, data: str) -> None:
    response = api.request("POST", "User/alice/ClientLog", body)
    error = error_of(response)
    assert (response.status_code, error["ErrorType"], error["ErrorData"]) == (400, error_type, data)
