"""Reason codes become again what they were: one goes back, or a whole change is undone.

Both are changes like any other, with the same rules, and can be undone themselves.
"""

import enum
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from finesse.api.errors import FinesseError
from finesse.users.access import supervised_teams
from finesse.users.models import Team, User
from reasoncodes.access import changeable_by, manages_global, versions_visible_to, visible_to
from reasoncodes.changes import Change, Way
from reasoncodes.configuration import exclusive, hold, save
from reasoncodes.history import State, Version, state_of, state_of_version
from reasoncodes.languages import language_name
from reasoncodes.models import ReasonCode


class Outcome(enum.Enum):
    """What has become of one reason code."""

    CHANGED = "is again as it was"
    BROUGHT_BACK = "exists again, as it was"
    DELETED = "is deleted: it did not exist before"
    RETIRED = "is retired: it did not exist before, but agents or a break rule use it"
    UNCHANGED = "is as it was already"
    REFUSED = "stays as it is"
    LEFT = "stays as it is, since another one cannot go back"


@dataclass(frozen=True, kw_only=True)
class Result:
    """How going back ended for one reason code."""

    pk: int
    name: str
    outcome: Outcome
    change: uuid.UUID
    """The change that going back was: it can be undone, too."""
    reason: str = ""
    """Why it was refused, and what to do; or what is not as it was. Whole sentences."""

    @property
    def refused(self) -> bool:
        return self.outcome is Outcome.REFUSED

    def __str__(self) -> str:
        said = f"{self.name} {self.outcome.value}."
        return f"{said} {self.reason}" if self.reason else said


