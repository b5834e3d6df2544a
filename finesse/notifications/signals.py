"""Users, teams and sessions decide who may see what: a change makes the sockets ask anew."""

from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.dispatch import receiver

from finesse.notifications import log
from finesse.notifications.models import Subscription
from finesse.notifications.publisher import announce
from finesse.users.models import Team, User

SIGN_IN = frozenset({"last_login"})
"""What every sign-in saves; nobody's access changes with it."""


@receiver([pre_save, pre_delete], sender=User)
@receiver([pre_save, pre_delete], sender=Team)
def take_the_writers_lock(
    sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    # Always before the rows of users and teams: whoever took them in the other order could wait
    # for one who waits for him.
    if update_fields != SIGN_IN:
        log.lock()


@receiver(user_logged_out)
@receiver([post_save, post_delete], sender=User)
@receiver([post_save, post_delete], sender=Team)
@receiver(m2m_changed, sender=Team.supervisors.through)
def on_access_changed(
    sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    if update_fields != SIGN_IN:
        with transaction.atomic():
            log.count_access_change()
            transaction.on_commit(announce)


@receiver(post_delete, sender=User)
def forget_subscriptions(instance: User, **kwargs: Any) -> None:
    # By name: whoever gets the login id later starts with none.
    Subscription.objects.filter(login_id=instance.pk).delete()
