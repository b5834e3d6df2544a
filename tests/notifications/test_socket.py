"""The viewers' socket: handshake, frames and refusals."""

import base64
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from finesse.asgi import application
from finesse.notifications import frames
from finesse.notifications.consumers import ACCESS_ENDED
from finesse.notifications.models import Notification
from finesse.users import sign_in_threads, sign_ins
from finesse.users.models import BrowserSession, User
from tests.conftest import PASSWORD, Cast
from tests.kit.followers import write
from tests.kit.viewer_sockets import (
    answer,
    delete_by_a_statement,
    expire,
    opened,
    refused,
    sign_out_in_another_tab,
    socket,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("server_loop")]


async def test_a_frame_is_rendered_once_for_all_sockets() -> None:
    notification, twin = (
        Notification(position=1, node="n", source="s", event="PUT", at=now, update="ü")
        for now in [timezone.now()] * 2
    )
    assert frames.message(notification) is frames.message(twin)
    of_another_log = Notification(
        position=1, node="n", source="s", event="PUT", at=notification.at, update="x"
    )
    assert json.loads(frames.message(of_another_log)["text"])["update"] == "x"


async def test_a_program_signs_in_by_basic_and_gets_its_notifications(cast: Cast) -> None:
    alice = await opened(socket())
    subscribed = await answer(alice, {"type": "subscribe", "after": None})
    assert (subscribed["type"], subscribed["resume"]) == ("subscribed", "live")
    (position,) = await write("alice")
    frame = json.loads(await alice.receive_from())
    at = frame.pop("at")
    assert at.endswith("Z")
    assert frame == {
        "type": "notification",
        "position": position,
        "node": "/finesse/api/User/alice/Media",
        "source": "/finesse/api/User/alice/Media/5001",
        "event": "PUT",
        "requestId": None,
        "update": "<Update><data><x>y</x></data><event>PUT</event><requestId></requestId>"
        "<source>/finesse/api/User/alice/Media/5001</source></Update>",
    }
    await alice.disconnect()


async def test_coming_back_with_the_last_position_leaves_no_gap(cast: Cast) -> None:
    first, *missed = await write("alice", "alice", "alice")
    alice = await opened(socket())
    subscribed = await answer(alice, {"type": "subscribe", "after": first})
    assert subscribed == {"type": "subscribed", "position": missed[-1], "resume": "replayed"}
    frames = [json.loads(await alice.receive_from()) for _ in missed]
    assert [frame["position"] for frame in frames] == missed
    await alice.disconnect()


async def test_a_browser_signs_in_by_its_session(cast: Cast) -> None:
    client = Client()
    await database_sync_to_async(client.force_login)(cast.carol)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    carol = await opened(socket(None, cookie=cookie, origin="http://testserver"))
    assert (await answer(carol, {"type": "subscribe", "after": None}))["type"] == "subscribed"
    await carol.disconnect()


def delete(browser: Client) -> None:
    BrowserSession.objects.all().delete()


def expire_and_clear(browser: Client) -> None:
    expire(browser)
    call_command("clearsessions")


def sign_in_as_another_user(browser: Client) -> None:
    browser.force_login(User.objects.get(pk="dave"))


def change_the_password(browser: Client) -> None:
    user = User.objects.get(pk="carol")
    user.set_password("another one")
    user.save()


def deactivate_by_a_statement(browser: Client) -> None:
    User.objects.filter(pk="carol").update(is_active=False)


def delete_the_user_by_a_statement(browser: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM users_team_supervisors")
        cursor.execute("DELETE FROM users_user WHERE login_id = 'carol'")


def end_all_sessions(browser: Client) -> None:
    sign_ins.end_all(User.objects.get(pk="carol"))


def ask_for_a_new_password(browser: Client) -> None:
    user = User.objects.get(pk="carol")
    user.must_change_password = True
    user.save()


ACCOUNT_CHANGES = [change_the_password, end_all_sessions, ask_for_a_new_password]


@pytest.mark.parametrize("end", ACCOUNT_CHANGES)
async def test_a_programs_socket_ends_with_what_it_was_opened_with(
    cast: Cast, end: Callable[[Client], None]
) -> None:
    program, other = await opened(socket("carol")), await opened(socket("alice"))
    for one in (program, other):
        await answer(one, {"type": "subscribe", "after": None})
    await database_sync_to_async(end)(Client())
    closed = await program.receive_output(60)
    assert (closed["type"], closed["code"]) == ("websocket.close", ACCESS_ENDED)
    assert await other.receive_nothing()
    await other.disconnect()


async def test_who_must_choose_a_new_password_opens_no_socket(cast: Cast) -> None:
    await database_sync_to_async(ask_for_a_new_password)(Client())
    assert await refused(socket("carol")) == 4401


@pytest.mark.parametrize(
    "end",
    [
        *ACCOUNT_CHANGES,
        sign_out_in_another_tab,
        delete,
        delete_by_a_statement,
        expire,
        expire_and_clear,
        sign_in_as_another_user,
        deactivate_by_a_statement,
        delete_the_user_by_a_statement,
    ],
)
async def test_a_socket_ends_with_its_browsers_session_and_no_other_does(
    cast: Cast, end: Callable[[Client], None]
) -> None:
    browser = Client()
    await database_sync_to_async(browser.force_login)(cast.carol)
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    viewer = await opened(socket(None, cookie=cookie, origin="http://testserver"))
    program = await opened(socket("alice"))
    for one in (viewer, program):
        await answer(one, {"type": "subscribe", "after": None})
    await database_sync_to_async(end)(browser)
    closed = await viewer.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", ACCESS_ENDED)
    assert await program.receive_nothing()
    await program.disconnect()


@pytest.mark.parametrize(
    ("login", "password"), [("alice", "wrong"), ("nobody", PASSWORD), (None, "")]
)
async def test_without_right_credentials_the_handshake_is_refused(
    cast: Cast, login: str | None, password: str
) -> None:
    assert await refused(socket(login, password)) == 4401


async def test_a_basic_header_that_is_none_is_refused(cast: Cast) -> None:
    assert await refused(socket(None, authorization="Basic ???")) == 4401


async def test_a_password_in_iso_8859_1_is_let_in_as_over_http(cast: Cast) -> None:
    cast.alice.set_password("Grüße")
    await database_sync_to_async(cast.alice.save)()
    for encoding in ("utf-8", "latin-1"):
        encoded = base64.b64encode("alice:Grüße".encode(encoding)).decode()
        communicator = await opened(socket(None, authorization=f"Basic {encoded}"))
        await communicator.disconnect()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://[", "null", "http://testserver:81", "x"]
)
async def test_another_sites_page_may_not_use_the_browsers_session(cast: Cast, origin: str) -> None:
    client = Client()
    await database_sync_to_async(client.force_login)(cast.carol)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    assert await refused(socket(None, cookie=cookie, origin=origin)) == 4403