class HiddenError(Exception):
    """A change cannot be undone as a whole by this user, who may not see all of its codes now."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class RefusedError(Exception):
    """Its text says in plain words why a reason code cannot go back, and what to do."""


def go_back(version: Any, by: User, way: Way = Way.UNDO) -> Result:
    """Make the reason code what this version says; one that was deleted gets its id again.

    `by` must be allowed to see the version; what `by` may not do is refused in the result.
    """
    with exclusive(by, way) as change:
        return _attempt(version, change, lambda: _restore(version, by))


def undo(change_id: uuid.UUID, by: User, *, whole: bool = False) -> list[Result]:
    """Undo what a change did to each reason code that `by` may see, in the order of the change.

    What cannot be undone is refused in its result, and the others are undone, unless they shall
    be undone as a `whole`. Raises HiddenError if a whole has codes that `by` may not see.
    """
    with exclusive(by, Way.UNDO) as change:
        steps = list(_steps(change_id, by))
        if whole:
            _refuse_hidden(change_id, steps)
        results = _undo_all(steps, by, change)
        if whole and any(result.refused for result in results):
            transaction.set_rollback(True)
            results = [
                one if one.refused else replace(one, outcome=Outcome.LEFT, reason="")
                for one in results
            ]
        return results


@dataclass(frozen=True, kw_only=True)
class _Step:
    """What a change did to one reason code."""

    before: Any
    first: Any
    last: Any


def _steps(change_id: uuid.UUID, by: User) -> Iterator[_Step]:
    found: dict[int, list[Any]] = {}
    for version in versions_visible_to(by).filter(change=change_id).order_by("history_id"):
        found.setdefault(version.id, []).append(version)
    for pk, versions in found.items():
        earlier = Version.objects.filter(id=pk, history_id__lt=versions[0].history_id)
        yield _Step(
            before=earlier.order_by("-history_id").first(), first=versions[0], last=versions[-1]
        )


def _refuse_hidden(change_id: uuid.UUID, steps: Collection[_Step]) -> None:
    seen = {step.last.id for step in steps}
    hidden = Version.objects.filter(change=change_id).exclude(id__in=seen)
    if count := hidden.values("id").distinct().count():
        raise HiddenError(count)


def _left_by(step: _Step) -> State | None:
    return None if step.last.history_type == "-" else state_of_version(step.last)


def _undo_all(steps: Sequence[_Step], by: User, change: Change) -> list[Result]:
    """Backwards, and again as long as one makes room for another: for its number, say."""
    results: dict[int, Result] = {}
    waiting = list(reversed(steps))
    while waiting:
        for step in waiting:
            results[step.last.id] = _attempt(step.last, change, lambda step=step: _undo(step, by))  # type: ignore[misc]
        refused = [step for step in waiting if results[step.last.id].refused]
        if len(refused) == len(waiting):
            break
        waiting = refused
    return [results[step.last.id] for step in steps]


def _attempt(version: Any, change: Change, act: Callable[[], tuple[Outcome, str]]) -> Result:
    name = f"{version.get_category_display()} {version.code} “{version.label}”"
    try:
        with transaction.atomic():
            outcome, reason = act()
    except RefusedError as refusal:
        outcome, reason = Outcome.REFUSED, str(refusal)
    return Result(pk=version.id, name=name, outcome=outcome, reason=reason, change=change.id)


def _undo(step: _Step, by: User) -> tuple[Outcome, str]:
    present = ReasonCode.objects.filter(pk=step.last.id).first()
    if state_of(present) != _left_by(step):
        raise RefusedError(
            "It was changed again afterwards. Its history shows how it was at any time, and lets "
            "you go back to that."
        )
    if step.first.history_type == "+":
        return _remove(present, by) if present else (Outcome.UNCHANGED, "")
    if step.before is None:
        if present is None:
            # Created and deleted by the same change.
            return Outcome.UNCHANGED, ""
        raise RefusedError("Its history does not say what it was before.")
    return _restore(step.before, by)


def _remove(present: ReasonCode, by: User) -> tuple[Outcome, str]:
    """Delete it if nothing names it; otherwise retire it."""
    _refuse_unless_changeable(present, by)
    hold(present.pk)
    try:
        with transaction.atomic():
            present.delete()
    except ProtectedError:
        present.retired = True
        present.save(update_fields=["retired"])
        return Outcome.RETIRED, ""
    return Outcome.DELETED, ""


def _restore(version: Any, by: User) -> tuple[Outcome, str]:
    present = ReasonCode.objects.filter(pk=version.id).first()
    if present:
        _refuse_unless_changeable(present, by)
    wanted = present or ReasonCode(pk=version.id)
    was_global = bool(present and present.for_all)
    before = state_of(present)
    for name, value in state_of_version(version).fields.items():
        setattr(wanted, name, value)
    if wanted.for_all != was_global and not manages_global(by):
        raise RefusedError("Only those who manage global codes may do that: ask an administrator.")
    teams = _teams(version, wanted, by)
    _refuse_conflicts(wanted, by)
    try:
        save(wanted)
    except FinesseError as error:
        raise RefusedError(f"{error.message}.") from None
    wanted.teams.set(teams)
    if state_of(wanted) == before:
        return Outcome.UNCHANGED, ""
    gone = version.team_names.keys() - {str(pk) for pk in teams}
    return (Outcome.CHANGED if present else Outcome.BROUGHT_BACK), _said_of(version, gone, by)


def _refuse_unless_changeable(present: ReasonCode, by: User) -> None:
    if present.system_code:
        raise RefusedError("It is the system’s own, and cannot be changed.")
    if not changeable_by(by).filter(pk=present.pk).exists():
        raise RefusedError(
            "It is a global code: ask an administrator."
            if present.for_all
            else "It is not offered to your teams alone: ask an administrator."
        )


def _teams(version: Any, wanted: ReasonCode, by: User) -> set[int]:
    """The teams of then, as far as they exist; those that `by` does not see stay as they are."""
    then = set(Team.objects.filter(pk__in=version.team_names).values_list("pk", flat=True))
    own = set(supervised_teams(by).values_list("pk", flat=True))
    hidden = set(wanted.teams.values_list("pk", flat=True)) - own
    if not wanted.for_all:
        if then - own != hidden:
            raise RefusedError("It was offered to other teams, too: ask an administrator.")
        if not then and (version.team_names or not by.is_superuser):
            raise RefusedError(
                "It would be offered to nobody: its teams of then do not exist any more. Change "
                "the code itself."
                if version.team_names
                else "It was offered to nobody then: ask an administrator."
            )
    return (then & own) | hidden


def _refuse_conflicts(wanted: ReasonCode, by: User) -> None:
    if namesake := wanted.namesake():
        rival, language = namesake
        is_seen = visible_to(by).filter(pk=rival.pk).exists()
        raise RefusedError(
            f"In {language_name(language)} agents would read the same for it and for "
            f"{rival if is_seen else 'a reason code of another team'}. "
            "Change or retire that one first."
        )
    for name in wanted.taken():
        raise RefusedError(
            f"Another reason code has the {name} of then now{_rival(wanted, name, by)}. "
            "Change or retire that one first."
        )
    if wanted.exceeds():
        raise RefusedError(
            f"There are {wanted.limit} {wanted.scope} reason codes of its category already. "
            "Retire one of them first."
        )
    try:
        wanted.full_clean()
    except ValidationError as error:
        raise RefusedError(
            f"What was allowed then is not allowed any more: {' '.join(error.messages)}"
        ) from None


def _rival(wanted: ReasonCode, name: str, by: User) -> str:
    """It is named to those alone who may see it."""
    values = [(wanted.code, "code"), (wanted.label.casefold(), "label")]
    for rival in wanted.rivals().filter(pk__in=visible_to(by)):
        if (rival.code if name == "code" else rival.label.casefold(), name) in values:
            return f": {rival}"
    return ""


def _said_of(version: Any, gone: Collection[str], by: User) -> str:
    if not gone:
        return ""
    if not by.is_superuser:
        return "Some of its teams of then do not exist any more, or are not yours."
    names = ", ".join(sorted(version.team_names[pk] for pk in gone))
    return f"These of its teams do not exist any more: {names}."
