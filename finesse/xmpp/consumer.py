"""XMPP over WebSocket (RFC 7395): what Finesse's own clients speak, with no XMPP server beside.

A frame holds one element. The stream is opened, the client signs in, opens the stream again,
binds a resource; from then on the log does the rest.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.base_user import AbstractBaseUser

from finesse.notifications.models import Notification
from finesse.notifications.readers import reader_of
from finesse.xmpp import sasl
from finesse.xmpp.addresses import address, domain, new_resource
from finesse.xmpp.connections import Admission, Connections, TooManyError
from finesse.xmpp.peers import is_private
from finesse.xmpp.requests import answer
from finesse.xmpp.sessions import Session
from finesse.xmpp.stanzas import (
    BIND,
    CLIENT,
    FRAMING,
    SASL,
    SESSION,
    STREAM,
    STREAM_ERRORS,
    StanzaError,
    error_of,
    notification_message,
    parse,
    result_of,
    serialise,
    split,
    tag,
)

logger = logging.getLogger(__name__)

SUBPROTOCOL = "xmpp"
LONGEST_FRAME = 32 * 1024
"""Characters of one stanza; the largest that a client has reason to send has a few hundred."""
FRAMES_BEFORE_BIND = 20
PATIENCE_BEFORE_BIND = 30
"""Seconds from connecting to a bound resource."""
PATIENCE_WITH_READERS = 60
"""Seconds that a client may take to read what it was sent."""
PATIENCE_AT_THE_END = 5
"""Seconds that it may take to read why its stream ends."""
PASSWORDS = 3
"""Wrong ones on one connection."""
NORMAL = 1000


class StreamEndError(Exception):
    """The stream ends, with a stream error's condition or, without one, as the client wished."""

    def __init__(self, condition: str = "") -> None:
        super().__init__(condition)
        self.condition = condition


class XMPPConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One connection, from its opening to its end."""

    # The hub listens to the layer; a channel of its own for each socket would serve nobody.
    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admission: Admission | None = None
        self.user: AbstractBaseUser | None = None
        self.session: Session | None = None
        self.is_open = False
        self.frames = 0
        self.wrong_passwords = 0
        self.awaits_response = False
        self._ended = False
        self._deadline: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels calls disconnect() for a client that says goodbye, not for one that is gone
        # when something is sent to it.
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()

    async def connect(self) -> None:
        if SUBPROTOCOL not in self.scope["subprotocols"]:
            await self.close()
            return
        await self.accept(SUBPROTOCOL)
        try:
            peer = (self.scope.get("client") or ("", 0))[0]
            self.admission = Connections.here().admit(peer)
        except TooManyError:
            await self._end("policy-violation")
            return
        self._deadline = asyncio.get_running_loop().call_later(
            PATIENCE_BEFORE_BIND, self._run, self._end_unbound
        )

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._ended:
            return
        try:
            await self._take(text_data)
        except StreamEndError as end:
            await self._end(end.condition)
        except StanzaError as error:
            await self._end(error.condition)
        except Exception:
            logger.exception("A stanza could not be answered; its stream ends")
            await self._end("internal-server-error")

    async def replace(self) -> None:
        await self._end("conflict")

    # --- the stream -----------------------------------------------------------------------------

    async def _take(self, text: str | None) -> None:
        if text is None:
            raise StreamEndError("bad-format")
        if len(text) > LONGEST_FRAME:
            raise StreamEndError("policy-violation")
        if self.session is None:
            self.frames += 1
            if self.frames > FRAMES_BEFORE_BIND:
                raise StreamEndError("policy-violation")
        if not text.strip():
            return  # Keeping the connection alive.
        element = parse(text)
        namespace, name = split(element)
        if namespace == FRAMING:
            await self._frame(name, element)
        elif not self.is_open:
            raise StreamEndError("bad-format")
        elif namespace == SASL:
            await self._authenticate(name, element)
        elif namespace == CLIENT and name in {"iq", "message", "presence"}:
            await self._stanza(name, element)
        else:
            raise StreamEndError("unsupported-stanza-type")

    async def _frame(self, name: str, element: Element) -> None:
        if name == "close":
            raise StreamEndError
        if name != "open":
            raise StreamEndError("bad-format")
        self.is_open = True
        await self._open_here()
        if element.get("to", domain()).lower() != domain().lower():
            raise StreamEndError("host-unknown")
        # Several clients open once more after signing in without having closed.
        await self._say(self._features())

    async def _open_here(self) -> None:
        opening = Element(tag(FRAMING, "open"), {"from": domain(), "id": uuid.uuid4().hex})
        opening.set("version", "1.0")
        opening.set("xml:lang", "en")
        await self._say(opening)

    def _features(self) -> Element:
        # With the prefix that RFC 7395 prints: some clients look for these very letters.
        features = Element("stream:features", {"xmlns:stream": STREAM})
        if self.user is not None:
            SubElement(features, tag(BIND, "bind"))
            session = SubElement(features, tag(SESSION, "session"))
            SubElement(session, tag(SESSION, "optional"))
        else:
            mechanisms = SubElement(features, tag(SASL, "mechanisms"))
            if is_private(self.scope):
                SubElement(mechanisms, tag(SASL, "mechanism")).text = sasl.MECHANISM
        return features

    async def _authenticate(self, name: str, element: Element) -> None:
        if self.user is not None:
            raise StreamEndError("policy-violation")
        try:
            response = self._response(name, element)
            if response is None:
                self.awaits_response = True
                await self._say(Element(tag(SASL, "challenge")))
                return
            self.awaits_response = False
            # Not on the shared thread: a password check would hold up everybody's queries.
            check = database_sync_to_async(sasl.sign_in, thread_sensitive=False)
            self.user = await check(*sasl.parse_plain(response))
            assert self.admission is not None
            self.admission.sign_in(self.user.pk)
        except sasl.SASLError as error:
            await self._refuse(error.condition)
        except TooManyError:
            raise StreamEndError("resource-constraint") from None
        else:
            await self._say(Element(tag(SASL, "success")))

    def _response(self, name: str, element: Element) -> str | None:
        """What the client says who it is; None if it waits to be asked. Raises SASLError."""
        if not is_private(self.scope):
            raise sasl.SASLError("encryption-required")
        text = (element.text or "").strip()
        if name == "response" and self.awaits_response:
            return text
        if name != "auth":
            raise sasl.SASLError("aborted" if name == "abort" else "malformed-request")
        if element.get("mechanism") != sasl.MECHANISM:
            raise sasl.SASLError("invalid-mechanism")
        return text or None

    async def _refuse(self, condition: str) -> None:
        failure = Element(tag(SASL, "failure"))
        SubElement(failure, tag(SASL, condition))
        await self._say(failure)
        self.awaits_response = False
        self.wrong_passwords += 1
        if self.wrong_passwords >= PASSWORDS:
            raise StreamEndError("policy-violation")

    # --- stanzas --------------------------------------------------------------------------------

    async def _stanza(self, name: str, element: Element) -> None:
        if self.user is None:
            raise StreamEndError("not-authorized")
        if self.session is None:
            await self._before_bind(element, self.user)
            return
        element.set("from", self.session.jid.full)
        if name == "presence":
            await self._presence(element, self.session)
        elif (reply := await answer(self.session, name, element)) is not None:
            await self._say(reply)

    async def _before_bind(self, iq: Element, user: AbstractBaseUser) -> None:
        wish = iq.find(tag(BIND, "bind"))
        if wish is None or iq.get("type") != "set":
            raise StreamEndError("not-authorized")
        try:
            asked = (wish.findtext(tag(BIND, "resource")) or "").strip()
            jid = address(user.pk, asked or new_resource())
        except ValueError:
            await self._say(error_of(iq, "bad-request"))
            return
        reader = await reader_of(user, resource=jid.resource)
        if reader is None or self.admission is None:
            raise StreamEndError("not-authorized")
        session = Session(jid, reader, self._deliver, self._stop)
        await session.open()
        self.session = session
        if self._deadline is not None:
            self._deadline.cancel()
        if (former := self.admission.bind(jid, self)) is not None:
            self._run(former.replace)
        result = result_of(iq)
        bound = SubElement(result, tag(BIND, "bind"))
        SubElement(bound, tag(BIND, "jid")).text = jid.full
        await self._say(result)

    async def _presence(self, presence: Element, session: Session) -> None:
        kind = presence.get("type")
        if presence.get("to") is not None or kind not in (None, "unavailable"):
            return  # To other users, who are not told.
        if kind is None:
            try:
                priority = int((presence.findtext(tag(CLIENT, "priority")) or "0").strip())
            except ValueError:
                priority = 0
            # Told to the client itself before anything else (RFC 6121, section 4.2.2).
            presence.set("to", session.jid.full)
            is_first = session.priority is None
            await self._say(presence)
            if is_first:
                await self._say(self._publisher(session))
            await session.set_priority(max(-128, min(priority, 127)))
        else:
            await session.set_priority(None)

    def _publisher(self, session: Session) -> Element:
        """The presence of the user `Finesse`: gone means failed, for clients that watch it
        [Cisco Finesse Failover Mechanisms]."""
        here = f"finesse@{domain()}/finesse"
        return Element(tag(CLIENT, "presence"), {"from": here, "to": session.jid.full})

    async def _deliver(self, notification: Notification) -> None:
        assert self.session is not None
        await self._say(notification_message(notification, self.session.jid.full))

    async def _stop(self, failure: Exception | None) -> None:
        if failure is None:
            await self._end("not-authorized")
        elif isinstance(failure, TimeoutError):
            logger.info("A client does not read what it is sent; its stream ends")
            await self._end("policy-violation")
        else:
            logger.error(
                "A stream's forwarding failed; its client will come back", exc_info=failure
            )
            await self._end("internal-server-error")

    # --- the end --------------------------------------------------------------------------------

    async def _end_unbound(self) -> None:
        await self._end("connection-timeout")

    async def _end(self, condition: str) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            async with asyncio.timeout(PATIENCE_AT_THE_END):
                if condition:
                    await self._say_error(condition)
                await self._say(Element(tag(FRAMING, "close")))
            await self.close(NORMAL)
        except Exception as error:
            logger.debug("The client had gone before its stream was closed: %r", error)
        finally:
            self._leave()

    async def _say_error(self, condition: str) -> None:
        if not self.is_open:
            await self._open_here()
        error = Element("stream:error", {"xmlns:stream": STREAM})
        SubElement(error, tag(STREAM_ERRORS, condition))
        await self._say(error)

    def _leave(self) -> None:
        self._ended = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self.session is not None:
            self.session.close()
        if self.admission is not None:
            self.admission.end()

    async def _say(self, element: Element) -> None:
        """Send it. A client that does not read loses its connection."""
        async with asyncio.timeout(PATIENCE_WITH_READERS):
            await self.send(text_data=serialise(element))

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
