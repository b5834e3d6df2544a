"""The demo answers on this machine only, whatever the server listens on.

Its passwords are public. `manage.py run` refuses to listen elsewhere, but any server can serve the
applications, on any address and behind any proxy. So in the demo each request and each handshake
passes here, before Django. It is refused unless

- the peer's address is a loopback address. The kernel lets no other machine have one. A Unix
  socket has no address: it is there for a proxy, and refused;
- the server's address, where it is known, is a loopback address, too. The peer's may be what a
  proxy has said of it; this one is the connection's own;
- no header says that a proxy has forwarded it. A proxy on this machine has a loopback address and
  may serve everybody;
- `Host` is an address or a name of this machine. This finds proxies that add no header, and pages
  of others whose name was pointed at this machine (DNS rebinding).
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from finesse.local_requests import is_local_request, wsgi_headers
from finesse.loopback import is_loopback_address

Scope: TypeAlias = MutableMapping[str, Any]
StartResponse: TypeAlias = Callable[..., Any]

REFUSAL = (
    "The demo's passwords are public, so it answers on this machine only: ask it directly, by "
    "127.0.0.1 or localhost, with no proxy in between. To serve others, run the service without "
    "FINESSE_DEMO (docs/operations.md).\n"
)


class DemoGuardASGI:
    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket") or _is_local(scope):
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSAL.encode()})
        else:
            # Before it is accepted, this is answered 403.
            await receive()
            await send({"type": "websocket.close"})


class DemoGuardWSGI:
    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        # WSGI does not say the connection's own address; SERVER_NAME is what was configured.
        if is_local_request(environ.get("REMOTE_ADDR", ""), wsgi_headers(environ)):
            return self._application(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [REFUSAL.encode()]


def _is_local(scope: Scope) -> bool:
    peer, server = scope.get("client"), scope.get("server")
    headers = [
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]
    ]
    return (
        peer is not None
        and server is not None
        and is_loopback_address(server[0])
        and is_local_request(peer[0], headers)
    )
