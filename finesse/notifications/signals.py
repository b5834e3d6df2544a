"""Users, teams and browser sessions decide who may see what: when they change, access is looked up
anew for every socket."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Subscription
from finesse.users.models import Team, User

SIGN_IN = frozenset({"last_login"})
"""The fields that every sign-in saves: they change nobody's access."""


@receiver([pre_save, pre_delete], sender=User)
@receiver([pre_save, pre_delete], sender=Team)
def take_the_writers_lock(
    sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    # Always before the rows of users and teams: two transactions that took them in different
    # orders could wait for each other.
    if update_fields != SIGN_IN:
        log.lock()


@receiver(user_logged_out)
@receiver([post_save, post_delete], sender=User)
@receiver([post_save, post_delete], sender=Team)
@receiver(m2m_changed, sender=Team.supervisors.through)
def count_access_change(
    sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    if update_fields != SIGN_IN:
        log.count_access_change()


@receiver(post_delete, sender=User)
def delete_subscriptions(instance: User, **kwargs: Any) -> None:
    # They name the user by text: the next user with this login id starts without any.
    Subscription.objects.filter(login_id=instance.pk).delete()
