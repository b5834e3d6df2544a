"""Compares the sums with the history, in Python: the plain way. Not for pages."""

from collections.abc import Iterator

from media.reports.grains import DAYS, HOURS, HOURS_OF_A_DAY, Grain
from media.reports.making import rows_of, stale_hours
from media.sum_tables import SumHead

_KEY = ("login_id", "team_id", "mrd_id", "state", "reason_code_id")
_AMOUNTS = ("micros", "began", "running", "longest", "over_began", "over_running", "over_micros")


def differences() -> Iterator[str]:
    """Where they differ, a line each. What is to be made again is left out."""
    for grain in (HOURS, DAYS):
        yield from _differences(grain, HOURS_OF_A_DAY // grain.hours)


def _differences(grain: Grain, at_once: int) -> Iterator[str]:
    head = SumHead.objects.get()
    whole = grain.made(head)
    for first in whole[::at_once]:
        numbers = range(first, min(first + at_once, whole.stop))
        among = {f"{grain.column}__in": [*numbers]}
        present = dict(_parts(grain, row) for row in grain.model.objects.filter(**among))
        expected = dict(_parts(grain, row) for row in rows_of(grain, numbers))
        stale = grain.holding(stale_hours(head))
        differing = [
            key
            for key in present.keys() | expected.keys()
            if present.get(key) != expected.get(key) and key[0] not in stale
        ]
        # What has changed meanwhile was made otherwise by somebody else.
        if SumHead.objects.filter(version=head.version).exists():
            found = (_line(grain, key, present.get(key), expected.get(key)) for key in differing)
            yield from sorted(found)
        else:
            head = SumHead.objects.get()


def _parts(grain: Grain, row: object) -> tuple[tuple[object, ...], tuple[object, ...]]:
    return (
        (getattr(row, grain.column), *(getattr(row, name, "") for name in _KEY)),
        tuple(getattr(row, name) for name in _AMOUNTS),
    )


def _line(grain: Grain, key: tuple[object, ...], sums: object, history: object) -> str:
    number, agent, team, mrd, state, reason = key
    at = grain.beginning_of(int(str(number)))
    when = f"{at:%Y-%m-%d %H:00} UTC" if grain is HOURS else f"{at:%Y-%m-%d} in UTC, agent {agent}"
    return (
        f"{when}, team {team}, MRD {mrd}, {state}, reason code {reason}: "
        f"{sums or 'no sums'}, in the history {history or 'no time'}"
    )
