from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MediaConfig(AppConfig):
    name = "media"
    verbose_name = "Media"

    def ready(self) -> None:
        # Their receivers are connected.
        from finesse import traces
        from finesse.metrics import exposition
        from media.changes import (  # noqa: F401
            break_rules,
            many_reason_codes,
            memberships,
            reason_codes,
            teams,
            users,
        )
        from media.metrics import ServiceCollector
        from media.traced_requests import of_positions

        traces.look_up = of_positions
        exposition.register(ServiceCollector())
        post_migrate.connect(create_voice_mrd, sender=self)


def create_voice_mrd(using: str, **kwargs: Any) -> None:
    """The voice MRD is part of every installation [Media Routing Domain API]."""
    from media.models import VOICE_MRD, MediaRoutingDomain

    MediaRoutingDomain.objects.using(using).get_or_create(
        pk=VOICE_MRD, defaults={"name": "Voice", "description": "Voice calls"}
    )
