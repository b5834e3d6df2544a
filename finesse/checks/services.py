"""Services that fit together: Redis, the broker, the heartbeat."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_HEARTBEAT_SECONDS = 1.0
"""Two beats of the sweep."""


@register(Tags.compatibility)
def check_redis_and_broker(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Parts that live in several processes must not meet in one process's memory."""
    broker_is_embedded = settings.CELERY_BROKER_URL.startswith("memory:")
    if bool(settings.REDIS_URL) != broker_is_embedded:
        return []
    return [
        Error(
            "REDIS_URL and CELERY_BROKER_URL must be set together: a worker in another "
            "process cannot reach this process's cache, nor its sockets.",
            hint="Set both, or neither for the embedded default of `make run`.",
            id="finesse.E001",
        )
    ]


@register(Tags.compatibility)
def check_heartbeat(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.FINESSE_HEARTBEAT_SECONDS >= SHORTEST_HEARTBEAT_SECONDS:
        return []
    return [
        Warning(
            "FINESSE_HEARTBEAT_SECONDS is less than two beats of the sweep: the service "
            "will be out of service now and then.",
            hint="Give it 1.5 seconds, its default, or more.",
            id="finesse.W001",
        )
    ]
