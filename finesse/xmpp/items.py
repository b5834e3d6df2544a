"""Retrieving items of a node: the newest, some by id, or all after one (XEP-0060, XEP-0059)."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from finesse.notifications import log
from finesse.notifications.models import Notification
from finesse.notifications.places import Place
from finesse.xmpp.stanzas import PUBSUB, RSM, add_item, integer, tag

ITEMS_PER_PAGE = 100
"""In one answer. A client asks for the next page with the id of the last item that it got."""


class UnknownItemError(LookupError):
    """The id after which, or before which, items are requested is not of this log, or the log
    behind it is pruned.

    The client may have missed items for good, and must read the present state.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsRequest:
    """The items that a client requests."""

    node: str
    places: tuple[Place, ...] | None = None
    after: Place | None = None
    before: Place | None = None
    limit: int = ITEMS_PER_PAGE


def asked_for(node: str, pubsub: Element, asked: Element) -> ItemsRequest:
    """Read `<items>` and the `<set>` beside it. Raises ValueError for numbers that are none."""
    ids = [one.get("id") for one in asked.findall(tag(PUBSUB, "item"))]
    if ids:
        # An id that is no number belongs to no item.
        numbers = [number for one in ids[:ITEMS_PER_PAGE] if (number := integer(one)) is not None]
        return ItemsRequest(node=node, places=tuple(map(Place.of_number, numbers)))
    # XEP-0060, section 6.5.4, has `<set>` beside `<items>`; some clients put it inside.
    result_set = pubsub.find(tag(RSM, "set"))
    if result_set is None:
        result_set = asked.find(tag(RSM, "set"))
    limits = [asked.get("max_items")]
    after = before = None
    if result_set is not None:
        limits.append(result_set.findtext(tag(RSM, "max")))
        after = result_set.findtext(tag(RSM, "after"))
        # An empty element requests the last page.
        before = result_set.findtext(tag(RSM, "before")) or None
    return ItemsRequest(
        node=node,
        after=_place(after),
        before=_place(before),
        limit=min([ITEMS_PER_PAGE, *(_number(one) for one in limits if one)]),
    )


def read(request: ItemsRequest) -> list[Notification]:
    """Oldest first. Raises UnknownItemError."""
    if request.places is not None:
        return log.at(request.node, request.places)
    asked = {place for place in (request.after, request.before) if place is not None}
    if request.after is None:
        before = None if request.before is None else request.before.position
        found = log.newest([request.node], before=before, limit=request.limit)
    else:
        found = log.read(after=request.after.position, nodes=[request.node], limit=request.limit)
    # Afterwards: the log may be pruned, or restored from a backup, while it is read.
    if unknown := asked - log.known(asked):
        raise UnknownItemError(*unknown)
    return found


def add(content: Element, node: str, found: Sequence[Notification]) -> None:
    """Add the items to an answer, with the ids by which the neighbouring pages are requested."""
    listed = SubElement(content, tag(PUBSUB, "items"), node=node)
    for notification in found:
        add_item(listed, PUBSUB, notification)
    if found:
        result_set = SubElement(content, tag(RSM, "set"))
        SubElement(result_set, tag(RSM, "first")).text = str(found[0].place.number)
        SubElement(result_set, tag(RSM, "last")).text = str(found[-1].place.number)


def _place(text: str | None) -> Place | None:
    return None if text is None else Place.of_number(_number(text))


def _number(text: str) -> int:
    number = integer(text)
    if number is None:
        raise ValueError(text)
    return number
