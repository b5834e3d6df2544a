from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NotificationsConfig(AppConfig):
    name = "finesse.notifications"
    label = "notifications"

    def ready(self) -> None:
        from finesse.notifications import signals  # noqa: F401  (connects the receivers)

        post_migrate.connect(create_log_head, sender=self)


def create_log_head(using: str, **kwargs: Any) -> None:
    """The one row that the writer locks must be there before the first request."""
    from finesse.notifications.models import LogHead

    LogHead.objects.using(using).get_or_create(pk=1)
