"""Notifications as they come on the socket of Finesse Media [docs/api.md].

Another server's own transport can be put here: a class with `open`, `next` and `close`.
"""

import base64
import json
import ssl
import time
from collections import deque
from contextlib import AbstractContextManager, ExitStack
from typing import Any, NoReturn
from xml.etree.ElementTree import ParseError, fromstring

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from kit.client import Caller
from kit.evidence import Node, fail, shown


class Update(Node):
    """An `<Update>` with the frame that carried it."""

    def __init__(self, frame: dict[str, Any], after: str) -> None:
        self.frame = frame
        text = str(frame.get("update", ""))
        about = "\n".join(f"{name}: {frame.get(name)}" for name in ("node", "position"))
        evidence = f"{after}\n\nthe notification\n{about}\n{shown(text)}".strip()
        try:
            super().__init__(fromstring(text), evidence)
        except ParseError as error:
            fail("an <Update> as text in the notification", str(error), evidence)
        self.is_called("Update")

    @property
    def data(self) -> Node:
        """What `<data>` holds."""
        data = self.child("data")
        if len(data.names) != 1:
            self.fail("<data> with one element", f"{len(data.names)} of them")
        return data.child(data.names[0])

    def whole(self, name: str) -> Node:
        return self.data.is_called(name)

    def error(self) -> Node:
        """The one `<apiError>`."""
        errors = self.data.is_called("apiErrors")
        errors.has_exactly("apiError")
        return errors.child("apiError")

    def refuses(
        self, data: object, message: str, *, media: object = None, request_id: str | None = None
    ) -> "Update":
        error = self.error().has(errorData=data, errorMessage=message)
        if media is not None:
            error.has(errorMedia=media)
        if request_id is not None:
            self.has(requestId=request_id)
        return self


def handshake(caller: Caller, **options: Any) -> AbstractContextManager[ClientConnection]:
    """The socket, opened as the caller; raises what websockets raises."""
    address = caller.url.replace("http", "ws", 1) + "/ws/notifications/"
    if caller.credentials is not None:
        encoded = base64.b64encode(":".join(caller.credentials).encode()).decode()
        options.setdefault("additional_headers", {"Authorization": f"Basic {encoded}"})
    if caller.insecure and address.startswith("wss:"):
        options["ssl"] = ssl._create_unverified_context()
    opened: AbstractContextManager[ClientConnection] = connect(
        address, open_timeout=caller.waiting.wait_limit, proxy=None, **options
    )
    return opened


class Stream:
    """What a user is told, from the moment of subscribing."""

    def __init__(self, caller: Caller, after: int | None = None) -> None:
        self.caller = caller
        self.evidence = ""
        """The exchange that the next notification is the outcome of."""
        self._aside: dict[str, deque[Update]] = {}
        self._opened = ExitStack()
        try:
            self._socket = self._opened.enter_context(handshake(caller))
        except (OSError, WebSocketException) as error:
            fail("the socket /ws/notifications/ to open", repr(error), f"as {caller.login}")
        self.say({"type": "subscribe", "after": after})
        self.subscribed = self.hear()
        if self.subscribed.get("type") != "subscribed":
            fail("a subscription", str(self.subscribed), f"as {caller.login}")

    @property
    def position(self) -> int:
        return int(self.subscribed["position"])

    def close(self) -> None:
        self._opened.close()

    def fail(self, expected: str, came: str) -> NoReturn:
        fail(expected, came, self.evidence or f"on the socket of {self.caller.login}")

    def say(self, frame: object) -> None:
        self._socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    def hear(self, wait_limit: float | None = None) -> dict[str, Any]:
        """The next frame."""
        waiting = self.caller.waiting
        try:
            text = self._socket.recv(waiting.seconds if wait_limit is None else wait_limit)
            frame = json.loads(text)
        except TimeoutError:
            waited = waiting.seconds
            waiting.was_in_vain()
            self.fail("a notification", f"none within {waited:.1f} seconds")
        except (OSError, ValueError, WebSocketException) as error:
            self.fail("a JSON frame", repr(error))
        if not isinstance(frame, dict):
            self.fail("a JSON object", str(frame))
        return frame

    def next_of_all(self) -> Update:
        """The next notification, whatever it is about."""
        deadline = time.monotonic() + self.caller.waiting.seconds
        while True:
            frame = self.hear(max(0.0, deadline - time.monotonic()))
            # The service may go out of service, and other people's teams may change.
            of_the_service = str(frame.get("node", "")).lower().endswith("/systeminfo")
            if frame.get("type") == "notification" and not of_the_service:
                return Update(frame, self.evidence)

    def next(self, source: str) -> Update:
        """The next notification about this object; those about others wait for their turn."""
        waiting = self._aside.setdefault(source, deque())
        while not waiting:
            update = self.next_of_all()
            self._aside.setdefault(str(update.frame.get("source")), deque()).append(update)
        return waiting.popleft()

    def next_on(self, node: str) -> Update:
        """The next notification of a node, of those that have not been taken yet."""
        while True:
            update = self.next_of_all()
            if update.frame.get("node") == node:
                return update
