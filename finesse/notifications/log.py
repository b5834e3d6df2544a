"""The event log: the one place where notifications are made, and where they are read.

To append, a transaction holds the lock of the log's head: so positions follow the order of commits.
What it has appended is published after its commit.

A backup that is restored takes the log back, and what is written then gets positions that others
have seen before. Each reader that keeps a place in the log, in memory or at a client, compares it
with the log's own (`known`, `read_on`); nobody has to say that there was a restore.
"""

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Min, QuerySet
from django.utils import timezone

from finesse.api.xml import render
from finesse.db.bulk import BulkInsert, BulkUpdate
from finesse.db.statements import Placeholder, Statement
from finesse.notifications.models import SEGMENT, Event, LogHead, Notification, segment_of
from finesse.notifications.places import BEGINNING, CHECK_DIGITS, Place
from finesse.notifications.publisher import publish_after_commit

PAGE = 500
"""Notifications read at a time: bounds memory, not correctness."""
FEW_NODES = 16
"""As an agent has, or the supervisor of a handful: a segment holds little of them."""
NEAR_POSITIONS = 4096
"""Looked through one by one first, for a reader of more than a few nodes."""
FIRST_SEGMENTS = 32
"""Looked up first for a few nodes; then twice as many, and so on."""
LOOK_UPS_PER_STATEMENT = 32_768
"""At most so many entries of the index: a node in a segment is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A notification that has no position yet; `data` is the child of `<data>`, for `render`.

    With None there is no `<data>`, as when a user is deleted [Notification Parameters].
    """

    node: str
    source: str
    data: Mapping[str, Any] | None
    event: Event = Event.PUT
    request_id: str = ""
    is_error: bool = False
    context: Mapping[str, Any] | None = None
    """For viewers' frames only, to be rendered as JSON: no client of Finesse is shown it."""


class AnotherLogError(LookupError):
    """The log does not know this place: it was restored from a backup since, or is another's."""


_WRITE = BulkInsert(Notification)
_GROW = BulkUpdate(LogHead, ("position", "check_digits"))
_HEAD = Statement(lambda: LogHead.objects.all())
_LOCKED_HEAD = Statement(lambda: LogHead.objects.select_for_update())


@cache
def _page(limit: int) -> Statement[Notification]:
    return Statement(lambda: Notification.objects.filter(position__gte=Placeholder("at"))[:limit])


def lock() -> LogHead:
    """Take the writer's lock until the end of the transaction (SQLite: the transaction has it)."""
    (locked,) = _LOCKED_HEAD.all()
    return locked


def append(head: LogHead, entries: Sequence[Entry], *, publish: bool = True) -> list[Notification]:
    """Write the entries behind the head that the caller has locked, and publish them after commit.

    `publish=False` is for a caller that publishes by itself afterwards.
    """
    now = timezone.now()
    # Never 0, which the notifications have that were written before there were any.
    check_digits = 1 + secrets.randbelow(CHECK_DIGITS - 1)
    written = [
        _notification(Place(position, check_digits), entry, now)
        for position, entry in enumerate(entries, start=head.position + 1)
    ]
    if written:
        _WRITE(written)
        head.position, head.check_digits = written[-1].place
        _GROW([head])
        if publish:
            publish_after_commit()
    return written


def _notification(place: Place, entry: Entry, at: Any) -> Notification:
    # An event does not carry the requestId, an error does [seed].
    has_request_id = entry.is_error or settings.FINESSE_REQUEST_ID_ON_SUCCESS
    request_id = entry.request_id if has_request_id else ""
    update = {
        **({} if entry.data is None else {"data": entry.data}),
        "event": entry.event.value,
        "requestId": request_id,
        "source": entry.source,
    }
    return Notification(
        position=place.position,
        check_digits=place.check_digits,
        node=entry.node,
        source=entry.source,
        event=entry.event,
        request_id=request_id,
        at=at,
        update=render({"Update": update}),
        context="" if entry.context is None else json.dumps(entry.context),
    )


def head() -> LogHead:
    (found,) = _HEAD.all()
    return found


def newest_place() -> tuple[Place, LogHead]:
    """The place of the newest notification, and the head.

    By the notification itself, if it is there: a worker of the last version, which may still run,
    moves the head without its check digits.
    """
    found = head()
    stored = Notification.objects.filter(position=found.position).first()
    return (stored or found).place, found


def floor() -> int:
    """The position behind which everything can still be read: nothing after it was pruned."""
    oldest = Notification.objects.aggregate(oldest=Min("position"))["oldest"]
    return oldest - 1 if oldest else head().position


