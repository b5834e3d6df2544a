"""Retrieving a node's items: the newest, certain ones, or all after one (XEP-0060, XEP-0059)."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from finesse.notifications import log
from finesse.notifications.models import Notification
from finesse.xmpp.stanzas import PUBSUB, RSM, add_item, integer, tag

PAGE = 100
"""Items in one answer: a client asks again, after the last one that it got."""


class UnknownItemError(LookupError):
    """The id after which items are wanted is none, or what followed it has been pruned: whoever
    asks may have missed something for good, and has to read the present state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client asks a node for."""

    node: str
    positions: tuple[int, ...] | None = None
    after: int | None = None
    before: int | None = None
    limit: int = PAGE


def asked_for(node: str, pubsub: Element, asked: Element) -> Wanted:
    """Read `<items>` and the `<set>` beside it. Raises ValueError for what is no number."""
    ids = [one.get("id") for one in asked.findall(tag(PUBSUB, "item"))]
    if ids:
        # An id that is no position is the id of no item.
        positions = (integer(one) for one in ids[:PAGE])
        return Wanted(node=node, positions=tuple(one for one in positions if one is not None))
    # Beside the items (XEP-0060, section 6.5.4); some put it into them.
    result_set = pubsub.find(tag(RSM, "set"))
    if result_set is None:
        result_set = asked.find(tag(RSM, "set"))
    limits = [asked.get("max_items")]
    after = before = None
    if result_set is not None:
        limits.append(result_set.findtext(tag(RSM, "max")))
        after = result_set.findtext(tag(RSM, "after"))
        # Empty: the last page.
        before = result_set.findtext(tag(RSM, "before")) or None
    return Wanted(
        node=node,
        after=_number(after),
        before=_number(before),
        limit=min([PAGE, *(_number(one) or 0 for one in limits if one)]),
    )


def read(wanted: Wanted) -> list[Notification]:
    """Oldest first. Raises UnknownItemError."""
    if wanted.positions is not None:
        return log.at(wanted.node, wanted.positions)
    if wanted.after is None:
        return log.newest([wanted.node], before=wanted.before, limit=wanted.limit)
    head = log.head().position
    found: list[Notification] = []
    if log.floor() <= wanted.after <= head:
        found = log.read(after=wanted.after, upto=head, nodes=[wanted.node], limit=wanted.limit)
    # Once more: pruning may have gone on meanwhile.
    if not log.floor() <= wanted.after <= head:
        raise UnknownItemError(wanted.after)
    return found


def add(content: Element, node: str, found: Sequence[Notification]) -> None:
    """Put the items into an answer, with the ids from which the next page goes on."""
    listed = SubElement(content, tag(PUBSUB, "items"), node=node)
    for notification in found:
        add_item(listed, PUBSUB, notification)
    if found:
        result_set = SubElement(content, tag(RSM, "set"))
        SubElement(result_set, tag(RSM, "first")).text = str(found[0].position)
        SubElement(result_set, tag(RSM, "last")).text = str(found[-1].position)


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    number = integer(text)
    if number is None:
        raise ValueError(text)
    return number
