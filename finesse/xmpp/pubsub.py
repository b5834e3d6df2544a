"""The publish-subscribe service at `pubsub.<domain>` (XEP-0060).

Clients subscribe to nodes, and retrieve items, which is the standard way to get missed ones. An
item's id is the number of the notification's place in the log, so "everything after the last id
that I have seen" is exact (result sets, XEP-0059). Only the service publishes.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from django.db import transaction

from finesse.db.off_loop import off_loop
from finesse.notifications import log
from finesse.notifications.models import Subscription
from finesse.notifications.nodes import is_of_a_user, published_as, team_of
from finesse.notifications.readers import Reader
from finesse.xmpp import disco, items
from finesse.xmpp.addresses import MAX_RESOURCE_CHARACTERS, is_chosen_here, parsed
from finesse.xmpp.client_session import ClientSession
from finesse.xmpp.stanzas import (
    DISCO_INFO,
    DISCO_ITEMS,
    PING,
    PUBSUB,
    PUBSUB_ERRORS,
    PUBSUB_OWNER,
    error_of,
    first_child,
    result_of,
    split,
    tag,
)

MAX_SUBSCRIPTIONS_PER_USER = 100
"""Explicit ones; the automatic ones do not count."""


class PubsubError(Exception):
    """A refused request: the condition of the stanza error, and pubsub's own condition."""

    def __init__(self, condition: str, detail: str = "") -> None:
        super().__init__(condition, detail)
        self.condition = condition
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Request:
    """A client's request, and the element that the answer is added to."""

    session: ClientSession
    reader: Reader
    """What its user may see at this moment."""
    pubsub: Element
    asked: Element
    content: Element

    def node(self) -> str:
        """The node that it is about. Raises PubsubError if the user may not subscribe to it."""
        if not (node := _known(self.reader, self.asked.get("node"))):
            raise PubsubError("bad-request", "nodeid-required")
        return node

    def resource(self) -> str:
        """Resource of the client that a subscription is for; empty for all clients of the user."""
        jid = parsed(self.asked.get("jid", ""))
        if jid is None or jid.bare != self.session.jid.bare:
            raise PubsubError("bad-request", "invalid-jid")
        if len(jid.resource) > MAX_RESOURCE_CHARACTERS:
            raise PubsubError("bad-request", "invalid-jid")
        return jid.resource


async def answer(session: ClientSession, iq: Element) -> Element | None:
    """The answer to a request; None if the stanza is no request."""
    if iq.get("type") not in {"get", "set"}:
        return None
    reader = await session.access()
    if reader is None:
        return error_of(iq, "not-authorized")
    payload = first_child(iq)
    namespace, name = split(payload) if payload is not None else ("", "")
    try:
        if payload is None:
            raise PubsubError("bad-request")
        if namespace == DISCO_INFO:
            return disco.pubsub_info(iq, _known(reader, payload.get("node")))
        if namespace == DISCO_ITEMS:
            return await _disco_items(iq, reader, payload.get("node"))
        if namespace == PING:
            return result_of(iq)
        if namespace == PUBSUB_OWNER:
            raise PubsubError("forbidden")
        if namespace != PUBSUB or name != "pubsub":
            raise PubsubError("service-unavailable")
        return await _pubsub(session, reader, iq, payload)
    except PubsubError as error:
        detail = (PUBSUB_ERRORS, error.detail) if error.detail else None
        return error_of(iq, error.condition, detail=detail)


async def _pubsub(session: ClientSession, reader: Reader, iq: Element, payload: Element) -> Element:
    asked = next((child for child in payload if split(child)[0] == PUBSUB), None)
    if asked is None:
        raise PubsubError("bad-request")
    _, name = split(asked)
    if name in {"publish", "retract", "create", "configure", "delete", "purge"}:
        # Only the service may.
        raise PubsubError("forbidden")
    handler = _HANDLERS.get((iq.get("type", ""), name))
    if handler is None:
        raise PubsubError("feature-not-implemented", "unsupported")
    result = result_of(iq)
    content = SubElement(result, tag(PUBSUB, "pubsub"))
    await handler(_Request(session, reader, payload, asked, content))
    if not len(content):
        result.remove(content)
    return result


# --- subscriptions ------------------------------------------------------------------------------


async def _subscribe(request: _Request) -> None:
    node, resource, reader = request.node(), request.resource(), request.reader
    # An automatic subscription exists already, and a second one would deliver twice.
    if not reader.has_automatically(node):
        client = request.session.jid.resource
        await off_loop(_remember)(reader, client, resource, node)
        await request.session.renew()
    _add_subscription(request.content, node, request.asked.get("jid", ""))