def read(
    *, after: int, upto: int | None = None, nodes: Collection[str] | None = None, limit: int = PAGE
) -> list[Notification]:
    """The notifications after a position, up to another or the head, in order.

    Of these nodes only, or of all.
    """
    last = head().position if upto is None else upto
    # A caller may name any number.
    positions = range(max(after, 0) + 1, last + 1)
    if nodes is None:
        return list(_between(positions).order_by("position")[:limit])
    return _of_nodes(nodes, positions, limit)


def newest(
    nodes: Collection[str], *, before: int | None = None, limit: int = PAGE
) -> list[Notification]:
    """The newest notifications of some nodes, those before a position if one is given, in order."""
    last = head().position
    if before is not None:
        last = min(last, before - 1)
    return _of_nodes(nodes, range(last, floor(), -1), limit)[::-1]


def _of_nodes(nodes: Collection[str], positions: range, limit: int) -> list[Notification]:
    """The first of the nodes' notifications at these positions, in the order of these."""
    found: list[Notification] = []
    if len(nodes) > FEW_NODES:
        # A reader of many nodes finds a page's worth among few positions.
        near, positions = positions[:NEAR_POSITIONS], positions[NEAR_POSITIONS:]
        order = "position" if near.step > 0 else "-position"
        found += _between(near).filter(node__in=nodes).order_by(order)[:limit]
    size = max(1, FIRST_SEGMENTS * FEW_NODES // max(FEW_NODES, len(nodes)))
    most = max(1, LOOK_UPS_PER_STATEMENT // max(1, len(nodes)))
    while positions and len(found) < limit:
        some = _segments(positions, size)
        found += in_segments(some, nodes)[: limit - len(found)]
        positions, size = positions[len(some) :], min(2 * size, most)
    return found


def _segments(positions: range, size: int) -> range:
    """The first of the positions, to the end of the segment that is the `size`th."""
    begin = positions[0] // SEGMENT
    if positions.step > 0:
        return positions[: (begin + size) * SEGMENT - positions[0]]
    return positions[: positions[0] + 1 - (begin + 1 - size) * SEGMENT]


def in_segments(positions: range, nodes: Collection[str]) -> "QuerySet[Notification]":
    """The nodes' notifications at these positions, in the order of these.

    The segments are listed, since the index is sorted by segment, then by node, then by position.
    """
    first, last, step = positions[0] // SEGMENT, positions[-1] // SEGMENT, positions.step
    numbered = _between(positions).alias(segment=segment_of("position"))
    found = numbered.filter(node__in=nodes, segment__in=range(first, last + step, step))
    return found.order_by(*(("segment", "position") if step > 0 else ("-segment", "-position")))


def _between(positions: range) -> "QuerySet[Notification]":
    if not positions:
        return Notification.objects.none()
    ends = sorted((positions[0], positions[-1]))
    return Notification.objects.filter(position__range=ends)


def at(node: str, places: Collection[Place]) -> list[Notification]:
    """The notifications of a node at these places: those that exist, in order."""
    positions = [place.position for place in places]
    found = Notification.objects.filter(node=node, position__in=positions).order_by("position")
    return [one for one in found if one.place in places]


def known(places: Collection[Place]) -> set[Place]:
    """Those of these places that are of this log, and behind which nothing was pruned."""
    found = set()
    if some := [place.position for place in places if place != BEGINNING]:
        stored = Notification.objects.filter(position__in=some)
        found |= {Place(*one) for one in stored.values_list("position", "check_digits")}
    if BEGINNING in places and floor() == 0:
        found.add(BEGINNING)
    if {*places} - found - {BEGINNING}:
        # The last one may be pruned.
        found.add(head().place)
    return found & {*places}


def read_on(place: Place) -> tuple[list[Notification], LogHead]:
    """The next notifications after a place, and the head as it was afterwards.

    In this order: the head's `access` is then at least as new as any of the notifications. Raises
    AnotherLogError.
    """
    page = _page(PAGE + 1).all(at=place.position)
    newest = head()
    if page and page[0].position == place.position:
        here = page.pop(0).place
    elif newest.position <= place.position:
        here = newest.place
    else:
        here = place  # Pruned, which is not done to what was written after a restore.
    if here != place:
        raise AnotherLogError(place)
    return page[:PAGE], newest


def count_access_change() -> None:
    """Say that users, teams or subscriptions have changed, in the transaction that changes them.

    After its commit it is published, and every server looks up anew who may see what.
    """
    with transaction.atomic():
        LogHead.objects.filter(pk=1).update(access=F("access") + 1)
        publish_after_commit()
