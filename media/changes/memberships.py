"""Users join MRDs and leave them, and MRDs are renamed."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver
from django.utils import timezone

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.users.models import User
from media.changes.publishing import ShownFields, pages
from media.documents.updates import of_media
from media.models import Media, MediaRoutingDomain
from media.removal import sign_out_deleted_user, sign_out_removed_media
from media.states import State
from media.writing.history import close_intervals

_SHOWN = ShownFields(MediaRoutingDomain, "name", "description", "interruptible")


@receiver([pre_save, pre_delete], sender=Media)
@receiver([pre_save, pre_delete], sender=MediaRoutingDomain)
def take_the_writers_lock(
    sender: Any, raw: bool = False, origin: Any = None, **kwargs: Any
) -> None:
    # The writer locks the log and then the Media. In the other order here, each could wait for the
    # other for ever. A Media that is deleted with its user or its MRD is covered by their lock.
    if not raw and (origin is None or _model(origin) is sender):
        log.lock()


@receiver(post_save, sender=Media)
def publish_new_membership(
    instance: Media, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if created and not raw:
        _publish([instance], Event.POST)


# Django calls receivers in the order of their definitions: under the lock, that is.
@receiver(pre_save, sender=MediaRoutingDomain)
def remember_mrd(instance: MediaRoutingDomain, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _SHOWN.remember(instance)


@receiver(post_save, sender=MediaRoutingDomain)
def publish_changed_mrd(
    instance: MediaRoutingDomain, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if not created and not raw and _SHOWN.have_changed(instance):
        publish_changed_media(instance.media.all())


@receiver(pre_delete, sender=User)
@receiver(pre_delete, sender=MediaRoutingDomain)
def publish_removed_memberships(instance: User | MediaRoutingDomain, **kwargs: Any) -> None:
    if isinstance(instance, User):
        # By whichever receiver is the first: for the second, nothing is left to be signed out of.
        sign_out_deleted_user(instance.pk)
    else:
        _sign_out(instance.media.all())
    # By pages and not one by one: deleting an MRD with thousands of members would hold the
    # writer's lock for half a minute.
    for page in pages(instance.media.select_related("mrd", "reason_code")):
        _publish_removal(page)


@receiver(pre_delete, sender=Media)
def sign_out_removed_member(instance: Media, origin: Any, **kwargs: Any) -> None:
    if _model(origin) is not Media:
        return  # Signed out with its user or its MRD.
    # Read under the lock, also for what is published about it afterwards.
    with suppress(Media.DoesNotExist):  # Somebody else has deleted it meanwhile.
        instance.refresh_from_db()
        if instance.state != State.LOGOUT:
            # With all that are deleted together: the others are found signed out.
            alone = Media.objects.filter(pk=instance.pk)
            together = isinstance(origin, QuerySet)
            _sign_out(Media.objects.filter(pk__in=origin.values("pk")) if together else alone)
            instance.refresh_from_db()


def _sign_out(media: "QuerySet[Media]") -> None:
    for page in pages(media.exclude(state=State.LOGOUT)):
        sign_out_removed_media(Media.objects.filter(pk__in=[one.pk for one in page]))


@receiver(post_delete, sender=Media)
def publish_removed_membership(instance: Media, origin: Any, **kwargs: Any) -> None:
    # Not of a Media that is deleted with its user or its MRD: published already.
    if _model(origin) is Media:
        _publish_removal([instance])


def publish_new_media(media: "QuerySet[Media]") -> None:
    """Publish that these Media were added: for those that were written without a signal."""
    for page in pages(media.select_related("mrd", "reason_code")):
        _publish(page, Event.POST)


def publish_changed_media(media: "QuerySet[Media]") -> None:
    """Publish that GET shows these Media otherwise than before.

    Call it in a transaction that took the log's lock before it touched a Media.
    """
    for page in pages(media.select_related("mrd", "reason_code")):
        _publish(page, Event.PUT)


def _publish_removal(media: Sequence[Media]) -> None:
    close_intervals([(one.user_id, one.mrd_id) for one in media], timezone.now())
    _publish(media, Event.DELETE)


def _publish(media: Sequence[Media], event: Event) -> None:
    log.append(log.lock(), [of_media(one, event) for one in media])


def _model(origin: Any) -> Any:
    """The model of what somebody asked to delete: an instance or a queryset."""
    return origin.model if isinstance(origin, QuerySet) else type(origin)