async def test_a_trusted_origin_may(cast: Cast, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://wallboard.example"]
    alice = await opened(socket(origin="https://wallboard.example"))
    await alice.disconnect()


@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        "1",
        "{}",
        '{"type": "publish"}',
        '{"type": "subscribe", "after": -1}',
        '{"type": "subscribe", "after": "1"}',
        '{"type": "subscribe", "after": 1.5}',
        '{"type": "subscribe", "after": true}',
        "[" * 5000,
    ],
)
async def test_a_frame_that_is_none_is_answered_and_the_socket_stays(
    cast: Cast, frame: str
) -> None:
    alice = await opened(socket())
    assert (await answer(alice, frame))["type"] == "error"
    assert (await answer(alice, {"type": "subscribe"}))["type"] == "subscribed"
    await alice.disconnect()


async def test_a_position_beyond_all_numbers_is_a_reset(cast: Cast) -> None:
    alice = await opened(socket())
    frame = {"type": "subscribe", "after": 10**30}
    assert (await answer(alice, frame))["resume"] == "reset"
    await alice.disconnect()


async def test_a_binary_frame_is_answered(cast: Cast) -> None:
    alice = await opened(socket())
    await alice.send_to(bytes_data=b"\x00")
    assert json.loads(await alice.receive_from())["type"] == "error"
    await alice.disconnect()


async def test_a_second_subscription_on_a_socket_is_refused(cast: Cast) -> None:
    alice = await opened(socket())
    await answer(alice, {"type": "subscribe"})
    assert (await answer(alice, {"type": "subscribe"}))["type"] == "error"
    await alice.disconnect()


async def test_a_socket_whose_user_is_deactivated_is_closed(cast: Cast) -> None:
    alice = await opened(socket())
    await answer(alice, {"type": "subscribe"})

    @database_sync_to_async
    def deactivate() -> None:
        user = User.objects.get(pk="alice")
        user.is_active = False
        user.save()

    await deactivate()
    closed = await alice.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", ACCESS_ENDED)


async def test_a_socket_whose_log_cannot_be_read_is_closed_to_come_back(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write("alice")
    alice = await opened(socket())

    def broken(*args: Any) -> Any:
        raise ConnectionError("the database is away")

    monkeypatch.setattr("finesse.notifications.hub.Hub.history", broken)
    await answer(alice, {"type": "subscribe", "after": 0})
    closed = await alice.receive_output()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1011)


async def test_servers_that_can_answer_the_handshake_say_401_and_challenge(cast: Cast) -> None:
    communicator = socket(None)
    communicator.scope["extensions"] = {"websocket.http.response": {}}
    await communicator.send_input({"type": "websocket.connect"})
    start = await communicator.receive_output()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert dict(start["headers"])[b"www-authenticate"].startswith(b"Basic ")


async def test_a_socket_to_no_address_is_refused_with_404(cast: Cast) -> None:
    communicator = socket()
    communicator.scope["path"] = "/ws/other/"
    assert await refused(communicator) == 4404


@pytest.mark.parametrize("away", [OperationalError("away"), RedisConnectionError("away")])
async def test_a_handshake_while_a_dependency_is_away_is_refused_with_503(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    def fail(*args: Any) -> Any:
        raise away

    monkeypatch.setattr("finesse.notifications.socket_auth.verify", fail)
    assert await refused(socket()) == 4503


async def test_a_program_signs_in_in_a_thread_that_is_counted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread that checks a password keeps a connection to the database."""
    threads: list[threading.Thread] = []

    def verify(*credentials: str) -> User | None:
        threads.append(threading.current_thread())
        return None

    monkeypatch.setattr("finesse.notifications.socket_auth.verify", verify)
    with ThreadPoolExecutor(1, thread_name_prefix="sign-in") as pool:
        monkeypatch.setattr(sign_in_threads, "POOL", pool)
        assert await refused(socket()) == 4401
    assert [thread.name for thread in threads] == ["sign-in_0"]


async def test_a_client_that_vanishes_leaves_nothing_behind(cast: Cast) -> None:
    """The answer to its frame cannot be sent, and Channels says no goodbye for it."""
    from finesse.notifications.hub import Hub

    frames = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": '{"type": "subscribe"}'},
    ]

    async def receive() -> dict[str, Any]:
        return frames.pop(0)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            raise ConnectionError("the client is gone")

    scope = {**socket().scope, "type": "websocket"}
    with pytest.raises(ConnectionError):
        await application(scope, receive, send)
    assert not (await Hub.running())._followers
