"""Who opens a socket: the browser's session, or HTTP Basic at the handshake for programs."""

from typing import Any
from urllib.parse import urlsplit

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.sessions import CookieMiddleware, SessionMiddleware
from django.conf import settings

from finesse.api.authentication import parse_basic
from finesse.api.errors import as_finesse_error
from finesse.client_networks import origin_of_scope
from finesse.notifications.readers import Reader, claimed
from finesse.users.passwords import verify


def same_origin(headers: dict[bytes, bytes]) -> bool:
    """Browsers send cookies across sites but cannot forge Origin; programs send none.

    As Django's CSRF check: the origin's host is the requested one, or a trusted origin.
    """
    origin = headers.get(b"origin")
    if origin is None:
        return True
    text = origin.decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    try:
        return urlsplit(text).netloc == host or text in settings.CSRF_TRUSTED_ORIGINS
    except ValueError:
        return False


class _Authenticate:
    """Puts `scope["reader"]` there, or refuses the handshake with 401, 403 or 503."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if not same_origin(headers):
            await refuse(scope, send, 403)
            return
        try:
            reader = await self._reader(scope, headers.get(b"authorization", b""))
        except Exception as error:
            # In the words of the API: 503 for what is away or overrun, 500 for what is our fault.
            await refuse(scope, send, as_finesse_error(error).status_code)
            return
        if reader is None:
            await refuse(scope, send, 401)
            return
        await self.inner({**scope, "reader": reader}, receive, send)

    async def _reader(self, scope: dict[str, Any], authorization: bytes) -> Reader | None:
        if authorization:
            credentials = parse_basic(authorization.decode("latin-1"))
            if credentials is None:
                return None
            # Not on the shared thread: a password check would hold up everybody's queries.
            checked = database_sync_to_async(verify, thread_sensitive=False)
            user = await checked(*credentials, origin_of_scope(scope))
            return claimed(user) if user else None
        user = await get_user(scope)
        if not user.is_authenticated:
            return None
        return claimed(user, scope["session"].session_key)


async def refuse(scope: dict[str, Any], send: Any, status: int) -> None:
    """Answer the handshake with an HTTP status where the server can, else close it (403)."""
    if "websocket.http.response" in scope.get("extensions", {}):
        challenge = [(b"www-authenticate", b'Basic realm="Finesse", charset="UTF-8"')]
        headers = challenge if status == 401 else []
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 4000 + status})


def socket_authentication(inner: Any) -> Any:
    """The handshake's middlewares around `inner`, outermost first."""
    return CookieMiddleware(SessionMiddleware(_Authenticate(inner)))
