"""A program that watches: HTTP Basic at the handshake, subscribe, then frames."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import basic
from tests.kit.installation import TIMEOUT_SECONDS


class Watcher:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def receive(self, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        return json.loads(self.connection.recv(timeout))

    def subscribe(self, after: int | None = None) -> dict[str, Any]:
        self.connection.send(json.dumps({"type": "subscribe", "after": after}))
        return self.receive()

    def until(self, position: int, timeout: float = TIMEOUT_SECONDS) -> list[dict[str, Any]]:
        """Everything up to the notification at `position`."""
        seen = []
        while not seen or seen[-1]["position"] < position:
            seen.append(self.receive(timeout))
        return seen


@contextmanager
def watch(url: str, login: str, password: str = "finesse") -> Iterator[Watcher]:
    address = url.replace("http", "ws", 1) + "/ws/notifications/"
    headers = {"Authorization": basic(login, password)}
    with _connected(address, headers) as connection:
        yield Watcher(connection)


def _connected(address: str, headers: dict[str, str]) -> ClientConnection:
    """Ask again after 503: a busy machine may need longer than a handshake is given."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            return connect(address, additional_headers=headers, open_timeout=TIMEOUT_SECONDS)
        except InvalidStatus as refused:
            if refused.response.status_code != 503 or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
