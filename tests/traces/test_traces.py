"""Traces of requests: which steps they show, and that nothing is needed while they are off."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from finesse import traces
from finesse.notifications.publisher import publish_all
from media.models import MediaRequest
from tests.conftest import API, LOGIN

STEPS = ["authenticate", "check", "save", "ring", "wait", "apply", "publish"]
Settle = Callable[[], Any]

pytestmark = pytest.mark.usefixtures("cast", "own_layer")


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    traces.start(1.0, made)
    yield made
    traces.stop()


def spans_of(exporter: InMemorySpanExporter, request_id: str) -> list[ReadableSpan]:
    """Of the trace in which this request is named, by their beginning."""
    spans = exporter.get_finished_spans()
    (trace,) = {
        span.context.trace_id
        for span in spans
        if span.name == "change" and span.attributes["requestId"] == request_id
    }
    mine = [span for span in spans if span.context.trace_id == trace]
    return sorted(mine, key=lambda span: (span.start_time, -span.end_time))


def test_all_steps_of_a_request_are_one_trace(
    api: API, settle: Settle, exporter: InMemorySpanExporter
) -> None:
    settle()
    api.put(LOGIN, requestId="r-1")
    api.state("READY", requestId="r-2")
    settle()
    publish_all()
    for request_id in ("r-1", "r-2"):
        whole, *steps = spans_of(exporter, request_id)
        assert whole.name == "change"
        assert whole.parent is None
        assert {step.parent.span_id for step in steps if step.parent} == {whole.context.span_id}
        assert sorted(step.name for step in steps) == sorted(STEPS)
        by_name = {step.name: step for step in steps}
        # `wait` begins when the request was made, which is while it is checked.
        order = [by_name[name] for name in STEPS if name != "wait"]
        assert [one.start_time for one in order] == sorted(one.start_time for one in order)
        request = MediaRequest.objects.get(request_id=request_id)
        assert by_name["publish"].attributes["position"] == request.position


def test_the_clients_own_trace_is_linked(api: API, exporter: InMemorySpanExporter) -> None:
    api.put(LOGIN, requestId="r-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    whole = spans_of(exporter, "r-1")[0]
    (link,) = whole.links
    assert f"{link.context.trace_id:x}" == "a" * 32


def test_a_request_that_is_refused_leaves_no_trace_and_no_step_to_the_next_one(
    api: API, exporter: InMemorySpanExporter
) -> None:
    api.put("<Media/>", requestId="refused")
    assert exporter.get_finished_spans() == ()
    api.put(LOGIN, requestId="r-1")
    _, *steps = spans_of(exporter, "r-1")
    assert [step.name for step in steps] == STEPS[:4]


def test_of_a_share_of_the_requests_every_process_traces_the_same(
    api: API, settle: Settle, exporter: InMemorySpanExporter
) -> None:
    traces.start(0.5, exporter)
    settle()
    api.put(LOGIN)
    for state in ["READY", "NOT_READY"] * 20:
        api.state(state)
    settle()
    publish_all()
    names_by_trace: dict[int, set[str]] = {}
    for span in exporter.get_finished_spans():
        names_by_trace.setdefault(span.context.trace_id, set()).add(span.name)
    assert 5 < len(names_by_trace) < 36
    assert all(names >= {"change", *STEPS} for names in names_by_trace.values())


def test_off_the_service_does_without_opentelemetry() -> None:
    """Our own modules: redis-py looks for it by itself."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None;"
        "import django; django.setup(); import finesse.asgi, media.tasks, finesse.celery;"
        "from finesse import traces; print(traces.on, traces.mark is traces._nothing)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert printed.split() == ["False", "True"]


def test_on_without_opentelemetry_the_service_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None;"
        "from finesse import traces; traces.start(1.0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode != 0
    assert "--requirement requirements-traces.txt" in done.stderr
