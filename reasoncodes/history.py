"""A version of a reason code for each change of it, whichever way it came in.

django-simple-history writes a version at each save. Here each gets its teams and its change, and a
change of teams alone gets a version, too: it is no save. Several saves in one change are one
version, and a save that changes nothing is none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models.signals import m2m_changed, post_delete, pre_delete
from django.dispatch import receiver
from django.utils import timezone
from simple_history.signals import (
    post_create_historical_record,
    pre_create_historical_record,
)

from finesse.users.models import Team
from reasoncodes.changes import Change, present_change
from reasoncodes.models import ReasonCode

Version: Any = ReasonCode.history.model
"""The model of versions, which django-simple-history makes."""

KEPT = tuple(
    field.name
    for field in ReasonCode._meta.concrete_fields
    if not (field.primary_key or field.name == "system_code")
)
"""The fields that make a reason code what it is, teams aside."""


@dataclass(frozen=True)
class State:
    """What a reason code is, or was; all of it, so that two can be compared."""

    fields: dict[str, Any]
    teams: frozenset[int]


def state_of(reason_code: ReasonCode | None) -> State | None:
    """None for one that is deleted."""
    if reason_code is None:
        return None
    teams = reason_code.teams.values_list("pk", flat=True)
    return State({name: getattr(reason_code, name) for name in KEPT}, frozenset(teams))


def state_of_version(version: Any) -> State:
    """For the version of a deletion: what it was when it was deleted."""
    fields = {name: getattr(version, name) for name in KEPT}
    return State(fields, frozenset(map(int, version.team_names)))


@receiver(pre_create_historical_record, sender=Version)
def complete(history_instance: Any, instance: ReasonCode, **kwargs: Any) -> None:
    change = present_change()
    history_instance.change = change.id
    history_instance.way = change.way
    # As the database has it: the object at hand may be older, or have been saved in part.
    for name, value in (
        ReasonCode.objects.filter(pk=instance.pk).values(*KEPT).first() or {}
    ).items():
        setattr(history_instance, name, value)
    # The last one of a code that is deleted: its teams have gone a moment ago.
    history_instance.team_names = instance.__dict__.pop("_teams_before", None) or _names(instance)
    latest = latest_version(instance.pk)
    if latest and latest.change == change.id:
        history_instance.history_id = latest.history_id
        if (latest.history_type, history_instance.history_type) == ("+", "~"):
            history_instance.history_type = "+"
    elif latest and history_instance.history_type == "~":
        same = state_of_version(latest) == state_of_version(history_instance)
        history_instance.__dict__["_says_nothing"] = same


@receiver(post_create_historical_record, sender=Version)
def drop_what_says_nothing(history_instance: Any, **kwargs: Any) -> None:
    if history_instance.__dict__.get("_says_nothing"):
        history_instance.delete()


def latest_version(pk: int) -> Any:
    """Of the reason code with this id; None if it has no history."""
    return Version.objects.filter(id=pk).order_by("-history_id").first()


@receiver(pre_delete, sender=ReasonCode)
def remember_teams(instance: ReasonCode, **kwargs: Any) -> None:
    instance.__dict__["_teams_before"] = _names(instance)


@receiver(m2m_changed, sender=ReasonCode.teams.through)
def record_changed_teams(
    instance: ReasonCode | Team,
    action: str,
    reverse: bool,
    pk_set: Collection[int] | None,
    **kwargs: Any,
) -> None:
    """`instance` is the reason code, and `pk_set` the teams; in `reverse` it is the team."""
    if isinstance(instance, ReasonCode):
        concerned: Collection[int] = [instance.pk]
    elif action == "pre_clear":
        _remember_codes(instance)
        return
    elif action == "post_clear":
        concerned = instance.__dict__.pop("_reason_codes")
    else:
        concerned = pk_set or ()
    if action.startswith("post_"):
        record(concerned)


@receiver(pre_delete, sender=Team)
def remember_codes_of_team(instance: Team, **kwargs: Any) -> None:
    _remember_codes(instance)


@receiver(post_delete, sender=Team)
def record_removed_team(instance: Team, **kwargs: Any) -> None:
    record(instance.__dict__.pop("_reason_codes"))


def record(pks: Collection[int]) -> None:
    """A version with the teams of now: the one that this change has made already, or a new one."""
    change = present_change()
    for reason_code in ReasonCode.objects.filter(pk__in=pks).order_by("pk"):
        names = _names(reason_code)
        latest = latest_version(reason_code.pk)
        if latest and latest.change == change.id:
            Version.objects.filter(pk=latest.pk).update(team_names=names)
        elif not latest or latest.team_names.keys() != names.keys():
            _write(reason_code, change, names)


def _write(reason_code: ReasonCode, change: Change, names: dict[str, str]) -> None:
    fields = {
        field.attname: getattr(reason_code, field.attname) for field in Version.tracked_fields
    }
    Version.objects.create(
        **fields,
        history_type="~",
        history_date=timezone.now(),
        history_user_id=change.by,
        change=change.id,
        way=change.way,
        team_names=names,
    )


def _remember_codes(team: Team) -> None:
    team.__dict__["_reason_codes"] = list(team.reason_codes.values_list("pk", flat=True))


def _names(reason_code: ReasonCode) -> dict[str, str]:
    return {str(pk): name for pk, name in reason_code.teams.values_list("pk", "name")}
