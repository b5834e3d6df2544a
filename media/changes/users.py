"""Users are added, changed and deleted."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.signals import post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.signals import SIGN_IN
from finesse.users.models import User
from media.changes.publishing import ShownFields, pages
from media.deactivation import accept_sign_outs
from media.documents.updates import of_changed_member, of_moved_member, of_user
from media.documents.user import represent_user, with_desktops
from media.models import VOICE_MRD
from media.removal import sign_out_deleted_user
from media.writing import bell
from media.writing.history import close_intervals
from media.writing.writer import serve_queues

_SHOWN = ShownFields(User, "first_name", "last_name", "team", "is_supervisor", "is_superuser")


@receiver(pre_save, sender=User)
def remember_user(
    instance: User,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    if not raw and update_fields != SIGN_IN:
        _SHOWN.remember(instance)


@receiver(post_save, sender=User)
def publish_saved_user(
    instance: User,
    created: bool,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Published: added, first and last name, role [User Notification], and the team."""
    if raw or update_fields == SIGN_IN or not _SHOWN.have_changed(instance):
        return
    before = _SHOWN.before(instance)
    if not created and "team" in _SHOWN.changed(instance):
        # An agent takes a place along, or waits in another team's queue now.
        serve_queues()
    event = Event.POST if created else Event.PUT
    _publish(instance.pk, event, old_team=before["team"] if before else None)


@receiver(post_save, sender=User)
def sign_out_deactivated_user(
    instance: User,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    if not raw and update_fields != SIGN_IN and accept_sign_outs([instance.pk]):
        transaction.on_commit(bell.ring)


@receiver(pre_delete, sender=User)
def publish_removed_user(instance: User, **kwargs: Any) -> None:
    sign_out_deleted_user(instance.pk)
    close_intervals([(instance.pk, VOICE_MRD)], timezone.now())
    _publish(instance.pk, Event.DELETE)


def publish_new_users(users: "QuerySet[User]") -> None:
    """Publish that these users were added: for those who were written without a signal."""
    for page in pages(with_desktops(users)):
        entries: list[log.Entry] = []
        for user in page:
            whole = represent_user(user)
            entries.append(of_user(user.pk, whole, Event.POST))
            entries.extend(of_moved_member(whole, None, user.team_id))
        log.append(log.lock(), entries)


def publish_changed_users(users: "QuerySet[User]") -> None:
    """Publish that GET shows these users otherwise than before, but in the same team.

    Call it in a transaction that took the log's lock before it touched a user.
    """
    for page in pages(with_desktops(users)):
        entries: list[log.Entry] = []
        for user in page:
            whole = represent_user(user)
            entries.append(of_user(user.pk, whole, Event.PUT))
            entries.extend(of_changed_member(whole, user.team_id))
        log.append(log.lock(), entries)


def _publish(login_id: str, event: Event, *, old_team: int | None = None) -> None:
    """Publish on the node of this user, and then on the nodes of the teams that it concerns.

    Of a change `old_team` is the team before it. What is published is what the database says.
    """
    found = with_desktops(User.objects.filter(pk=login_id)).first()
    if found is None:
        return  # Another transaction has deleted the user meanwhile, and published that.
    whole, team = represent_user(found), found.team_id
    if event is Event.DELETE:
        of_teams = of_moved_member(whole, team, None)
    elif old_team == team:
        of_teams = of_changed_member(whole, team)
    else:
        of_teams = of_moved_member(whole, old_team, team)
    log.append(log.lock(), [of_user(login_id, whole, event), *of_teams])
