"""Reason codes are changed while Media and users are NOT_READY for that reason, and show it."""

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.users.models import User
from media.changes.memberships import publish_changed_media
from media.changes.publishing import ShownFields
from media.changes.users import publish_changed_users
from media.models import Media
from reasoncodes.many import Saved, many_saved
from reasoncodes.models import ReasonCode

_SHOWN_NAMES = ("category", "code", "label", "for_all", "system_code")
_SHOWN = ShownFields(ReasonCode, *_SHOWN_NAMES)


@receiver(pre_save, sender=ReasonCode)
def remember_reason_code(instance: ReasonCode, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        # From here on no agent comes to show it: that is the writer's to do.
        log.lock()
        _SHOWN.remember(instance)


@receiver(post_save, sender=ReasonCode)
def publish_changed_reason_code(
    instance: ReasonCode, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    if not raw and not created and _SHOWN.have_changed(instance):
        _publish([instance.pk])


@receiver(many_saved, sender=ReasonCode)
def publish_changed_reason_codes(saved: Sequence[Saved], **kwargs: Any) -> None:
    changed = [one.code.pk for one in saved if _shows_otherwise(one)]
    if changed:
        _publish(changed)


def _shows_otherwise(saved: Saved) -> bool:
    return saved.before is not None and any(
        getattr(saved.before, name) != getattr(saved.code, name) for name in _SHOWN_NAMES
    )


def _publish(pks: Sequence[int]) -> None:
    publish_changed_media(Media.objects.filter(reason_code__in=pks))
    publish_changed_users(User.objects.filter(desktop__reason_code__in=pks))
