"""Saves many reason codes in few statements.

Saved one by one, a thousand codes would hold the writer's lock for ten seconds, and agents wait for
it. Here each has its version in the history as if it had been saved alone, and one signal tells of
all of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal

from finesse.users.models import Team
from reasoncodes.changes import present_change
from reasoncodes.models import ReasonCode

many_saved = Signal()
"""Sent by ReasonCode instead of `post_save`, in the transaction: `saved` is a list of `Saved`."""

_FIXED = frozenset({"id", "category", "system_code", "retired"})
_ROWS = 200
"""In one statement: SQLite bounds the number of its parameters."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A new code, or a stored one with its fields changed."""

    code: ReasonCode
    teams: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Saved:
    code: ReasonCode
    before: ReasonCode | None
    """As it was stored; None if it is new."""
    teams: frozenset[int]
    teams_before: frozenset[int]


def save_all(wanted: Sequence[Wanted]) -> None:
    """Insert the new ones and update the others; call it in `exclusive`.

    Nothing is checked here: `reasoncodes.census` says beforehand whether they may be saved. They
    may swap numbers and labels among themselves. Raises IntegrityError, ValidationError.
    """
    new = [one for one in wanted if not one.code.pk]
    changed = [one for one in wanted if one.code.pk]
    before = ReasonCode.objects.in_bulk([one.code.pk for one in changed])
    _write([one.code for one in new], [one.code for one in changed], before)
    teams_before = _set_teams(wanted)
    _record(new, update=False)
    _record(changed, update=True)
    saved = [
        Saved(
            code=one.code,
            before=before.get(one.code.pk),
            teams=one.teams,
            teams_before=teams_before[one.code.pk],
        )
        for one in wanted
    ]
    many_saved.send(ReasonCode, saved=saved)


def _write(
    new: Sequence[ReasonCode], changed: Sequence[ReasonCode], before: dict[int, ReasonCode]
) -> None:
    """First as if they were retired, since those have no rivals, and then as they are."""
    with _set_aside([*new, *changed]) as in_use:
        ReasonCode.objects.bulk_create(new, batch_size=_ROWS)
        for page in _pages(changed):
            ReasonCode.objects.filter(pk__in=page).update(retired=True)
        if names := _differing(changed, before):
            ReasonCode.objects.bulk_update(changed, names, batch_size=_ROWS)
    for page in _pages(in_use):
        ReasonCode.objects.filter(pk__in=page).update(retired=False)


@contextmanager
def _set_aside(codes: Sequence[ReasonCode]) -> Iterator[list[ReasonCode]]:
    in_use = [code for code in codes if not code.retired]
    for code in in_use:
        code.retired = True
    try:
        yield in_use
    finally:
        for code in in_use:
            code.retired = False


def _differing(changed: Sequence[ReasonCode], before: dict[int, ReasonCode]) -> list[str]:
    names = [field.name for field in ReasonCode._meta.local_concrete_fields]
    return [
        name
        for name in names
        if name not in _FIXED
        and any(getattr(code, name) != getattr(before[code.pk], name) for code in changed)
    ]


def _set_teams(wanted: Sequence[Wanted]) -> dict[int, frozenset[int]]:
    """The teams of each before, by its id."""
    through: Any = ReasonCode.teams.through
    present: defaultdict[int, set[int]] = defaultdict(set)
    for page in _pages([one.code for one in wanted]):
        rows = through.objects.filter(reasoncode__in=page)
        for code, team in rows.values_list("reasoncode", "team"):
            present[code].add(team)
    for one in wanted:
        if gone := present[one.code.pk] - one.teams:
            through.objects.filter(reasoncode=one.code.pk, team__in=gone).delete()
    through.objects.bulk_create(
        through(reasoncode_id=one.code.pk, team_id=team)
        for one in wanted
        for team in one.teams - present[one.code.pk]
    )
    return {one.code.pk: frozenset(present[one.code.pk]) for one in wanted}


def _record(saved: Sequence[Wanted], *, update: bool) -> None:
    change = present_change()
    names = dict(Team.objects.values_list("pk", "name"))
    by_teams: defaultdict[frozenset[int], list[ReasonCode]] = defaultdict(list)
    for one in saved:
        by_teams[one.teams].append(one.code)
    for teams, codes in by_teams.items():
        ReasonCode.history.bulk_history_create(
            codes,
            batch_size=_ROWS,
            update=update,
            custom_historical_attrs={
                "change": change.id,
                "way": change.way,
                "team_names": {str(pk): names[pk] for pk in sorted(teams)},
            },
        )


def _pages(codes: Sequence[ReasonCode]) -> Collection[list[int]]:
    pks = [code.pk for code in codes]
    return [pks[start : start + _ROWS] for start in range(0, len(pks), _ROWS)]
