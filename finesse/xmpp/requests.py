"""Requests of a bound client over WebSocket, to the server and to pubsub."""

from xml.etree.ElementTree import Element, SubElement

from finesse.xmpp import disco, pubsub
from finesse.xmpp.addresses import domain, parsed, pubsub_domain
from finesse.xmpp.client_session import ClientSession
from finesse.xmpp.stanzas import (
    DISCO_INFO,
    DISCO_ITEMS,
    PING,
    ROSTER,
    SESSION,
    error_of,
    first_child,
    result_of,
    split,
    tag,
)


async def answer(session: ClientSession, name: str, stanza: Element) -> Element | None:
    """The answer to an `<iq>` or a `<message>`; None if it needs none."""
    kind = stanza.get("type")
    if kind in {"error", "result"}:
        return None
    to = parsed(stanza.get("to", "")) if stanza.get("to") else session.jid
    if to is None:
        return error_of(stanza, "jid-malformed")
    if name == "message":
        # Users cannot write to each other over WebSocket.
        return error_of(stanza, "service-unavailable")
    if kind not in {"get", "set"} or not stanza.get("id"):
        return error_of(stanza, "bad-request")
    if to.bare == pubsub_domain():
        return await pubsub.answer(session, stanza)
    if to.bare in (domain(), session.jid.bare):
        return _answer_of_server(stanza)
    return error_of(stanza, "service-unavailable")


def _answer_of_server(iq: Element) -> Element:
    payload = first_child(iq)
    if payload is None:
        return error_of(iq, "bad-request")
    match (iq.get("type"), *split(payload)):
        case ("get", namespace, "ping") if namespace == PING:
            return result_of(iq)
        case ("set", namespace, "session") if namespace == SESSION:
            return result_of(iq)
        case ("get", namespace, "query") if namespace == ROSTER:
            result = result_of(iq)
            SubElement(result, tag(ROSTER, "query"))
            return result
        case ("set", namespace, "query") if namespace == ROSTER:
            return error_of(iq, "not-allowed")
        case ("get", namespace, "query") if namespace == DISCO_INFO:
            return disco.server_info(iq)
        case ("get", namespace, "query") if namespace == DISCO_ITEMS:
            return disco.server_items(iq)
    return error_of(iq, "service-unavailable")
