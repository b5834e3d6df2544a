"""Counts the use of reason codes, from the last interval that is counted on.

Only the writer inserts intervals, under its lock, so their ids are in the order of commits: what is
committed later than an interval that can be seen has a greater id. So one number says what is
counted already, and the writer has nothing to do for the counts.
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from django.db import connection, transaction
from django.db.models import Count, Max
from django.db.models.functions import TruncDate
from django.utils import timezone

from finesse.db.bulk import Among, BulkInsert, BulkUpdate, keys
from finesse.db.statements import Placeholder, Statement
from media.models import StateInterval
from media.use_tables import LastUse, UseHead, UseOnDay

DAYS = 30
"""Today is the last of the days whose use is counted."""
IDS_PER_STEP = 5_000
"""Counted in one transaction: more would hold up the writer of an SQLite database."""

Uses: TypeAlias = dict[tuple[int, date], int]
"""Intervals that began, by reason code and day."""
Last: TypeAlias = dict[tuple[int, str], date]
"""The last day of use, by reason code and user."""

_INSERT_DAYS = BulkInsert(UseOnDay)
_UPDATE_DAYS = BulkUpdate(UseOnDay, ("uses", "agents"))
_INSERT_LAST = BulkInsert(LastUse)
_UPDATE_LAST = BulkUpdate(LastUse, ("day",))
_DAYS = Statement(
    lambda: UseOnDay.objects.filter(Among("reason_code", "day", Placeholder("keys"))).order_by()
)
_LAST = Statement(
    lambda: LastUse.objects.filter(Among("reason_code", "login_id", Placeholder("keys"))).order_by()
)


def first_day() -> date:
    """The first of the days whose use is counted."""
    return timezone.now().astimezone(UTC).date() - timedelta(days=DAYS - 1)


def count_new() -> bool:
    """Count some of the intervals that are not counted yet; False if none are left.

    If another process is counting it does nothing: that one does it.
    """
    if not StateInterval.objects.filter(id__gt=_counted()).exists():
        # Without the lock, which is that of the whole database in SQLite.
        return False
    with transaction.atomic():
        head = UseHead.objects.select_for_update(skip_locked=_can_skip()).first()
        return _count(head) if head else False


def forget_old() -> None:
    """Delete the counts of days that are too long ago to be counted."""
    with transaction.atomic():
        UseHead.objects.select_for_update().first()
        LastUse.objects.filter(day__lt=first_day()).delete()
        UseOnDay.objects.filter(day__lt=first_day()).delete()


def start_again() -> None:
    """Forget all counts: all that the history still has is to be counted again."""
    with transaction.atomic():
        UseHead.objects.select_for_update().first()
        LastUse.objects.all().delete()
        UseOnDay.objects.all().delete()
        UseHead.objects.update(interval=0)


def uses_and_last(after: int, upto: int, since: date) -> tuple[Uses, Last]:
    """What the history says of intervals with these ids that began since a day."""
    began = StateInterval.objects.filter(
        id__gt=after,
        id__lte=upto,
        reason_code__isnull=False,
        started_at__gte=datetime.combine(since, time(), UTC),
    )
    by_day = began.annotate(day=TruncDate("started_at", tzinfo=UTC)).order_by()
    uses: Counter[tuple[int, date]] = Counter()
    last: Last = {}
    rows = by_day.values_list("reason_code_id", "login_id", "day").annotate(Count("id"))
    for pk, login_id, day, count in rows.iterator():
        uses[pk, day] += count
        last[pk, login_id] = max(day, last.get((pk, login_id), day))
    return dict(uses), last


def _counted() -> int:
    return UseHead.objects.values_list("interval", flat=True).get()


def _count(head: UseHead) -> bool:
    new = StateInterval.objects.filter(id__gt=head.interval)
    # From the first that is there: so many may have been pruned.
    first = new.order_by("id").values_list("id", flat=True).first()
    if first is None:
        return False
    newest = new.aggregate(newest=Max("id"))["newest"]
    upto = min(first - 1 + IDS_PER_STEP, newest)
    _add(*uses_and_last(first - 1, upto, first_day()))
    UseHead.objects.update(interval=upto)
    return bool(upto < newest)


def _add(uses: Uses, last: Last) -> None:
    if not uses:
        return
    agents: Counter[tuple[int, date]] = Counter()
    new, moved = [], []
    before = {(one.reason_code_id, one.login_id): one for one in _LAST.all(keys=keys(last))}
    for (pk, login_id), day in last.items():
        known = before.get((pk, login_id))
        if known is None:
            new.append(LastUse(reason_code_id=pk, login_id=login_id, day=day))
        elif known.day < day:
            agents[pk, known.day] -= 1
            known.day = day
            moved.append(known)
        else:
            continue
        agents[pk, day] += 1
    _INSERT_LAST(new)
    _UPDATE_LAST(moved)
    _add_to_days(uses, agents)


def _add_to_days(uses: Uses, agents: "Counter[tuple[int, date]]") -> None:
    touched = {*uses, *agents}
    named = keys((pk, day.isoformat()) for pk, day in touched)
    rows = {(row.reason_code_id, row.day): row for row in _DAYS.all(keys=named)}
    new = {
        key: UseOnDay(reason_code_id=key[0], day=key[1], uses=0, agents=0)
        for key in touched - rows.keys()
    }
    for key in touched:
        row = rows.get(key) or new[key]
        row.uses += uses.get(key, 0)
        row.agents += agents.get(key, 0)
    _INSERT_DAYS([*new.values()])
    _UPDATE_DAYS([rows[key] for key in touched & rows.keys()])


def _can_skip() -> bool:
    return bool(connection.features.has_select_for_update_skip_locked)
