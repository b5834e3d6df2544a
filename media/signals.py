"""Changes of users and memberships made anywhere (admin, shell) are told like state changes."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.signals import SIGN_IN
from finesse.users.models import User
from media.membership import tell_memberships, tell_removal, tell_user
from media.models import Media, MediaRoutingDomain


@receiver([pre_save, pre_delete], sender=Media)
@receiver([pre_save, pre_delete], sender=MediaRoutingDomain)
def take_the_writers_lock(
    sender: Any, raw: bool = False, origin: Any = None, **kwargs: Any
) -> None:
    # The writer locks the log and then the Media. Taking them in the other order here would
    # make the two wait for each other for ever. What goes with its user or its MRD goes under
    # the lock that was taken for those.
    if not raw and (origin is None or _model(origin) is sender):
        log.lock()


@receiver(post_save, sender=Media)
def tell_new_member(instance: Media, created: bool, raw: bool = False, **kwargs: Any) -> None:
    if created and not raw:
        tell_memberships([instance], Event.POST)


@receiver(pre_delete, sender=User)
@receiver(pre_delete, sender=MediaRoutingDomain)
def tell_removed_members(instance: User | MediaRoutingDomain, **kwargs: Any) -> None:
    # All at once, however many: one by one, an MRD with thousands of members would hold the
    # writer's lock for half a minute.
    tell_removal(list(instance.media.select_related("mrd", "reason_code")))
    if isinstance(instance, User):
        tell_user(instance, Event.DELETE)


@receiver(pre_save, sender=User)
def remember_the_user(
    instance: User,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    if not raw and update_fields != SIGN_IN:
        instance._told = _TOLD.filter(pk=instance.pk).first()  # type: ignore[attr-defined]


@receiver(post_save, sender=User)
def tell_changed_user(
    instance: User,
    created: bool,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **kwargs: Any,
) -> None:
    """Told: added, first and last name, role [User Notification], and the team."""
    if raw or update_fields == SIGN_IN:
        return
    before = instance._told  # type: ignore[attr-defined]
    if before != _TOLD.get(pk=instance.pk):
        event = Event.POST if created else Event.PUT
        tell_user(instance, event, was_in=before and before["team"])


_TOLD = User.objects.values("first_name", "last_name", "team", "is_supervisor", "is_superuser")


@receiver(post_delete, sender=Media)
def tell_removed_member(instance: Media, origin: Any, **kwargs: Any) -> None:
    # A Media that goes with its user or its MRD has been told.
    if _model(origin) is Media:
        tell_removal([instance])


@receiver(post_save, sender=MediaRoutingDomain)
def tell_renamed_mrd(
    instance: MediaRoutingDomain, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if not created and not raw:
        members = instance.media.select_related("mrd", "reason_code")
        tell_memberships(list(members), Event.PUT)


def _model(origin: Any) -> Any:
    """Of which model those are whose deletion was asked for."""
    return origin.model if isinstance(origin, QuerySet) else type(origin)
