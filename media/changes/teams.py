"""Teams are renamed and deleted, and get other supervisors: GET shows their users otherwise then.

A user shows its team's name, and a supervisor the teams that it supervises.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Event
from finesse.users.models import Team, User
from media.changes.publishing import ShownFields, pages
from media.changes.users import publish_changed_users
from media.documents.updates import of_moved_member, of_user
from media.documents.user import represent_user, with_desktops
from media.writing.writer import serve_queues

_SHOWN = ShownFields(Team, "name")


@receiver(pre_save, sender=Team)
def remember_team(instance: Team, raw: bool = False, **kwargs: Any) -> None:
    if not raw:
        _SHOWN.remember(instance)


@receiver(post_save, sender=Team)
def publish_renamed_team(instance: Team, created: bool, raw: bool = False, **kwargs: Any) -> None:
    if not raw and not created and _SHOWN.have_changed(instance):
        concerned = Q(team=instance.pk) | Q(supervised_teams=instance.pk)
        publish_changed_users(User.objects.filter(concerned).distinct())


@receiver(pre_delete, sender=Team)
def remember_users_of_team(instance: Team, **kwargs: Any) -> None:
    # Found only as long as the team is there; shown without it only when it has gone.
    instance.__dict__["_members"] = _login_ids(instance.members)
    instance.__dict__["_supervisors"] = _login_ids(instance.supervisors)


@receiver(post_delete, sender=Team)
def publish_removed_team(instance: Team, **kwargs: Any) -> None:
    members, supervisors = instance.__dict__["_members"], instance.__dict__["_supervisors"]
    for page in pages(with_desktops(User.objects.filter(pk__in=members))):
        entries: list[log.Entry] = []
        for user in page:
            whole = represent_user(user)
            entries.append(of_user(user.pk, whole, Event.PUT))
            entries.extend(of_moved_member(whole, instance.pk, None))
        log.append(log.lock(), entries)
    publish_changed_users(User.objects.filter(pk__in={*supervisors} - {*members}))
    serve_queues()


@receiver(m2m_changed, sender=Team.supervisors.through)
def publish_changed_supervisors(
    instance: Team | User,
    action: str,
    reverse: bool,
    pk_set: Collection[str] | None,
    **kwargs: Any,
) -> None:
    """`instance` is the team, and `pk_set` the supervisors; in `reverse` it is the supervisor."""
    if isinstance(instance, User):
        concerned: Collection[str] = [instance.pk]
    elif action == "pre_clear":
        instance.__dict__["_supervisors"] = _login_ids(instance.supervisors)
        return
    elif action == "post_clear":
        concerned = instance.__dict__["_supervisors"]
    else:
        concerned = pk_set or ()
    if action.startswith("post_"):
        publish_changed_users(User.objects.filter(pk__in=concerned))


def _login_ids(users: Any) -> list[str]:
    return list(users.values_list("pk", flat=True))
