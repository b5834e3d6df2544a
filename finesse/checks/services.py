"""System checks: what can be set wrong, told at start with what to do about it."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SIGNOUT_CHANNELS = ("1", "2", "a")
"""[Cisco Finesse CLI (administration guide)], user_signout_channel."""
SHORTEST_PRESENCE = 10
"""Seconds of which the sweep may pause for half without anybody being taken for gone."""


@register(Tags.compatibility)
def check_services_match(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Parts that live in several processes must not meet in one process's memory."""
    found: list[CheckMessage] = []
    broker_is_embedded = settings.CELERY_BROKER_URL.startswith("memory:")
    if bool(settings.REDIS_URL) == broker_is_embedded:
        found.append(
            Error(
                "REDIS_URL and CELERY_BROKER_URL must be set together: a worker in another "
                "process cannot reach this process's cache, nor its sockets.",
                hint="Set both, or neither for the embedded default of `make run`.",
                id="finesse.E001",
            )
        )
    if settings.FINESSE_HEARTBEAT_SECONDS < 2:
        found.append(
            Warning(
                "FINESSE_HEARTBEAT_SECONDS is less than two beats of the sweep: the service "
                "will be out of service now and then.",
                hint="Give it 5 seconds or more.",
                id="finesse.W001",
            )
        )
    if settings.FINESSE_PRESENCE_SECONDS and settings.FINESSE_PRESENCE_SECONDS < SHORTEST_PRESENCE:
        found.append(
            Warning(
                f"FINESSE_PRESENCE_SECONDS is {settings.FINESSE_PRESENCE_SECONDS}: a client that "
                "reconnects after an error, or a sweep that is late, may count as gone.",
                hint=f"Give it {SHORTEST_PRESENCE} seconds or more, or 0 to sign nobody out.",
                id="finesse.W002",
            )
        )
    if settings.FINESSE_USER_SIGNOUT_CHANNEL not in SIGNOUT_CHANNELS:
        found.append(
            Error(
                f"FINESSE_USER_SIGNOUT_CHANNEL is {settings.FINESSE_USER_SIGNOUT_CHANNEL!r}.",
                hint=f"It is one of {', '.join(SIGNOUT_CHANNELS)}.",
                id="finesse.E002",
            )
        )
    if bool(settings.FINESSE_TLS_CERTIFICATE) != bool(settings.FINESSE_TLS_KEY):
        found.append(
            Error(
                "One of FINESSE_TLS_CERTIFICATE and FINESSE_TLS_KEY is set, the other is not.",
                hint="Set both, or neither to let `run --tls` make a certificate.",
                id="finesse.E003",
            )
        )
    return found
