"""The viewer's pages and the board behind them."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse.notifications import frames, log
from finesse.users.models import BrowserSession, User
from media.models import Cause, Media
from media.states import Requested, State
from media.writing.acceptance import accept
from media.writing.requests import new_request
from reasoncodes.models import ReasonCode
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
    words = dict(json.loads(found[1]))
    states = [*words]
    assert sorted(states) == sorted(State)
    assert states[0] == "READY"
    assert states[-2:] == ["NOT_READY", "LOGOUT"]
    assert (words["NOT_READY"], words["LOGOUT"]) == ("Not ready", "Signed out")


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


def test_the_board_shows_the_same_media_as_get(
    api: API, settle: Callable[[], Any], codes: dict[str, ReasonCode]
) -> None:
    api.put(LOGIN)
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    board = signed_in("carol").get("/board/").json()
    assert board["mrds"]["5001"] == "Email"
    assert board["position"] == log.head().place.number
    row, got = board["media"][1], fromstring(api.get().content)
    assert (row["user"], row["mrd"]) == ("alice", got.findtext("id"))
    assert row["state"] == got.findtext("state")
    assert row["routable"] == (got.findtext("routable") == "true")
    reason = {name: got.findtext(f"ReasonCode/{name}") for name in ("id", "label", "code")}
    assert row["reason"] == reason
    changed = datetime.fromisoformat(got.findtext("stateChangeTime") or "")
    assert row["since"] == int(changed.timestamp() * 1000)


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        ("alice", {"alice": False}),
        ("carol", {"alice": True}),
        ("dave", {"alice": True, "bob": True}),
    ],
)
def test_the_board_says_on_whom_the_user_may_act(login: str, expected: dict[str, bool]) -> None:
    users = signed_in(login).get("/board/").json()["users"]
    assert {user["id"]: user["mayAct"] for user in users} == expected


def test_supervisors_do_not_act_on_themselves_in_their_own_team() -> None:
    carol = User.objects.get(pk="carol")
    carol.team = carol.supervised_teams.get()
    carol.save()
    Media.objects.create(user=carol, mrd_id=5000)
    users = signed_in("carol").get("/board/").json()["users"]
    assert {user["id"]: user["mayAct"] for user in users} == {"alice": True, "carol": False}


def by_carol(requested: Requested, mrd_id: int | None = 5001, **more: Any) -> None:
    options = {"cause": Cause.SUPERVISOR, "actor": "carol", **more}
    accept([new_request("alice", mrd_id, requested, **options)])


def origin(login: str = "dave") -> Any:
    row = signed_in(login).get("/board/").json()["media"][1]
    return row["reason"] and row["reason"]["label"], row["by"]


CAROL = {"id": "carol", "name": "Carol"}


def test_the_board_says_who_brought_a_state_about(
    api: API, settle: Callable[[], Any], codes: dict[str, ReasonCode]
) -> None:
    api.put(LOGIN)
    settle()
    assert origin() == (None, None)
    by_carol(Requested.READY, note="The queue is long")
    settle()
    assert origin() == (
        None,
        {
            "cause": "supervisor",
            "actor": CAROL,
            "note": "The queue is long",
            "requested": "READY",
        },
    )
    api.state("NOT_READY", codes["Lunch"].pk)
    settle()
    by_carol(Requested.CORRECT_REASON, reason_code=codes["Coaching"], note="With me")
    settle()
    label, by = origin()
    assert label == "Coaching"
    assert by == {
        "cause": "supervisor",
        "actor": CAROL,
        "note": "With me",
        "requested": "CORRECT_REASON",
    }
    api.state("READY")
    settle()
    assert origin() == (None, None)


def test_the_board_shows_the_reason_of_a_sign_out_and_so_does_its_notification(
    api: API, settle: Callable[[], Any], codes: dict[str, ReasonCode]
) -> None:
    api.put(LOGIN)
    settle()
    api.state("LOGOUT", codes["End of shift"].pk)
    (*_, published) = settle()
    assert origin() == ("End of shift", None)
    told = json.loads(frames.message(published)["text"])["context"]
    assert told["reason"]["label"] == "End of shift"
    assert (told["cause"], told["actor"], told["note"]) == ("self", None, "")


def test_the_board_shows_desktops_that_are_in_use(api: API, settle: Callable[[], Any]) -> None:
    client = signed_in("carol")
    (alice,) = client.get("/board/").json()["users"]
    assert alice["desktop"] is None
    body = "<User><state>LOGIN</state><extension>1001</extension></User>"
    assert api.request("PUT", "User/alice", body).status_code == 202
    settle()
    (alice,) = client.get("/board/").json()["users"]
    assert alice["desktop"]["state"] == "NOT_READY"


def test_a_session_is_renewed_by_a_board_on_a_wall_and_by_nobody_else() -> None:
    client = signed_in("carol")
    sessions = BrowserSession.objects.filter(pk=client.session.session_key)
    sessions.update(expire_date=timezone.now() + timedelta(minutes=5))
    assert client.get("/board/").status_code == 200
    assert sessions.get().expire_date < timezone.now() + timedelta(minutes=6)
    assert client.get("/board/session/").status_code == 405
    assert client.post("/board/session/").status_code == 204
    assert sessions.get().expire_date > timezone.now() + timedelta(days=13)
    assert Client().post("/board/session/").status_code == 401
    assert Client(enforce_csrf_checks=True).post("/board/session/").status_code == 403


def test_the_page_names_all_scripts_that_it_needs() -> None:
    page = signed_in("carol").get("/").content.decode()
    assert "board/agents.js" in page
    assert "board/signed-out.js" not in page


def test_what_loads_the_page_again_comes_before_all_that_it_waits_for() -> None:
    page = signed_in("carol").get("/").content.decode()
    assert page.index("board/load-again.js") < page.index('rel="stylesheet"')
    assert page.index("board/load-again.js") < page.index("modulepreload")


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
    with django_assert_max_num_queries(16):
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
