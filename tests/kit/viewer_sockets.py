"""The viewers' socket inside this process, and what ends a browser's session."""

import json
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from finesse.asgi import application
from finesse.users.models import BrowserSession
from tests.conftest import PASSWORD, basic
from tests.kit.communicator import PatientCommunicator

Headers = list[tuple[bytes, bytes]]


def socket(login: str | None = "alice", password: str = PASSWORD, **headers: str) -> Any:
    given: Headers = [(b"host", b"testserver")]
    if login is not None:
        given.append((b"authorization", basic(login, password).encode()))
    given += [(name.encode(), value.encode()) for name, value in headers.items()]
    return PatientCommunicator(application, "/ws/notifications/", headers=given)


async def opened(communicator: Any) -> Any:
    connected, _ = await communicator.connect()
    assert connected
    return communicator


async def refused(communicator: Any) -> int:
    connected, code = await communicator.connect()
    assert not connected
    return int(code)


async def answer(communicator: Any, frame: Any) -> dict[str, Any]:
    await communicator.send_to(text_data=frame if isinstance(frame, str) else json.dumps(frame))
    return json.loads(await communicator.receive_from())  # type: ignore[no-any-return]


def sign_out_in_another_tab(browser: Client) -> None:
    browser.post("/logout/")


def delete_by_a_statement(browser: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM users_browsersession")


def expire(browser: Client) -> None:
    BrowserSession.objects.update(expire_date=timezone.now())
