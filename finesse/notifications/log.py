"""Writing and reading the event log.

Whoever appends holds the lock of the log's head, so positions follow the order of commits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from finesse.api.codec import render
from finesse.notifications.models import SEGMENT, Event, LogHead, Notification, segment_of
from finesse.service.bulk import BulkInsert, BulkUpdate
from finesse.service.statements import Parameter, Statement

PAGE = 500
"""Notifications read or handed over at a time: bounds memory, not correctness."""
SEGMENTS = 32
"""Segments of the log that are looked through first, then twice as many, and so on."""
LOOK_UPS = 8192
"""Entries of the index, a node in a segment, looked up in one statement at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened on a node; `data` is the child of `<data>`, as the codec renders it.

    Without data there is no `<data>`, as when a user is deleted [Notification Parameters].
    """

    node: str
    source: str
    data: Mapping[str, Any] | None
    event: Event = Event.PUT
    request_id: str = ""
    is_error: bool = False


_WRITE = BulkInsert(Notification)
_GROW = BulkUpdate(LogHead, ("position",))
_HEAD = Statement(lambda: LogHead.objects.all())
_LOCKED_HEAD = Statement(lambda: LogHead.objects.select_for_update())


@cache
def _page(limit: int) -> Statement[Notification]:
    return Statement(lambda: Notification.objects.filter(position__gt=Parameter("after"))[:limit])


def lock() -> LogHead:
    """Take the writer's lock until the end of the transaction (SQLite: the transaction has it)."""
    (locked,) = _LOCKED_HEAD.all()
    return locked


def append(head: LogHead, entries: Sequence[Entry]) -> list[Notification]:
    """Write the entries behind the head that the caller has locked."""
    now = timezone.now()
    written = [
        _notification(position, entry, now)
        for position, entry in enumerate(entries, start=head.position + 1)
    ]
    if written:
        _WRITE(written)
        head.position += len(written)
        _GROW([head])
    return written


def _notification(position: int, entry: Entry, at: Any) -> Notification:
    # An event does not carry the requestId, an error does [seed].
    tells_request = entry.is_error or settings.FINESSE_REQUEST_ID_ON_SUCCESS
    request_id = entry.request_id if tells_request else ""
    update = {
        **({} if entry.data is None else {"data": entry.data}),
        "event": entry.event.value,
        "requestId": request_id,
        "source": entry.source,
    }
    return Notification(
        position=position,
        node=entry.node,
        source=entry.source,
        event=entry.event,
        request_id=request_id,
        at=at,
        update=render({"Update": update}),
    )


def head() -> LogHead:
    (found,) = _HEAD.all()
    return found


def floor() -> int:
    """The position after which nothing has been pruned: from there on, everything can be read."""
    oldest = Notification.objects.aggregate(oldest=Min("position"))["oldest"]
    return oldest - 1 if oldest else head().position


def read(
    *, after: int, upto: int | None = None, nodes: Collection[str] | None = None, limit: int = PAGE
) -> list[Notification]:
    """The next notifications in order: of the named nodes only, or of all."""
    last = head().position if upto is None else upto
    following = Notification.objects.filter(position__gt=after, position__lte=last)
    if nodes is None:
        return list(following.order_by("position")[:limit])
    # A caller may name any number.
    segments = range((max(after, 0) + 1) // SEGMENT, last // SEGMENT + 1)
    return _of_nodes(following, nodes, segments, ("segment", "position"), limit)


def newest(
    nodes: Collection[str], *, before: int | None = None, limit: int = PAGE
) -> list[Notification]:
    """The newest notifications of some nodes, those before a position if one is given, in order."""
    last = head().position
    if before is not None:
        last = min(last, before - 1)
    preceding = Notification.objects.filter(position__lte=last)
    segments = range(last // SEGMENT, (floor() + 1) // SEGMENT - 1, -1)
    return _of_nodes(preceding, nodes, segments, ("-segment", "-position"), limit)[::-1]


def _of_nodes(
    notifications: "QuerySet[Notification]",
    nodes: Collection[str],
    segments: Sequence[int],
    order: Sequence[str],
    limit: int,
) -> list[Notification]:
    """The first of these notifications, from as many segments as it takes, named in their order."""
    found: list[Notification] = []
    begin, size = 0, SEGMENTS
    while begin < len(segments) and len(found) < limit:
        size = min(size, max(1, LOOK_UPS // max(1, len(nodes))))
        some = segments[begin : begin + size]
        found += in_segments(notifications, nodes, some, order)[: limit - len(found)]
        begin, size = begin + size, 2 * size
    return found


def in_segments(
    notifications: "QuerySet[Notification]",
    nodes: Collection[str],
    segments: Sequence[int],
    order: Sequence[str],
) -> "QuerySet[Notification]":
    """Those of the nodes in some segments, which are named one by one, as the index has the nodes
    of each by themselves; of one node it gives them in their order."""
    numbered = notifications.alias(segment=segment_of("position"))
    return numbered.filter(node__in=nodes, segment__in=segments).order_by(*order)


def at(node: str, positions: Collection[int]) -> list[Notification]:
    """The notifications of a node at these positions, as far as they are there."""
    found = Notification.objects.filter(node=node, position__in=positions)
    return list(found.order_by("position"))


def read_with_head(after: int) -> tuple[list[Notification], LogHead]:
    """The next notifications, and the head as it was afterwards.

    In this order: the head's `access` is then at least as new as any of the notifications.
    """
    page = _page(PAGE).all(after=after)
    return page, head()


def count_access_change() -> None:
    """Say that users or teams have changed; called in the transaction that changes them."""
    LogHead.objects.filter(pk=1).update(access=F("access") + 1)