async def _unsubscribe(request: _Request) -> None:
    resource, reader = request.resource(), request.reader
    # First of all: one may cancel a subscription to what one may no longer subscribe to.
    client, asked = request.session.jid.resource, request.asked.get("node", "")
    is_cancelled = await off_loop(_forget)(reader.login_id, client, resource, asked)
    # Also where there was none: a former attempt may have failed at this.
    await request.session.renew()
    if is_cancelled:
        return
    # Automatic subscriptions stay; some clients cancel them before they leave, which is no error.
    if not reader.has_automatically(request.node()):
        raise PubsubError("unexpected-request", "not-subscribed")


async def _subscriptions(request: _Request) -> None:
    only = request.asked.get("node")
    address = request.session.jid.bare
    listed = SubElement(request.content, tag(PUBSUB, "subscriptions"))
    for node in request.reader.automatic:
        if only is None or published_as(only) == node:
            _add_subscription(listed, only or node, address)
    for one in await off_loop(_remembered)(request.reader.login_id):
        if only in (None, one.node) and request.reader.may_subscribe(one.node):
            client = f"{address}/{one.resource}" if one.resource else address
            _add_subscription(listed, one.node, client)


def _known(reader: Reader, node: str | None) -> str:
    """The node, if the reader may subscribe to it; empty for the service itself."""
    if node and not reader.may_subscribe(node):
        # The answer must not tell whether another user exists.
        is_known = is_of_a_user(node) or team_of(node) is not None
        raise PubsubError("forbidden" if is_known else "item-not-found")
    return node or ""


@transaction.atomic
def _remember(reader: Reader, client: str, resource: str, node: str) -> None:
    """Store a subscription. `client` is the requesting client's resource: if the subscription is
    for others, too, every process looks up again what its readers may see."""
    mine = Subscription.objects.filter(login_id=reader.login_id)
    if mine.filter(resource=resource, node=node).exists():
        return
    if mine.count() >= MAX_SUBSCRIPTIONS_PER_USER:
        _make_room([*mine.order_by("pk")], reader, client)
    mine.get_or_create(login_id=reader.login_id, resource=resource, node=node)
    if resource != client:
        log.count_access_change()


def _make_room(mine: Sequence[Subscription], reader: Reader, client: str) -> None:
    """Delete one: of what the user may see no longer, else the oldest of another client.

    Clients leave without cancelling, and a resource that this service chose never comes back. Any
    other may be a name that a client has given itself, and is connected with for weeks: it comes
    last. (Those that Prosody chooses look like such names.)
    """
    of_others = [one for one in mine if one.resource not in ("", client)]
    in_this_order = (
        *(one for one in mine if not reader.may_subscribe(one.node)),
        *(one for one in of_others if is_chosen_here(one.resource)),
        *of_others,
    )
    if not in_this_order:
        raise PubsubError("policy-violation", "too-many-subscriptions")
    in_this_order[0].delete()


@transaction.atomic
def _forget(login_id: str, client: str, resource: str, node: str) -> bool:
    """Delete a subscription; whether there was one. For `client` see `_remember`."""
    deleted, _ = Subscription.objects.filter(
        login_id=login_id, resource=resource, node=node
    ).delete()
    if deleted and resource != client:
        log.count_access_change()
    return bool(deleted)


def _remembered(login_id: str) -> list[Subscription]:
    return list(Subscription.objects.filter(login_id=login_id).order_by("pk"))


def _add_subscription(parent: Element, node: str, jid: str) -> None:
    SubElement(parent, tag(PUBSUB, "subscription"), node=node, jid=jid, subscription="subscribed")


# --- items --------------------------------------------------------------------------------------


async def _items(request: _Request) -> None:
    node = request.node()
    try:
        requested = items.asked_for(published_as(node), request.pubsub, request.asked)
        found = await off_loop(items.read)(requested)
    except ValueError:
        raise PubsubError("bad-request") from None
    except items.UnknownItemError:
        raise PubsubError("item-not-found") from None
    items.add(request.content, node, found)


async def _disco_items(iq: Element, reader: Reader, node: str | None) -> Element:
    if known := _known(reader, node):
        read = off_loop(log.newest)
        newest = await read([published_as(known)], limit=items.ITEMS_PER_PAGE)
        return disco.items(iq, node, [{"name": str(one.place.number)} for one in newest])
    return disco.items(iq, None, [{"node": one} for one in reader.automatic])


_HANDLERS: dict[tuple[str, str], Callable[[_Request], Awaitable[None]]] = {
    ("set", "subscribe"): _subscribe,
    ("set", "unsubscribe"): _unsubscribe,
    ("get", "subscriptions"): _subscriptions,
    ("get", "items"): _items,
}
