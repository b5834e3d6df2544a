"""The history of memberships in teams, which reports ask: `TeamMembership`.

Receivers write it where a user or a team is saved or deleted. `record` does it for what is written
without a signal, and `record_all`, which the worker calls every few seconds, for what something
else than this program has changed, such as a statement in the database.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from finesse.users.models import Team, TeamMembership, User

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""When the first membership of a user begins: nothing was before it."""


def record(login_ids: Collection[str]) -> None:
    """Write into which teams these users have come, as of now, if that is not written yet."""
    if not login_ids:
        return
    with transaction.atomic():
        # Locked: of two transactions that change one user's team the second looks after the first.
        users = User.objects.filter(pk__in=login_ids).order_by("pk").select_for_update()
        teams = dict(users.values_list("pk", "team"))
        rows = TeamMembership.objects.filter(login_id__in=login_ids)
        known = {*rows.values_list("login_id", flat=True)}
        present = dict(rows.filter(ended_at=None).values_list("login_id", "team_id"))
        left = [one for one, team in present.items() if one not in teams or teams[one] != team]
        now = timezone.now()
        _close(left, now)
        come = [one for one, team in teams.items() if one not in present or present[one] != team]
        names = dict(Team.objects.filter(pk__in=teams.values()).values_list("pk", "name"))
        TeamMembership.objects.bulk_create(
            TeamMembership(
                login_id=one,
                team_id=teams[one],
                team_name=names.get(teams[one], ""),
                started_at=now if one in known else BEGINNING,
            )
            for one in come
        )


def record_all() -> None:
    """Write all changes of teams that are not written yet."""
    of_user = TeamMembership.objects.filter(login_id=OuterRef("pk"), ended_at=None)
    in_team = User.objects.filter(team__isnull=False)
    moved = in_team.exclude(Exists(of_user.filter(team_id=OuterRef("team"))))
    in_none = User.objects.filter(team=None).exclude(Exists(of_user.filter(team_id=None)))
    record([*moved.values_list("pk", flat=True), *in_none.values_list("pk", flat=True)])
    gone = TeamMembership.objects.filter(ended_at=None).exclude(
        Exists(User.objects.filter(pk=OuterRef("login_id")))
    )
    record([*gone.values_list("login_id", flat=True)])


@receiver(post_save, sender=User)
def record_saved_user(
    instance: User,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    if not raw and (update_fields is None or {"team", "team_id"} & update_fields):
        record([instance.pk])


@receiver(post_delete, sender=User)
def record_deleted_user(instance: User, **kwargs: Any) -> None:
    _close([instance.pk], timezone.now())


@receiver(post_save, sender=Team)
def record_renamed_team(instance: Team, created: bool, raw: bool = False, **kwargs: Any) -> None:
    if not raw and not created:
        of_team = TeamMembership.objects.filter(team_id=instance.pk)
        of_team.exclude(team_name=instance.name).update(team_name=instance.name)


@receiver(post_delete, sender=Team)
def record_deleted_team(instance: Team, **kwargs: Any) -> None:
    """Its members are in no team by now."""
    members = TeamMembership.objects.filter(team_id=instance.pk, ended_at=None)
    record([*members.values_list("login_id", flat=True)])


def _close(login_ids: Collection[str], now: datetime) -> None:
    present = TeamMembership.objects.filter(login_id__in=login_ids, ended_at=None)
    present.filter(started_at__lte=now).update(ended_at=now)
    # The clock was set back: a membership must not end before it began.
    present.filter(started_at__gt=now).update(ended_at=F("started_at"))
