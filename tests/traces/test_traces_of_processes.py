"""A real installation sends the steps of a request to a collector, from all of its processes."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.kit.installation import ON_SERVICES, TIMEOUT_SECONDS, Installation
from tests.kit.socket_client import watch

STEPS = {"authenticate", "check", "save", "ring", "wait", "apply", "publish", "deliver"}


class Collector(ThreadingHTTPServer):
    """Takes spans as an OpenTelemetry collector does, by OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.spans: list[Span] = []
        self.lock = Lock()
        self.came = Event()

    def of_request(self, request_id: str) -> list[Span]:
        """Those of the trace in which a request of this id begins."""
        with self.lock:
            spans = [*self.spans]
        wholes = [
            span
            for span in spans
            if span.name == "change"
            and any(
                one.key == "requestId" and one.value.string_value == request_id
                for one in span.attributes
            )
        ]
        return [span for span in spans if wholes and span.trace_id == wholes[0].trace_id]


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        taken = ExportTraceServiceRequest.FromString(body)
        with self.server.lock:
            for resource in taken.resource_spans:
                for scope in resource.scope_spans:
                    self.server.spans += scope.spans
        self.server.came.set()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def served(tmp_path: Path, collector: Collector) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.environment |= {
        "FINESSE_TRACES": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "NO_PROXY": "127.0.0.1",
    }
    made.start()
    yield made
    made.end()


def test_server_and_worker_tell_of_the_steps_of_one_request_in_one_trace(
    served: Installation, collector: Collector
) -> None:
    with watch(served.url, "1234") as watcher:
        watcher.subscribe()
        answer = httpx.put(
            f"{served.url}/finesse/api/User/1234/Media/5001",
            content="<Media><state>NOT_READY</state><reasonCodeId>1001</reasonCodeId></Media>",
            headers={"Content-Type": "application/xml", "requestId": "traced"},
            auth=("1234", "finesse"),
            timeout=TIMEOUT_SECONDS,
        )
        assert answer.status_code == 202
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while {span.name for span in collector.of_request("traced")} != {"change", *STEPS}:
            assert collector.came.wait(deadline - time.monotonic()), collector.spans
            collector.came.clear()
    spans = collector.of_request("traced")
    (whole,) = [span for span in spans if span.name == "change"]
    assert {span.parent_span_id for span in spans if span is not whole} == {whole.span_id}
    processes = {
        one.value.string_value for span in spans for one in span.attributes if one.key == "process"
    }
    assert len(processes) == (2 if ON_SERVICES else 1)
