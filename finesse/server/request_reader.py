"""Reads requests from a connection as RFC 9112 has them, where h11 does otherwise.

- Empty lines before a request are skipped (2.2): some clients end each body by a line that its
  length does not count.
- A header that goes on in the next line is refused (5.2), since not everybody in between reads it
  alike.
- A request of another version than HTTP/1 is refused (2.3).
"""

import re

import h11

MAX_HEAD_BYTES = 64 * 1024
"""The longest head of a request, with its target and headers."""
MAX_EMPTY_LINES = 20
"""So many empty lines in a row are skipped."""

_EMPTY_LINES = re.compile(rb"(?:\r?\n)*")
_FOLDED_HEADER = re.compile(rb"\n[ \t]")


class RequestReader(h11.Connection):
    """A server's connection."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self._empty_lines = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Raises h11.RemoteProtocolError for what is no request."""
        if self.their_state is not h11.IDLE:
            return super().next_event()
        self._skip_empty_lines()
        received, is_closed = self.trailing_data
        if received == b"\r" and not is_closed:
            # The rest of an empty line may follow; h11 takes it for garbage.
            return h11.NEED_DATA
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._empty_lines = 0
            body, _ = self.trailing_data
            _check(event, received[: len(received) - len(body)])
        return event

    def _skip_empty_lines(self) -> None:
        received, is_closed = self.trailing_data
        found = _EMPTY_LINES.match(received)
        if not found or not found[0] or self.our_state is not h11.IDLE:
            return
        self._empty_lines += found[0].count(b"\n")
        if self._empty_lines > MAX_EMPTY_LINES:
            return
        # Nothing that was received can be taken back; both sides begin anew.
        h11.Connection.__init__(self, h11.SERVER, MAX_HEAD_BYTES)
        if rest := received[found.end() :]:
            self.receive_data(rest)
        if is_closed:
            self.receive_data(b"")


def _check(request: h11.Request, head: bytes) -> None:
    if not request.http_version.startswith(b"1."):
        raise h11.RemoteProtocolError("another version than HTTP/1")
    if _FOLDED_HEADER.search(head):
        raise h11.RemoteProtocolError("a header that goes on in the next line")
