"""How much reason codes are used: now, and in the last 30 days."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Sum

from media.models import Desktop, Media
from media.use_counting import first_day
from media.use_tables import UseOnDay


@dataclass(frozen=True, slots=True)
class Use:
    now: int = 0
    """Agents who are in it at this moment, in an MRD or at the desktop; each is counted once."""
    uses: int = 0
    """How often it was chosen in the last 30 days, today included (days by UTC)."""
    agents: int = 0
    """How many agents have chosen it in these days."""


def use_of(pks: Collection[int]) -> dict[int, Use]:
    """The use of each of these reason codes, by id; in two statements for any number.

    `now` is of this moment. The others are counts that the worker keeps: they are late by ten
    seconds at most (`media.tasks.count_use`), and no history is scanned for them.
    """
    present = _present(pks)
    counted = UseOnDay.objects.filter(reason_code__in=pks, day__gte=first_day())
    sums = counted.order_by().values_list("reason_code").annotate(Sum("uses"), Sum("agents"))
    found = {pk: (uses, agents) for pk, uses, agents in sums}
    return {pk: Use(present[pk], *found.get(pk, (0, 0))) for pk in pks}


def _present(pks: Collection[int]) -> Counter[int]:
    """Agents in each: at the desktop and in MRDs, each once."""
    named = ("reason_code_id", "user_id")
    in_mrds = Media.objects.filter(reason_code__in=pks).order_by().values_list(*named)
    at_desktops = Desktop.objects.filter(reason_code__in=pks).values_list(*named)
    return Counter(pk for pk, _ in in_mrds.union(at_desktops).order_by())
