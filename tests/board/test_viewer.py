"""The viewer's pages and the board behind them."""

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.core.cache import cache
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse.notifications import log
from finesse.users.models import User
from media.states import State
from tests.conftest import API, LOGIN, PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("cast")


def signed_in(login_id: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=login_id))
    return client


def test_the_page_asks_to_sign_in_first_and_comes_back() -> None:
    client = Client()
    answer = client.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")
    answer = client.post("/login/?next=/", {"username": "alice", "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = client.get("/")
    assert (page.status_code, page.context["role"]) == (200, "agent")


def test_a_wrong_password_is_an_error_and_the_demos_logins_are_shown_in_the_demo_only() -> None:
    page = Client().post("/login/", {"username": "alice", "password": "wrong"})
    assert page.status_code == 200
    assert b"do not belong together" in page.content
    assert b"2001" not in page.content


def test_the_demos_sign_in_page_names_its_logins(settings: Any) -> None:
    settings.FINESSE_DEMO = True
    assert b"2001" in Client().get("/login/").content


def test_the_page_lists_every_state_with_the_unavailable_ones_last() -> None:
    page = signed_in("alice").get("/").content.decode()
    found = re.search(r'<script id="states" type="application/json">(.+?)</script>', page)
    assert found
    states = json.loads(found[1])
    assert sorted(states) == sorted(State)
    assert states[0] == "READY"
    assert states[-2:] == ["NOT_READY", "LOGOUT"]


def test_the_pages_allow_nothing_from_elsewhere() -> None:
    for page in (Client().get("/login/"), signed_in("alice").get("/")):
        assert page["Content-Security-Policy"].startswith("default-src 'self'")
        assert page["X-Frame-Options"] == "DENY"


def test_signing_out_needs_a_post_and_ends_the_session() -> None:
    client = signed_in("alice")
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert client.get("/board/").status_code == 401


@pytest.mark.parametrize(
    ("login", "sources"),
    [
        ("alice", ["alice/Media/5000", "alice/Media/5001"]),
        ("bob", ["bob/Media/5002"]),
        ("carol", ["alice/Media/5000", "alice/Media/5001"]),
        ("dave", ["alice/Media/5000", "alice/Media/5001", "bob/Media/5002"]),
    ],
)
def test_the_board_shows_the_agents_that_the_user_may_see(login: str, sources: list[str]) -> None:
    board = signed_in(login).get("/board/").json()
    assert [row["source"] for row in board["media"]] == [
        f"/finesse/api/User/{one}" for one in sources
    ]


def test_the_board_shows_the_same_media_as_get(api: API, settle: Callable[[], Any]) -> None:
    api.put(LOGIN)
    settle()
    board = signed_in("carol").get("/board/").json()
    row = board["media"][1]
    assert row["user"] == {"id": "alice", "name": "Alice", "team": "Chat"}
    assert row["mrd"] == {"id": "5001", "name": "Email"}
    assert board["position"] == log.head().place.number
    shown, got = fromstring(row["media"]), fromstring(api.get().content)
    assert [(one.tag, one.text) for one in shown] == [(one.tag, one.text) for one in got]


def test_the_stream_begins_with_the_last_notifications_that_one_may_see(
    api: API, settle: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.board.views.RECENT", 2)
    settle()
    for _ in range(3):
        api.state("READY")
    published = settle()
    assert signed_in("alice").get("/board/").json()["replayFrom"] == published[0].place.number
    of_bob = signed_in("bob").get("/board/").json()
    assert of_bob["replayFrom"] < published[0].place.number


def test_the_boards_queries_do_not_grow_with_the_agents(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    client = signed_in("dave")
    with django_assert_max_num_queries(9):
        client.get("/board/")


def test_a_page_that_is_not_there_is_a_404() -> None:
    assert Client().get("/nonsense").status_code == 404


def test_a_page_whose_dependency_is_away_says_out_of_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise RedisConnectionError("refused")

    client = Client(raise_request_exception=False)
    with monkeypatch.context() as broken:
        broken.setattr(cache, "get", away)
        page = client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert page.status_code == 503
    assert b"Out of service" in page.content


def test_a_user_who_is_deactivated_at_this_moment_signs_in_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = signed_in("alice")
    head = log.head

    def head_just_after() -> Any:
        User.objects.filter(pk="alice").update(is_active=False)
        return head()

    monkeypatch.setattr(log, "head", head_just_after)
    assert client.get("/board/").status_code == 401


def test_a_session_cookie_that_cannot_be_one_is_no_session() -> None:
    client = Client(raise_request_exception=False)
    for cookie in ("\0" * 8, "../../etc", "x" * 500, "é" * 32):
        client.cookies["sessionid"] = cookie
        assert client.get("/board/").status_code == 401
