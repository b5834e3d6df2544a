"""Users and teams decide who may see what: whoever changes them makes the sockets ask anew."""

from typing import Any

from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver

from finesse.notifications.log import count_access_change
from finesse.notifications.publisher import announce
from finesse.users.models import Team, User


@receiver([post_save, post_delete], sender=User)
@receiver([post_save, post_delete], sender=Team)
@receiver(m2m_changed, sender=Team.supervisors.through)
def on_access_changed(
    sender: Any, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    # Every sign-in saves this one field, and changes nothing.
    if update_fields != frozenset({"last_login"}):
        count_access_change()
        transaction.on_commit(announce)
