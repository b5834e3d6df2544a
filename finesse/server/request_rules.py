"""What RFC 9110 and RFC 9112 ask of a request, whichever server has read it.

Servers differ in what they leave to the application. These middlewares stand in front of everything
else, so that a request has the same answer under ASGI and WSGI:

- A target may be absolute (RFC 9112, 3.2.2): its host takes the place of the header Host. One by
  https is refused on a connection that is not encrypted (RFC 9110, 7.4).
- Methods are written in capitals. Django would take `put` for PUT, proxies do not.
- A body has a length or is chunked, and not both (RFC 9112, 6.1 and 6.3): who reads it otherwise
  finds another request behind it.
- HTTP/1.1 names a host (RFC 9112, 3.2).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.conf import settings

Scope: TypeAlias = MutableMapping[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

_ABSOLUTE = re.compile(r"(https?)://([^/?#@\s]+)([/?#].*)?", re.IGNORECASE | re.DOTALL)
_PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(eq=False)
class RequestError(Exception):
    """A request that is answered before anything else has seen it."""

    status: int
    reason: str
    """The status in words."""
    text: str

    async def send(self, send: Any) -> None:
        # What follows on the connection may be a part of this request.
        headers = [(b"content-type", _PLAIN_TEXT.encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": f"{self.text}\n".encode()})

    def respond(self, start_response: StartResponse) -> Iterable[bytes]:
        body = f"{self.text}\n".encode()
        headers = [("Content-Type", _PLAIN_TEXT), ("Content-Length", str(len(body)))]
        start_response(f"{self.status} {self.reason}", headers)
        return [body]


def bad_request(text: str) -> RequestError:
    return RequestError(400, "Bad Request", text)


class RequestRulesASGI:
    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            if scope["type"] in ("http", "websocket") and not _is_usual(scope):
                scope = _checked(scope)
        except RequestError as error:
            if scope["type"] == "http":
                await error.send(send)
            else:
                # Before it is accepted, this is answered 403.
                await receive()
                await send({"type": "websocket.close"})
            return
        await self._application(scope, receive, send)


class RequestRulesWSGI:
    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            _check_environ(environ)
        except RequestError as error:
            return error.respond(start_response)
        return self._application(environ, start_response)


def _is_usual(scope: Scope) -> bool:
    """Whether nothing has to be looked at more closely."""
    return (
        scope["path"].startswith("/")
        and scope.get("method", "GET").isupper()
        and not any(name == b"transfer-encoding" for name, _ in scope["headers"])
    )


def _checked(scope: Scope) -> Scope:
    method = scope.get("method", "GET")
    _check_method(method)
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" in names:
        _check_chunked(b"content-length" in names, scope["http_version"])
    absolute = _read_target(method, scope["path"], scope["scheme"] in ("https", "wss"))
    if absolute is None:
        return scope
    host, path = absolute
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    _, _, raw_path = scope.get("raw_path", b"").partition(b"://")[2].partition(b"/")
    return {
        **scope,
        "path": path,
        "raw_path": b"/" + raw_path,
        "headers": [(b"host", host.encode("latin-1")), *headers],
    }


def _check_environ(environ: dict[str, Any]) -> None:
    method = environ["REQUEST_METHOD"]
    _check_method(method)
    version = environ.get("SERVER_PROTOCOL", "")
    if "HTTP_TRANSFER_ENCODING" in environ:
        _check_chunked(bool(environ.get("CONTENT_LENGTH")), version.removeprefix("HTTP/"))
    if version == "HTTP/1.1" and not environ.get("HTTP_HOST"):
        raise bad_request("A request of HTTP/1.1 has a header Host")
    path = environ.get("PATH_INFO", "")
    # Servers that take the target apart give it here, too.
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or path
    absolute = _read_target(method, target, environ["wsgi.url_scheme"] == "https")
    if absolute is not None:
        environ["HTTP_HOST"] = absolute[0]
        environ["PATH_INFO"] = path if path.startswith("/") else absolute[1]


def _check_method(method: str) -> None:
    if not method.isupper():
        raise bad_request("Methods are written in capitals")


def _check_chunked(has_length: bool, version: str) -> None:
    if has_length:
        raise bad_request("A body has a Content-Length or is chunked, and not both")
    if version in ("1", "1.0"):
        raise bad_request("A body is not chunked in HTTP/1.0")


def _read_target(method: str, target: str, is_encrypted: bool) -> tuple[str, str] | None:
    """The host and the path of an absolute target; None for a path.

    Raises RequestError.
    """
    if target.startswith("/") or (target == "*" and method == "OPTIONS") or not target:
        return None
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise bad_request("The target of a request is a path, or an absolute http address")
    scheme, host, path = found.groups()
    if scheme.lower() == "https" and not is_encrypted and not settings.SECURE_PROXY_SSL_HEADER:
        raise RequestError(421, "Misdirected Request", "This connection is not encrypted")
    return host, path if path and path.startswith("/") else "/"
