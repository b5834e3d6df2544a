"""Membership changes made anywhere (admin, shell, a deleted user) are told like state changes."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.publisher import announce
from media.models import Media, MediaRoutingDomain
from media.writer import close_history, tell_membership


@receiver([pre_save, pre_delete], sender=Media)
@receiver([pre_save, pre_delete], sender=MediaRoutingDomain)
def take_the_writers_lock(sender: Any, raw: bool = False, **kwargs: Any) -> None:
    # The writer locks the log and then the Media. Taking them in the other order here would
    # make the two wait for each other for ever.
    if not raw:
        log.lock()


@receiver(post_save, sender=Media)
def tell_new_member(instance: Media, created: bool, raw: bool = False, **kwargs: Any) -> None:
    if created and not raw:
        tell_membership(instance, Event.POST)
        transaction.on_commit(announce)


@receiver(post_delete, sender=Media)
def tell_removed_member(instance: Media, **kwargs: Any) -> None:
    close_history(instance)
    tell_membership(instance, Event.DELETE)
    transaction.on_commit(announce)


@receiver(post_save, sender=MediaRoutingDomain)
def tell_renamed_mrd(
    instance: MediaRoutingDomain, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if created or raw:
        return
    for media in instance.media.select_related("mrd", "reason_code"):
        tell_membership(media, Event.PUT)
    transaction.on_commit(announce)
