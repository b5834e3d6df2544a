"""Writing and reading the event log.

Whoever appends holds the lock of the log's head, so positions follow the order of commits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import F, Min
from django.utils import timezone

from finesse.api.codec import render
from finesse.notifications.models import Event, LogHead, Notification
from finesse.service.bulk import BulkInsert, BulkUpdate
from finesse.service.statements import Parameter, Statement

PAGE = 500
"""Notifications read or handed over at a time: bounds memory, not correctness."""


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
    *, after: int, upto: int | None = None, nodes: Iterable[str] | None = None, limit: int = PAGE
) -> list[Notification]:
    """The next notifications in order: of the named nodes only, or of all."""
    found = Notification.objects.filter(position__gt=after)
    if upto is not None:
        found = found.filter(position__lte=upto)
    if nodes is not None:
        found = found.filter(node__in=nodes)
    return list(found.order_by("position")[:limit])


def newest(node: str, *, before: int | None = None, limit: int = PAGE) -> list[Notification]:
    """The newest notifications of a node, those before a position if one is given, in order."""
    found = Notification.objects.filter(node=node)
    if before is not None:
        found = found.filter(position__lt=before)
    return list(found.order_by("-position")[:limit])[::-1]


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
