"""A program that watches: HTTP Basic at the handshake, subscribe, then frames."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.conftest import basic


class Watcher:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def receive(self, timeout: float = 10) -> dict[str, Any]:
        return json.loads(self.connection.recv(timeout))

    def subscribe(self, after: int | None = None) -> dict[str, Any]:
        self.connection.send(json.dumps({"type": "subscribe", "after": after}))
        return self.receive()

    def until(self, position: int, timeout: float = 30) -> list[dict[str, Any]]:
        """Everything up to the notification at `position`."""
        seen = []
        while not seen or seen[-1]["position"] < position:
            seen.append(self.receive(timeout))
        return seen


@contextmanager
def watch(url: str, login: str, password: str = "finesse") -> Iterator[Watcher]:
    address = url.replace("http", "ws", 1) + "/ws/notifications/"
    headers = {"Authorization": basic(login, password)}
    with connect(address, additional_headers=headers) as connection:
        yield Watcher(connection)
