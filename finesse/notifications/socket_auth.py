"""Authenticates the handshake of the viewers' socket: by the browser's session, or by HTTP Basic
for programs."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from channels.sessions import CookieMiddleware
from django.conf import settings

from finesse.api.authentication import parse_basic
from finesse.api.errors import as_finesse_error
from finesse.client_networks import origin_of_scope
from finesse.db.off_loop import off_loop
from finesse.notifications.readers import Reader, claimed
from finesse.server.admission import Admission, Admissions, TooManyError
from finesse.users import sign_in_threads
from finesse.users.passwords import verify
from finesse.users.sessions import user_of_session

HANDSHAKE_SECONDS = 1.8
"""Time to find out who asks, before the handshake is answered 503."""
HANDSHAKE_WAIT_SECONDS = 10
"""So long a handshake waits while others of its origin are looked up."""


def same_origin(headers: dict[bytes, bytes]) -> bool:
    """Whether the page that opens the socket is one of ours.

    Browsers send cookies across sites but cannot forge Origin; programs send none. As in Django's
    CSRF check, the origin's host is the requested one, or a trusted origin.
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
    """Sets `scope["reader"]`, or refuses the handshake with 401, 403, 429 or 503."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        if not same_origin(headers):
            await refuse(scope, send, 403)
            return
        found = await self._admit(scope, headers.get(b"authorization", b""))
        if isinstance(found, int):
            await refuse(scope, send, found)
            return
        reader, admission = found
        try:
            await self.inner({**scope, "reader": reader}, receive, send)
        finally:
            admission.end()

    async def _admit(
        self, scope: dict[str, Any], authorization: bytes
    ) -> "tuple[Reader, Admission] | int":
        """Who asks, and the place of the socket; otherwise the status of the refusal."""
        try:
            reader = await self._looked_up(scope, authorization)
            if reader is None:
                return 401
            return reader, Admissions.here().admit_user(reader.login_id)
        except TooManyError:
            return 429
        except TimeoutError:
            return 503
        except Exception as error:
            # The same statuses as the API: 503 while a dependency is away, 500 for our own faults.
            return as_finesse_error(error).status_code

    async def _looked_up(self, scope: dict[str, Any], authorization: bytes) -> Reader | None:
        """None if nobody is known by this handshake. Raises TooManyError if too many handshakes of
        its origin wait, TimeoutError if the lookup takes too long."""
        handshakes = Admissions.here().handshakes(origin_of_scope(scope))
        try:
            async with asyncio.timeout(HANDSHAKE_WAIT_SECONDS):
                await handshakes.acquire()
        except TimeoutError:
            raise TooManyError from None
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                return await self._reader(scope, authorization)
        finally:
            handshakes.release()

    async def _reader(self, scope: dict[str, Any], authorization: bytes) -> Reader | None:
        if not authorization:
            return await self._reader_of_session(scope["cookies"])
        credentials = parse_basic(authorization.decode("latin-1"))
        if credentials is None:
            return None
        # Not on the shared thread: a password check would hold up everybody's queries.
        check = off_loop(verify, thread_sensitive=False, executor=sign_in_threads.POOL)
        user = await check(*credentials, origin_of_scope(scope))
        return claimed(user) if user else None

    async def _reader_of_session(self, cookies: dict[str, str]) -> Reader | None:
        # Not Channels' SessionMiddleware: it wraps the socket's `send`, in case the session is to
        # be saved, which would be a fifth of what a notification costs.
        key = cookies.get(settings.SESSION_COOKIE_NAME)
        user = await off_loop(user_of_session)(key)
        return claimed(user, str(key)) if user else None


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
    """`inner`, behind the handshake's middlewares."""
    return CookieMiddleware(_Authenticate(inner))
