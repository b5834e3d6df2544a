"""Traces of requests, by OpenTelemetry: how long each step took, in whichever process it was done.

Off by default (FINESSE_TRACES): then we import nothing of OpenTelemetry, and what is called for
each request does nothing. A step is told of when it is over, so no span is kept open meanwhile.

All processes make the same ids out of what the request's row says (`Traced.trace_key`): so the
steps of one request are one trace without a column for it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured

from finesse import log_context
from finesse.process_name import process_name

CHANGE = "change"
"""The span of the whole: of a PUT, from its first check to the bell."""
AUTHENTICATE, CHECK, SAVE, RING = "authenticate", "check", "save", "ring"
"""Steps of the server, in their order. SAVE ends with the commit."""
WAIT, APPLY, PUBLISH = "wait", "apply", "publish"
"""Steps of a worker: until a batch has the request, until its commit, until a transport has it."""
DELIVER = "deliver"
"""A server's, until the sockets that may see it are called."""
TRACEPARENT = "HTTP_TRACEPARENT"
_FULL = 1 << 64


class Traced(Protocol):
    """A request that was accepted."""

    accepted_at: datetime
    applied_at: datetime | None

    def trace_key(self) -> str:
        """The same in every process, and no other request's."""
        ...

    def log_fields(self) -> Mapping[str, object]: ...


on = False


def _none(positions: Sequence[int]) -> Mapping[int, Traced]:
    return {}


look_up: Callable[[Sequence[int]], Mapping[int, Traced]] = _none
"""The requests whose outcomes are at these positions of the log; the app that has them sets it."""


def _nothing(*_: object) -> None:
    pass


begin: Callable[[Mapping[str, Any]], None] = _nothing
"""To be called with the headers (as in META) of a request that may come to be accepted."""
mark: Callable[[str], None] = _nothing
"""To be called when the server has done a step of such a request."""


def start(share: float, exporter: Any = None) -> None:
    """Trace this share of requests from now on, and send spans to the exporter (default: OTLP).

    Raises ImproperlyConfigured if OpenTelemetry is not installed.
    """
    global on, begin, mark, _spans
    try:
        from finesse.spans import Spans
    except ImportError as error:
        raise ImproperlyConfigured(
            "FINESSE_TRACES needs OpenTelemetry: pip install --require-hashes "
            f"--requirement requirements-traces.txt ({error})"
        ) from None
    _spans = Spans(exporter)
    _spans.below = int(share * _FULL)
    on, begin, mark = True, _begin, _mark


def stop() -> None:
    """Send what is left, and trace nothing more."""
    global on, begin, mark
    on, begin, mark = False, _nothing, _nothing
    _spans.end()


_spans: Any = None


_NOTHING = object()


class _Steps(threading.local):
    """Of what this thread serves."""

    subject: object = _NOTHING
    ends: list[tuple[str, int]]
    traceparent = ""


_steps = _Steps()


def _begin(headers: Mapping[str, Any]) -> None:
    _steps.subject = log_context.subject.get()
    _steps.ends = [("", time.time_ns())]
    _steps.traceparent = headers.get(TRACEPARENT, "")


def _mark(step: str) -> None:
    if _steps.subject is not log_context.subject.get():
        # No request of the API: a page, or a task.
        _begin({})
    _steps.ends.append((step, time.time_ns()))


def accepted(requests: Iterable[Traced]) -> None:
    """To be called when they are saved and the bell has rung."""
    (_, first), *ends = _steps.ends
    for request in _chosen(requests):
        trace = _spans.root(
            CHANGE,
            request.trace_key(),
            (first, ends[-1][1]),
            _attributes(request),
            _steps.traceparent,
        )
        begun = first
        for step, end in ends:
            trace(step, (begun, end))
            begun = end
    _steps.subject = _NOTHING


def applied(requests: Iterable[Traced], consequences: Iterable[Traced] = ()) -> None:
    """To be called after the commit. What the writer itself has asked for begins here."""
    now = time.time_ns()
    for request in _chosen(consequences):
        _spans.root(CHANGE, request.trace_key(), (_nanoseconds(request.accepted_at), now), {}, "")
    for request in _chosen([*requests, *consequences]):
        assert request.applied_at is not None
        trace = _spans.of(request.trace_key())
        taken = _nanoseconds(request.applied_at)
        trace(WAIT, (_nanoseconds(request.accepted_at), taken))
        trace(APPLY, (taken, now), _attributes(request))


def published(transport: str, batch: Sequence[Any]) -> None:
    """To be called when a transport has taken these notifications, and its cursor has moved."""
    now = time.time_ns()
    by_position = {one.position: one for one in batch}
    for position, request in look_up([*by_position]).items():
        for one in _chosen([request]):
            written = _nanoseconds(by_position[position].at)
            attributes = {"transport": transport, log_context.POSITION: position}
            _spans.of(one.trace_key())(PUBLISH, (written, now), attributes)


def carried(batch: Sequence[Any]) -> list[tuple[str, int]]:
    """What a message to the servers says of the traces of these notifications: key and position."""
    found = look_up([one.position for one in batch])
    return [
        (request.trace_key(), position)
        for position, request in found.items()
        for _ in _chosen([request])
    ]


def delivered(carried: Iterable[Sequence[Any]], begun: int) -> None:
    """To be called when the sockets are called; `begun` is when the message came (time_ns)."""
    now = time.time_ns()
    for key, position in carried:
        _spans.of(key)(DELIVER, (begun, now), {log_context.POSITION: position})


def _chosen(requests: Iterable[Traced]) -> Iterator[Traced]:
    """The same in each process: by the trace's id, as OpenTelemetry's own sampler does."""
    return (one for one in requests if _spans.ids(one.trace_key())[0] % _FULL < _spans.below)


def _attributes(request: Traced) -> dict[str, Any]:
    fields = {name: value for name, value in request.log_fields().items() if value}
    return {**fields, "process": process_name()}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
