"""When users are signed out: the client's absence and the desktop's sign-out."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SIGNOUT_CHANNELS = ("1", "2", "a")
"""[Cisco Finesse CLI (administration guide)], user_signout_channel."""
SHORTEST_PRESENCE_SECONDS = 10
"""The shortest setting at which a delayed sweep signs nobody out."""


@register(Tags.compatibility)
def check_presence(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    seconds = settings.FINESSE_PRESENCE_SECONDS
    if not seconds or seconds >= SHORTEST_PRESENCE_SECONDS:
        return []
    return [
        Warning(
            f"FINESSE_PRESENCE_SECONDS is {seconds}: a client that "
            "reconnects after an error, or a sweep that is late, may count as gone.",
            hint=f"Give it {SHORTEST_PRESENCE_SECONDS} seconds or more, or 0 to sign nobody out.",
            id="finesse.W002",
        )
    ]


@register(Tags.compatibility)
def check_signout_channel(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.FINESSE_USER_SIGNOUT_CHANNEL in SIGNOUT_CHANNELS:
        return []
    return [
        Error(
            f"FINESSE_USER_SIGNOUT_CHANNEL is {settings.FINESSE_USER_SIGNOUT_CHANNEL!r}.",
            hint=f"It is one of {', '.join(SIGNOUT_CHANNELS)}.",
            id="finesse.E002",
        )
    ]
