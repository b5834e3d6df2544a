"""XMPP over WebSocket (RFC 7395): what Finesse's own clients speak, with no XMPP server beside.

A frame holds one element. The stream is opened, the client signs in, opens the stream again,
binds a resource; from then on the log does the rest.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.base_user import AbstractBaseUser

from finesse.client_networks import origin_of_scope
from finesse.notifications.models import Notification
from finesse.notifications.readers import claimed
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
    notification_text,
    parse,
    result_of,
    serialise,
    split,
    tag,
)

logger = logging.getLogger(__name__)

SUBPROTOCOL = "xmpp"
LONGEST_FRAME = 10_000
"""Characters of one stanza, the least that may be the most (RFC 6120, section 13.12). Names take
memory and time by the square of this: each is kept with its namespace, as long as that may be."""
FRAMES_BEFORE_BIND = 20
PATIENCE_BEFORE_BIND = 30
"""Seconds from connecting to a bound resource."""
PATIENCE_WITH_READERS = 30
"""Seconds that a client may take to read what it was sent; the server itself drops a client
that leaves its pings unanswered for 40."""
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


class GoneError(Exception):
    """Nobody is there any more to be told anything."""


class SlowReaderError(Exception):
    """The client does not read what it is sent."""


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
        self._dropped = False
        self._serving: asyncio.Task[Any] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Channels calls disconnect() for a client that says goodbye, not for one that is gone
        # when something is sent to it.
        self._serving = asyncio.current_task()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._dropped:
                raise
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
        except Exception as error:
            await self._stop(error)

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
        await self._say(self._opening())
        if element.get("to", domain()).lower() != domain().lower():
            raise StreamEndError("host-unknown")
        # Several clients open once more after signing in without having closed.
        await self._say(self._features())

    def _opening(self) -> Element:
        opening = Element(tag(FRAMING, "open"), {"from": domain(), "id": uuid.uuid4().hex})
        opening.set("version", "1.0")
        opening.set("xml:lang", "en")
        return opening

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
            check = database_sync_to_async(sasl.sign_in, thread_sensitive=False, executor=sasl.POOL)
            self.user = await check(*sasl.parse_plain(response), origin_of_scope(self.scope))
            self._assert_there()
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
        if self.session is None or self.admission is None:
            await self._before_bind(element, self.user)
            return
        element.set("from", self.session.jid.full)
        if name == "presence":
            await self._presence(element, self.session, self.admission.turn)
            return
        async with self.admission.turn:
            self._assert_there()
            reply = await answer(self.session, name, element)
        if reply is not None:
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
        assert self.admission is not None
        self.session = session = Session(jid, claimed(user), self._deliver, self._stop)
        if not await session.open():
            raise StreamEndError("not-authorized")
        self._assert_there()
        if self._deadline is not None:
            self._deadline.cancel()
        if (former := self.admission.bind(jid, self)) is not None:
            self._run(former.replace)
        result = result_of(iq)
        bound = SubElement(result, tag(BIND, "bind"))
        SubElement(bound, tag(BIND, "jid")).text = jid.full
        await self._say(result)

    async def _presence(self, presence: Element, session: Session, turn: asyncio.Lock) -> None:
        kind = presence.get("type")
        if presence.get("to") is not None or kind not in (None, "unavailable"):
            return  # To other users, who are not told.
        if kind is None:
            try:
                priority = int((presence.findtext(tag(CLIENT, "priority")) or "0").strip())
            except ValueError:
                priority = 0
            # Told to the client itself before anything else (RFC 6121, section 4.2.2).
            is_first = session.priority is None
            await self._say(self._own(presence, session))
            if is_first:
                await self._say(self._publisher(session))
            async with turn:
                self._assert_there()
                await session.set_priority(max(-128, min(priority, 127)))
        else:
            await session.set_priority(None)

    def _own(self, presence: Element, session: Session) -> Element:
        """What the protocol knows of a presence, and nothing else that came with it: the
        serialiser does not escape the names of others' namespaces."""
        jid = session.jid.full
        own = Element(tag(CLIENT, "presence"), {"from": jid, "to": jid})
        if identifier := presence.get("id"):
            own.set("id", identifier)
        for name in ("show", "status", "priority"):
            if (text := presence.findtext(tag(CLIENT, name))) is not None:
                SubElement(own, tag(CLIENT, name)).text = text
        return own

    def _publisher(self, session: Session) -> Element:
        """The presence of the user `Finesse`: gone means failed, for clients that watch it
        [Cisco Finesse Failover Mechanisms]."""
        here = f"finesse@{domain()}/finesse"
        return Element(tag(CLIENT, "presence"), {"from": here, "to": session.jid.full})

    async def _deliver(self, notification: Notification) -> None:
        assert self.session is not None
        await self._say(notification_text(notification, self.session.jid.full))

    async def _stop(self, failure: Exception | None) -> None:
        if failure is None:
            await self._end("not-authorized")
        elif isinstance(failure, GoneError):
            self._leave()
        elif isinstance(failure, SlowReaderError):
            logger.info("A client does not read what it is sent; its stream ends")
            await self._end("policy-violation")
        else:
            logger.error("A stream failed; its client will come back", exc_info=failure)
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
                for element in self._last_words(condition):
                    await self._write(element)
            await self.close(NORMAL)
        except Exception as error:
            logger.debug("The client had gone before its stream was closed: %r", error)
            self._drop()
        finally:
            self._leave()

    def _last_words(self, condition: str) -> Iterator[Element]:
        if condition:
            if not self.is_open:
                yield self._opening()
            error = Element("stream:error", {"xmlns:stream": STREAM})
            SubElement(error, tag(STREAM_ERRORS, condition))
            yield error
        yield Element(tag(FRAMING, "close"))

    def _drop(self) -> None:
        """Leave it to the server to close a connection whose client does not read its end."""
        self._dropped = True
        if self._serving is not None:
            self._serving.cancel()

    def _leave(self) -> None:
        self._ended = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self.session is not None:
            self.session.close()
        if self.admission is not None:
            self.admission.end()

    async def _say(self, said: Element | str) -> None:
        """Send it, while the stream is there. Raises GoneError and SlowReaderError."""
        self._assert_there()
        try:
            async with asyncio.timeout(PATIENCE_WITH_READERS):
                await self._write(said)
        except TimeoutError:
            raise SlowReaderError from None

    async def _write(self, said: Element | str) -> None:
        text = said if isinstance(said, str) else serialise(said)
        try:
            await self.send(text_data=text)
        except OSError:
            # As ASGI says that the connection is closed.
            raise GoneError from None

    def _assert_there(self) -> None:
        """Raises GoneError if the stream has ended, as it may while something is waited for."""
        if self._ended:
            raise GoneError

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
