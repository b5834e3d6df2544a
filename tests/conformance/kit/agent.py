"""An agent whose Media and desktop the checks change, and put back."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from kit.client import Answer, Caller, new_request_id
from kit.configuration import Configuration
from kit.documents import OPTIONS, media, sign_in, user
from kit.evidence import Node, UnmetError
from kit.stream import Stream, Update

_PAUSE = 0.03
"""Seconds between two looks at the same object, where no notification tells of it."""


class Agent:
    def __init__(self, caller: Caller, configuration: Configuration, *, events: bool) -> None:
        self.caller = caller
        self.login = caller.login
        self.configuration = configuration
        self.mrd = configuration["mrd"]
        self.path = f"User/{self.login}"
        self.uri = f"/finesse/api/User/{self.login}"
        self._events = events
        self._stream: Stream | None = None

    @property
    def extension(self) -> str:
        """On which the agent signs in to the desktop; what needs it is skipped without one."""
        return self.configuration["extension"]

    # --- requests -------------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> Answer:
        return self.caller.get(path, **options)

    def get_media(self, mrd: str | None = None) -> Node:
        return self.get(self.media_path(mrd)).document("Media")

    def get_user(self) -> Node:
        return self.get(self.path).document("User")

    def put_media(self, body: str | bytes, mrd: str | None = None, **options: Any) -> Answer:
        return self._put(self.media_path(mrd), body, **options)

    def put_user(self, body: str | bytes, **options: Any) -> Answer:
        return self._put(self.path, body, **options)

    def put_list(self, body: str, **options: Any) -> Answer:
        return self._put(f"{self.path}/Media", body, **options)

    def _put(self, path: str, body: str | bytes, **options: Any) -> Answer:
        if self._events:
            # A client that asks before it listens may miss the outcome.
            assert self.stream
        answer = self.caller.put(path, body, **options)
        if self._stream is not None:
            self._stream.evidence = answer.evidence
        return answer

    def media_path(self, mrd: str | None = None) -> str:
        return f"{self.path}/Media/{mrd or self.mrd}"

    def media_uri(self, mrd: str | None = None) -> str:
        return f"/finesse/api/{self.media_path(mrd)}"

    # --- outcomes -------------------------------------------------------------------------------

    @property
    def stream(self) -> Stream:
        if self._stream is None:
            self._stream = Stream(self.caller)
        return self._stream

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def told(self, mrd: str | None = None) -> Update:
        """The next notification about this Media."""
        return self.stream.next(self.media_uri(mrd))

    def told_of_user(self) -> Update:
        return self.stream.next(self.uri)

    def change(self, body: str, mrd: str | None = None, **expected: object) -> Node:
        """The `<Media>` that an accepted request leads to; it must be as expected."""
        return self.outcome(self.put_media(body, mrd).accepted(), mrd, **expected)

    def outcome(self, answer: Answer, mrd: str | None = None, **expected: object) -> Node:
        """The same, of a request that has been sent."""
        if self._events:
            return self.told(mrd).whole("Media").has(**expected)
        return self._until(lambda: self.get_media(mrd), answer, expected)

    def change_user(self, body: str, by: Caller | None = None, **expected: object) -> Node:
        """The same of the `<User>`, called `<user>` in notifications."""
        if by is None:
            answer = self.put_user(body).accepted()
        else:
            if self._events:
                assert self.stream
            answer = by.put(self.path, body).accepted()
        if self._events:
            self.stream.evidence = answer.evidence
            return self.told_of_user().whole("user").has(**expected)
        return self._until(self.get_user, answer, expected)

    def fails(self, body: str, mrd: str | None = None) -> Update:
        """The error that an accepted request ends in, with the requestId that it was given."""
        request_id = new_request_id()
        self.put_media(body, mrd, request_id=request_id).accepted()
        update = self.told(mrd)
        update.error()
        return update.has(requestId=request_id)

    def is_told_nothing_before(self, mrd: str | None = None) -> None:
        """Nothing was told of this Media since the last notification that was looked at.

        A request follows whose outcome is certain, and it must be the next that is told.
        """
        request_id = self._fence(mrd)
        update = self.told(mrd)
        if update.text("requestId") != request_id:
            update.fail("no notification of the first request", "one before that of the second")

    def _fence(self, mrd: str | None) -> str:
        """Send a request that ends in an error and changes nothing; its requestId."""
        now = self.get_media(mrd)
        before = self.stream.evidence
        if now.text("state") == "LOGOUT":
            body = media("READY")
        else:
            names = ("maxDialogLimit", "interruptAction", "dialogLogoutAction")
            body = media("LOGIN", **{name: now.text(name) for name in names})
        request_id = new_request_id()
        answer = self.put_media(body, mrd, request_id=request_id).accepted()
        self.stream.evidence = f"{before}\n\nand after it\n\n{answer.evidence}"
        return request_id

    def _until(self, look: Callable[[], Node], answer: Answer, expected: dict[str, object]) -> Node:
        deadline = time.monotonic() + self.caller.waiting.seconds
        while True:
            node = look()
            if node.matches(**expected):
                return node
            if time.monotonic() > deadline:
                self.caller.waiting.was_in_vain()
                node.evidence = f"{answer.evidence}\n\nand long after it\n\n{node.evidence}"
                return node.has(**expected)
            threading.Event().wait(_PAUSE)

    # --- arranging ------------------------------------------------------------------------------

    def reason(self, state: str) -> str | None:
        """The id of a reason that the agent may give for this state, if any is configured."""
        setting = {"NOT_READY": "not_ready", "LOGOUT": "logout"}.get(state)
        return (self.configuration.get(setting) or None) if setting else None

    def body(self, state: str, reason: str | None = None) -> str:
        return media(state, reasonCodeId=reason or self.reason(state))

    def is_in(self, state: str, mrd: str | None = None, reason: str | None = None) -> None:
        """Bring a Media into LOGOUT, NOT_READY (for this reason, if one is given) or READY."""
        shown = self.get_media(mrd)
        now = shown.text("state")
        other_reason = state == "NOT_READY" and reason not in {None, shown.text("reasonCodeId")}
        if now == state and not other_reason:
            return
        if now in {"LOGOUT", "WORK"}:
            self.change(sign_in(), mrd, state="NOT_READY")
            now = "NOT_READY"
        elif now not in {"NOT_READY", "READY"}:
            # An agent who works on tasks can only leave them.
            self.change(self.body("NOT_READY"), mrd, state="NOT_READY")
            now = "NOT_READY"
        if now != state or reason:
            self.change(self.body(state, reason), mrd, state=state)

    def is_fresh(self, mrd: str | None = None, **options: object) -> Node:
        """Sign the agent in anew, with these options."""
        self.is_in("LOGOUT", mrd)
        return self.change(sign_in(**options), mrd, state="NOT_READY")

    def desktop_is_in(self, state: str, extension: str = "") -> None:
        """Bring the desktop into LOGOUT, NOT_READY or READY; `extension` is for a sign-in."""
        now = self.get_user().text("state")
        if now == state:
            return
        if now == "LOGOUT":
            body = user("LOGIN", extension=extension or self.extension)
            self.change_user(body, state="NOT_READY")
            now = "NOT_READY"
        if state != "READY" and now != "NOT_READY":
            reason = self.reason("NOT_READY")
            self.change_user(user("NOT_READY", reasonCodeId=reason), state="NOT_READY")
            now = "NOT_READY"
        if state != now:
            self.change_user(user(state, reasonCodeId=self.reason(state)), state=state)

    # --- putting back ---------------------------------------------------------------------------

    def remember(self, mrds: list[str]) -> "Before":
        return Before(self.get(self.path), {mrd: self.get_media(mrd) for mrd in mrds})

    def restore(self, before: "Before") -> None:
        """As it was; what only tasks or the system lead to becomes NOT_READY."""
        try:
            if before.user.status == 200:
                self._restore_user(before.user.document("User"))
        finally:
            for mrd, node in before.media.items():
                self._restore_media(mrd, node)

    def _restore_user(self, node: Node) -> None:
        state, reason = node.text("state"), node.text("reasonCodeId")
        extension = node.element.findtext("extension") or self.configuration.get("extension")
        self.desktop_is_in(state if state in {"LOGOUT", "READY"} else "NOT_READY", extension)
        if state != "LOGOUT" and self.get_user().text("extension") != extension:
            self.change_user(user("LOGIN", extension=extension), extension=extension)
        if state == "NOT_READY" and reason != self.get_user().text("reasonCodeId") != "":
            if reason == "-1":
                self.desktop_is_in("LOGOUT")
                self.change_user(user("LOGIN", extension=extension), state="NOT_READY")
            else:
                self.change_user(user("NOT_READY", reasonCodeId=reason), reasonCodeId=reason)

    def _restore_media(self, mrd: str, node: Node) -> None:
        state = node.text("state")
        if state == "LOGOUT":
            self.is_in("LOGOUT", mrd)
            return
        names = ("maxDialogLimit", "interruptAction", "dialogLogoutAction")
        options = {name: node.text(name) for name in names}
        reason = node.text("reasonCodeId")
        self.is_fresh(mrd, **options)
        if state == "NOT_READY" and reason != "-1":
            self.change(media("NOT_READY", reasonCodeId=reason), mrd, reasonCodeId=reason)
        elif state != "NOT_READY":
            self.change(media("READY"), mrd, state="READY")
        if node.text("routable") == "false":
            self.change(media(routable="false"), mrd, routable="false")

    def calms_down(self, mrds: list[str]) -> None:
        """After a check that failed: wait until whatever it asked for has had its outcome."""
        with contextlib.suppress(UnmetError):
            for mrd in mrds:
                request_id = self._fence(mrd)
                while self.told(mrd).text("requestId") != request_id:
                    pass


class Before:
    """An agent before the checks."""

    def __init__(self, user: Answer, media: dict[str, Node]) -> None:
        self.user = user
        self.media = media


assert set(OPTIONS) == {"maxDialogLimit", "interruptAction"}
