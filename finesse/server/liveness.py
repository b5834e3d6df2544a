"""`/livez`: this server process takes requests and answers them. Nothing else is asked.

A supervisor starts a process anew that does not answer. A database that is away, a worker that is
dead or threads that are all busy are no reason: `/healthz` and `/readyz` are about these. So these
middlewares answer before everything that could wait.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

PATH = "/livez"
_BODY = b"alive\n"
_METHODS = frozenset({"GET", "HEAD"})
_HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": str(len(_BODY)),
    "Cache-Control": "no-store",
}


class LivenessASGI:
    """In the event loop, without a thread."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] not in _METHODS:
            await self._application(scope, receive, send)
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = _BODY if scope["method"] == "GET" else b""
        await send({"type": "http.response.body", "body": body})


class LivenessWSGI:
    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH or environ["REQUEST_METHOD"] not in _METHODS:
            return self._application(environ, start_response)
        start_response("200 OK", [*_HEADERS.items()])
        return [_BODY if environ["REQUEST_METHOD"] == "GET" else b""]
