"""Reason codes are changed: Media and users that are NOT_READY for that reason show it, and so do
the lists that agents choose from."""

from collections.abc import Collection
from typing import Any

from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.notifications.nodes import REASON_CODES, TEAM_REASON_CODES
from finesse.users.models import Team, User
from media.changes.memberships import publish_changed_media
from media.changes.publishing import ShownFields
from media.changes.users import publish_changed_users
from media.documents.updates import of_reason_code
from media.models import Media
from reasoncodes.models import ReasonCode

EMBEDDED = {"category", "code", "label", "for_all", "system_code"}
"""What a Media and a User show of their reason code."""
MEANING = {
    "description",
    "translations",
    "colour",
    "place",
    "productive",
    "maximum_minutes",
    "warning_minutes",
}
_SHOWN = ShownFields(ReasonCode, *sorted(EMBEDDED | MEANING))


@receiver(pre_save, sender=ReasonCode)
def remember_reason_code(instance: ReasonCode, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        # From here on no agent comes to show it: that is the writer's to do.
        log.lock()
        _SHOWN.remember(instance)
        instance.__dict__["_lists_before"] = lists_of(_stored(instance))


@receiver(post_save, sender=ReasonCode)
def publish_changed_reason_code(instance: ReasonCode, raw: bool = False, **kwargs: Any) -> None:
    if raw:
        return
    changed = _SHOWN.changed(instance)
    if changed & EMBEDDED:
        publish_changed_media(Media.objects.filter(reason_code=instance.pk))
        publish_changed_users(User.objects.filter(desktop__reason_code=instance.pk))
    # The object at hand may be older, or may be saved in part.
    stored = ReasonCode.objects.get(pk=instance.pk)
    before, now = instance.__dict__.pop("_lists_before"), lists_of(stored)
    _publish(stored, before - now, Event.DELETE)
    _publish(stored, now - before, Event.POST)
    if changed:
        _publish(stored, now & before, Event.PUT)


@receiver(pre_delete, sender=ReasonCode)
def remember_lists(instance: ReasonCode, **kwargs: Any) -> None:
    log.lock()
    stored = _stored(instance)
    instance.__dict__["_removed"] = stored, lists_of(stored)


@receiver(post_delete, sender=ReasonCode)
def publish_removed_reason_code(instance: ReasonCode, **kwargs: Any) -> None:
    stored, lists = instance.__dict__.pop("_removed")
    _publish(stored, lists, Event.DELETE)


@receiver(m2m_changed, sender=ReasonCode.teams.through)
def publish_changed_teams(
    instance: ReasonCode | Team,
    action: str,
    reverse: bool,
    pk_set: Collection[int] | None,
    **kwargs: Any,
) -> None:
    """`instance` is the reason code, and `pk_set` the teams; in `reverse` it is the team."""
    if action == "pre_clear":
        instance.__dict__["_cleared"] = list(_others(instance).values_list("pk", flat=True))
    elif action.startswith("post_"):
        event = Event.POST if action == "post_add" else Event.DELETE
        others = instance.__dict__.pop("_cleared") if action == "post_clear" else pk_set or ()
        pairs = _pairs(instance, others)
        for reason_code, team in pairs:
            _publish(reason_code, {TEAM_REASON_CODES.format(id=team)}, event)


def _others(instance: ReasonCode | Team) -> Any:
    return instance.teams if isinstance(instance, ReasonCode) else instance.reason_codes


def _pairs(instance: ReasonCode | Team, others: Collection[int]) -> "list[tuple[ReasonCode, int]]":
    """The codes and teams that were joined or parted, where that changes a list."""
    own = ReasonCode.objects.configured().filter(for_all=False)
    if isinstance(instance, ReasonCode):
        return [(one, team) for one in own.filter(pk=instance.pk) for team in others]
    return [(one, instance.pk) for one in own.filter(pk__in=others).order_by("pk")]


def _stored(instance: ReasonCode) -> ReasonCode | None:
    return ReasonCode.objects.filter(pk=instance.pk).first() if instance.pk else None


def lists_of(stored: ReasonCode | None) -> set[str]:
    """The nodes of the lists that the reason code stands in."""
    if stored is None or stored.retired or stored.system_code:
        return set()
    if stored.for_all:
        return {REASON_CODES}
    return {TEAM_REASON_CODES.format(id=pk) for pk in stored.teams.values_list("pk", flat=True)}


def _publish(reason_code: ReasonCode | None, nodes: set[str], event: Event) -> None:
    if reason_code and nodes:
        log.append(log.lock(), of_reason_code(reason_code, nodes, event))
