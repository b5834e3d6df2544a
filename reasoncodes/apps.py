from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReasonCodesConfig(AppConfig):
    name = "reasoncodes"
    verbose_name = "Reason codes"

    def ready(self) -> None:
        from reasoncodes import history  # noqa: F401 (its receivers)

        post_migrate.connect(create_system_codes, sender=self)


def create_system_codes(using: str, **kwargs: Any) -> None:
    """The system's reason codes are part of every installation [ReasonCode]."""
    from reasoncodes.system_codes import create_missing

    create_missing(using)
