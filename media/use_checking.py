"""Compares the counts of use with the history. It scans the history: not for pages."""

from collections import Counter
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from media.use_counting import DAYS, first_day, uses_and_last
from media.use_tables import LastUse, UseHead, UseOnDay


def differences() -> list[str]:
    """Where they differ, a line each.

    Intervals that came after the counting are left out, and so are days whose intervals may have
    been pruned.
    """
    since = first_day()
    with transaction.atomic():
        head = UseHead.objects.select_for_update().get()
        days = UseOnDay.objects.filter(day__gte=since)
        counted = {(row.reason_code_id, row.day): (row.uses, row.agents) for row in days}
        last = LastUse.objects.filter(day__gte=since).order_by()
        of_agents = {
            (pk, day): count
            for pk, day, count in last.values_list("reason_code_id", "day").annotate(Count("id"))
        }
    # After the transaction, which would hold up who counts: these intervals do not change.
    expected = _expected(head.interval, since)
    if settings.FINESSE_KEEP_INTERVALS_DAYS <= DAYS:
        counted = {key: value for key, value in counted.items() if key in expected}
    lines = [
        _line(key, "uses and agents", counted.get(key, (0, 0)), expected.get(key, (0, 0)))
        for key in sorted(counted.keys() | expected.keys())
        if counted.get(key, (0, 0)) != expected.get(key, (0, 0))
    ]
    lines += [
        _line(key, "agents", of_agents.get(key, 0), agents)
        for key, (_, agents) in sorted(counted.items())
        if of_agents.get(key, 0) != agents
    ]
    return lines


def _expected(upto: int, since: date) -> dict[tuple[int, date], tuple[int, int]]:
    uses, last = uses_and_last(0, upto, since)
    agents = Counter((pk, day) for (pk, _), day in last.items())
    return {key: (uses[key], agents[key]) for key in uses}


def _line(key: tuple[int, date], what: str, counted: object, expected: object) -> str:
    pk, day = key
    return f"reason code {pk} on {day}: {what} {counted}, in the history {expected}"
