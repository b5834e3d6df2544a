"""What `finesse.traces` says, as spans of OpenTelemetry. Imported only where traces are on."""

import os
import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SERVICE = "finesse-media"
Times = tuple[int, int]
"""Begin and end, in nanoseconds since 1970."""
Step = Callable[..., None]
"""Tells of a step: name, times, attributes."""


class Spans:
    """Makes spans that are over already, and sends them from a thread of its own."""

    below = 0
    """Traces are kept whose lower half of the id is below this."""

    def __init__(self, exporter: Any = None) -> None:
        self._ids = _Chosen()
        # The standard variables name another service, the address, headers and times.
        is_named = "OTEL_SERVICE_NAME" in os.environ
        resource = Resource.create({} if is_named else {SERVICE_NAME: SERVICE})
        self._provider = TracerProvider(
            resource=resource, id_generator=self._ids, sampler=ALWAYS_ON
        )
        if exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        else:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("finesse")

    @staticmethod
    def ids(key: str) -> tuple[int, int]:
        """Of a request's trace, and of the span of the whole: the same in every process."""
        digest = sha256(key.encode()).digest()
        return int.from_bytes(digest[:16]), int.from_bytes(digest[16:24])

    def end(self) -> None:
        self._provider.shutdown()

    def root(
        self, name: str, key: str, times: Times, attributes: Mapping[str, Any], traceparent: str
    ) -> Step:
        """The span of the whole, with the ids that belong to the key. A client's own trace is
        linked: it may be one of many requests."""
        self._ids.choose(*self.ids(key))
        self._make(name, Context(), times, attributes, _links(traceparent))
        return self.of(key)

    def of(self, key: str) -> Step:
        """For steps of the request with this key, also if another process told of the whole."""
        trace, whole = self.ids(key)
        kept = TraceFlags(TraceFlags.SAMPLED)
        parent = SpanContext(trace, whole, is_remote=True, trace_flags=kept)
        context = set_span_in_context(NonRecordingSpan(parent), Context())

        def step(name: str, times: Times, attributes: Mapping[str, Any] | None = None) -> None:
            self._make(name, context, times, attributes or {}, ())

        return step

    def _make(
        self,
        name: str,
        context: Context,
        times: Times,
        attributes: Mapping[str, Any],
        links: tuple[Link, ...],
    ) -> None:
        begin, end = times
        span = self._tracer.start_span(
            name, context=context, start_time=begin, attributes={**attributes}, links=links
        )
        # The clocks of two machines may differ.
        span.end(max(begin, end))


class _Chosen(RandomIdGenerator):
    """Random ids, except for a span whose ids were chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._local = threading.local()

    def choose(self, trace: int, span: int) -> None:
        self._local.trace, self._local.span = trace, span

    def generate_trace_id(self) -> int:
        return self._local.__dict__.pop("trace", None) or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self._local.__dict__.pop("span", None) or super().generate_span_id()


def _links(traceparent: str) -> tuple[Link, ...]:
    given = TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())
    context = get_current_span(given).get_span_context()
    return (Link(context),) if context.is_valid else ()
