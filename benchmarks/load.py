"""Load over HTTP by wrk, which takes a small part of the servers' CPU time for a request."""

import json
import resource
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.people import basic

SCRIPT = Path(__file__).resolve().parent / "wrk.lua"
SEPARATOR = b"\1"


@dataclass(frozen=True, slots=True)
class Load:
    """The results of one round; percentiles in milliseconds."""

    requests: int
    seconds: float
    errors: int
    p50: float
    p95: float
    p99: float
    cpu: float
    """CPU seconds of wrk itself."""

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def http(method: str, path: str, login_id: str, body: str = "", request_id: str = "") -> bytes:
    """The bytes of a request on a connection that is kept."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {basic(login_id)}",
        *([f"requestId: {request_id}"] if request_id else []),
        *(["Content-Type: application/xml", f"Content-Length: {len(body)}"] if body else []),
    ]
    return "\r\n".join([*lines, "", body]).encode()


def wrk(
    port: int, requests: Iterable[bytes], folder: Path, *, seconds: float, connections: int
) -> Load:
    """Send the requests in turns. Raises RuntimeError if wrk fails."""
    file = folder / "requests"
    file.write_bytes(SEPARATOR.join(requests))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            *("wrk", "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds:.0f}s", "--timeout", "10s", "--script", str(SCRIPT)),
            *(f"http://127.0.0.1:{port}/", "--", str(file)),
        ],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Load(**json.loads(done.stdout.splitlines()[-1]), cpu=cpu)
