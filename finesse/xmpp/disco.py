"""Service discovery (XEP-0030)."""

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from finesse.xmpp.addresses import pubsub_domain
from finesse.xmpp.stanzas import (
    DISCO_INFO,
    DISCO_ITEMS,
    PING,
    PUBSUB,
    RSM,
    result_of,
    tag,
)

_COMMON_FEATURES = (DISCO_INFO, DISCO_ITEMS, PING)
_PUBSUB_FEATURES = (
    *_COMMON_FEATURES,
    PUBSUB,
    f"{PUBSUB}#item-ids",
    f"{PUBSUB}#persistent-items",
    f"{PUBSUB}#retrieve-items",
    f"{PUBSUB}#retrieve-subscriptions",
    f"{PUBSUB}#rsm",
    f"{PUBSUB}#subscribe",
    RSM,
)


def server_info(iq: Element) -> Element:
    return _info(iq, "server", "im", "Finesse Media", _COMMON_FEATURES)


def server_items(iq: Element) -> Element:
    return items(iq, None, [{"jid": pubsub_domain(), "name": "Notifications"}])


def pubsub_info(iq: Element, node: str) -> Element:
    """About the pubsub service, or about one of its nodes."""
    kind, name = ("leaf", node) if node else ("service", "Finesse Media notifications")
    return _info(iq, "pubsub", kind, name, _PUBSUB_FEATURES, node=node)


def items(iq: Element, node: str | None, found: Iterable[Mapping[str, str]]) -> Element:
    """`found` has the attributes of each item; the default `jid` is the pubsub service."""
    result = result_of(iq)
    query = SubElement(result, tag(DISCO_ITEMS, "query"), {"node": node} if node else {})
    for one in found:
        SubElement(query, tag(DISCO_ITEMS, "item"), {"jid": pubsub_domain(), **one})
    return result


def _info(
    iq: Element, category: str, kind: str, name: str, features: Iterable[str], node: str = ""
) -> Element:
    result = result_of(iq)
    query = SubElement(result, tag(DISCO_INFO, "query"), {"node": node} if node else {})
    SubElement(query, tag(DISCO_INFO, "identity"), category=category, type=kind, name=name)
    for feature in features:
        SubElement(query, tag(DISCO_INFO, "feature"), var=feature)
    return result
