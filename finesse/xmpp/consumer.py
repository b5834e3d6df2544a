"""XMPP over WebSocket (RFC 7395), which Finesse's own clients speak. It needs no XMPP server.

Each frame holds one element. The client opens the stream, signs in, opens the stream again and
binds a resource; from then on its ClientSession delivers notifications.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.base_user import AbstractBaseUser

from finesse import log_context
from finesse.client_networks import origin_of_scope
from finesse.db.off_loop import off_loop
from finesse.metrics import counters
from finesse.notifications.models import Notification
from finesse.notifications.readers import claimed
from finesse.server.admission import Admission, Admissions, TooManyError
from finesse.users import sign_in_threads
from finesse.xmpp import sasl
from finesse.xmpp.addresses import address, domain, new_resource
from finesse.xmpp.client_session import ClientSession, ResetError
from finesse.xmpp.connections import Connections
from finesse.xmpp.peers import is_private
from finesse.xmpp.requests import answer
from finesse.xmpp.stanzas import (
    ACCESS_ENDED,
    BIND,
    CLIENT,
    FRAMING,
    RESET,
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
MAX_FRAME_CHARACTERS = 10_000
"""Of one stanza; the smallest limit that RFC 6120, section 13.12, allows. Each name is stored with
its namespace, so memory and time may grow with the square of this."""
MAX_FRAMES_BEFORE_BIND = 20
BIND_TIMEOUT_SECONDS = 30
"""Within this time after connecting, a client must have bound a resource."""
SEND_TIMEOUT_SECONDS = 30
"""A client that takes longer to read what it was sent is disconnected. The server itself drops a
client that does not answer its pings for 40 seconds."""
STREAM_END_TIMEOUT_SECONDS = 5
"""A client has this time to read why its stream ends."""
RETRY_SECONDS = 1
"""Between two attempts to note that a client is available."""
MAX_WRONG_PASSWORDS = 3
"""On one connection."""
NORMAL_CLOSURE = 1000


class StreamEndError(Exception):
    """The stream ends with this stream error; without one, the client has closed it."""

    def __init__(self, condition: str = "") -> None:
        super().__init__(condition)
        self.condition = condition


class GoneError(Exception):
    """The client has disconnected."""


class SlowReaderError(Exception):
    """The client does not read what it was sent in time."""


class XMPPConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One connection, from its opening to its end."""

    # The hub receives from the channel layer; a socket needs no channel of its own.
    channel_layer_alias = "none"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.admission: Admission | None = None
        self.user: AbstractBaseUser | None = None
        self.session: ClientSession | None = None
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
        # Channels calls disconnect() for a client that closes the socket, but not if the client
        # turns out to be gone when something is sent to it.
        self._serving = asyncio.current_task()
        connected = counters.sockets.labels("xmpp")
        connected.inc()
        try:
            await super().__call__(scope, receive, send)
        except asyncio.CancelledError:
            if not self._dropped:
                raise
        finally:
            connected.dec()
            self._leave()

    async def connect(self) -> None:
        if SUBPROTOCOL not in self.scope["subprotocols"]:
            await self.close()
            return
        await self.accept(SUBPROTOCOL)
        try:
            self.admission = Admissions.here().admit(origin_of_scope(self.scope))
        except TooManyError:
            await self._end("policy-violation")
            return
        self._deadline = asyncio.get_running_loop().call_later(
            BIND_TIMEOUT_SECONDS, self._run, self._end_unbound
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
        if len(text) > MAX_FRAME_CHARACTERS:
            raise StreamEndError("policy-violation")
        if self.session is None:
            self.frames += 1
            if self.frames > MAX_FRAMES_BEFORE_BIND:
                raise StreamEndError("policy-violation")
        if not text.strip():
            return  # White space keeps a connection alive.
        element = parse(text)
        namespace, name = split(element)
        if namespace == FRAMING:
            await self._frame(name)
        elif not self.is_open:
            raise StreamEndError("bad-format")
        elif namespace == SASL:
            await self._authenticate(name, element)
        elif namespace == CLIENT and name in {"iq", "message", "presence"}:
            await self._stanza(name, element)
        else:
            raise StreamEndError("unsupported-stanza-type")

    async def _frame(self, name: str) -> None:
        if name == "close":
            raise StreamEndError
        if name != "open":
            raise StreamEndError("bad-format")
        self.is_open = True
        # Whatever `to` says: the engine in Finesse does not compare it, and clients send the
        # address that they have connected to. `from` in the answer is the domain.
        await self._send_element(self._opening())
        # Several clients open once more after signing in without having closed.
        await self._send_element(self._features())

    def _opening(self) -> Element:
        opening = Element(tag(FRAMING, "open"), {"from": domain(), "id": uuid.uuid4().hex})
        opening.set("version", "1.0")
        opening.set("xml:lang", "en")
        return opening

    def _features(self) -> Element:
        # With the prefix of RFC 7395's examples: some clients search the text for it.
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
                await self._send_element(Element(tag(SASL, "challenge")))
                return
            self.awaits_response = False
            # Not on the shared thread: a password check would hold up everybody's queries.
            check = off_loop(sasl.sign_in, thread_sensitive=False, executor=sign_in_threads.POOL)
            self.user = await check(*sasl.parse_plain(response), origin_of_scope(self.scope))
            self._assert_open()
            assert self.admission is not None
            self.admission.sign_in(self.user.pk)
            log_context.subject.set(log_context.OfUser(self.user.pk))
        except sasl.SASLError as error:
            await self._refuse(error.condition)
        except TooManyError:
            raise StreamEndError("resource-constraint") from None
        else:
            await self._send_element(Element(tag(SASL, "success")))

    def _response(self, name: str, element: Element) -> str | None:
        """The client's SASL response; None if it waits for a challenge. Raises SASLError."""
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
        await self._send_element(failure)
        self.awaits_response = False
        self.wrong_passwords += 1
        if self.wrong_passwords >= MAX_WRONG_PASSWORDS:
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
            self._assert_open()
            reply = await self._answer(self.session, name, element)
        if reply is not None:
            await self._send_element(reply)

    async def _answer(self, session: ClientSession, name: str, element: Element) -> Element | None:
        """A request that fails, as while the database is away, ends no stream: a client that does
        not look for missed items would lose what comes until it is back."""
        try:
            return await answer(session, name, element)
        except Exception:
            logger.exception("A request of %s could not be answered", session.jid.full)
            return error_of(element, "internal-server-error")

    async def _before_bind(self, iq: Element, user: AbstractBaseUser) -> None:
        wish = iq.find(tag(BIND, "bind"))
        if wish is None or iq.get("type") != "set":
            raise StreamEndError("not-authorized")
        try:
            asked = (wish.findtext(tag(BIND, "resource")) or "").strip()
            jid = address(user.pk, asked or new_resource())
        except ValueError:
            await self._send_element(error_of(iq, "bad-request"))
            return
        self.session = session = ClientSession(jid, claimed(user), self._deliver, self._stop)
        if not await session.open():
            raise StreamEndError("not-authorized")
        self._assert_open()
        if self._deadline is not None:
            self._deadline.cancel()
        if (former := Connections.here().bind(jid, self)) is not None:
            self._run(former.replace)
        result = result_of(iq)
        bound = SubElement(result, tag(BIND, "bind"))
        SubElement(bound, tag(BIND, "jid")).text = jid.full
        await self._send_element(result)

    async def _presence(
        self, presence: Element, session: ClientSession, turn: asyncio.Lock
    ) -> None:
        kind = presence.get("type")
        if presence.get("to") is not None or kind not in (None, "unavailable"):
            return  # Presence for other users is not passed on.
        if kind is None:
            try:
                priority = int((presence.findtext(tag(CLIENT, "priority")) or "0").strip())
            except ValueError:
                priority = 0
            # First of all the client gets its own presence (RFC 6121, section 4.2.2).
            is_first = session.priority is None
            await self._send_element(self._own(presence, session))
            if is_first:
                await self._send_element(self._publisher(session))
            async with turn:
                self._assert_open()
                await self._become_available(session, max(-128, min(priority, 127)))
        else:
            await session.set_priority(None)

    async def _become_available(self, session: ClientSession, priority: int) -> None:
        try:
            await session.set_priority(priority)
        except Exception:
            logger.exception("%s is not available yet; it will be tried again", session.jid.full)
            self._run(partial(self._become_available_later, session, priority))

    async def _become_available_later(self, session: ClientSession, priority: int) -> None:
        # Until the client says something else of its presence, or is gone.
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if self._ended or session.priority != priority:
                return
            with contextlib.suppress(Exception):
                await session.set_priority(priority)
                return

    def _own(self, presence: Element, session: ClientSession) -> Element:
        """The parts of a presence that the protocol defines, and nothing else that the client sent:
        the serialiser does not escape names of other namespaces."""
        jid = session.jid.full
        own = Element(tag(CLIENT, "presence"), {"from": jid, "to": jid})
        if identifier := presence.get("id"):
            own.set("id", identifier)
        for name in ("show", "status", "priority"):
            if (text := presence.findtext(tag(CLIENT, name))) is not None:
                SubElement(own, tag(CLIENT, name)).text = text
        return own

    def _publisher(self, session: ClientSession) -> Element:
        """The presence of the user `Finesse`: clients take its absence for a failure of the service
        [Cisco Finesse Failover Mechanisms]."""
        here = f"finesse@{domain()}/finesse"
        return Element(tag(CLIENT, "presence"), {"from": here, "to": session.jid.full})

    async def _deliver(self, notification: Notification) -> None:
        assert self.session is not None
        await self._send_element(notification_text(notification, self.session.jid.full))

    async def _stop(self, failure: Exception | None) -> None:
        if failure is None:
            await self._end(ACCESS_ENDED)
        elif isinstance(failure, ResetError):
            await self._end(RESET)
        elif isinstance(failure, GoneError):
            self._leave()
        elif isinstance(failure, SlowReaderError):
            logger.debug("A client does not read what it was sent; its stream is closed")
            await self._end("policy-violation")
        else:
            logger.error("A stream failed; its client will reconnect", exc_info=failure)
            await self._end("internal-server-error")

    # --- the end --------------------------------------------------------------------------------

    async def _end_unbound(self) -> None:
        await self._end("connection-timeout")

    async def _end(self, condition: str) -> None:
        if self._ended:
            return
        self._ended = True
        try:
            async with asyncio.timeout(STREAM_END_TIMEOUT_SECONDS):
                for element in self._closing_elements(condition):
                    await self._write(element)
            await self.close(NORMAL_CLOSURE)
        except Exception as error:
            logger.debug("The client had gone before its stream was closed: %r", error)
            self._drop()
        finally:
            self._leave()

    def _closing_elements(self, condition: str) -> Iterator[Element]:
        if condition:
            if not self.is_open:
                yield self._opening()
            error = Element("stream:error", {"xmlns:stream": STREAM})
            SubElement(error, tag(STREAM_ERRORS, condition))
            yield error
        yield Element(tag(FRAMING, "close"))

    def _drop(self) -> None:
        """Let the server close a connection whose client does not read why it ends."""
        self._dropped = True
        if self._serving is not None:
            self._serving.cancel()

    def _leave(self) -> None:
        self._ended = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self.session is not None:
            self.session.close()
            Connections.here().leave(self.session.jid, self)
        if self.admission is not None:
            self.admission.end()

    async def _send_element(self, element: Element | str) -> None:
        """Send it. Raises GoneError and SlowReaderError."""
        self._assert_open()
        try:
            async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
                await self._write(element)
        except TimeoutError:
            raise SlowReaderError from None

    async def _write(self, element: Element | str) -> None:
        text = element if isinstance(element, str) else serialise(element)
        try:
            await self.send(text_data=text)
        except OSError:
            # ASGI's sign that the connection is closed.
            raise GoneError from None

    def _assert_open(self) -> None:
        """Raise GoneError if the stream has ended, which may happen during every await."""
        if self._ended:
            raise GoneError

    def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
