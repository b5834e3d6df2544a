"""The demo on anything but the embedded default.

Its passwords are public, so it must meet nothing that others use: no other database, cache, broker
or XMPP server. Django runs system checks for management commands only. `refuse_demo` is called in
every process as soon as the apps are loaded, before any of them can ask the database: by uvicorn,
WSGI servers, workers and beat as well.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from finesse.loopback import is_loopback_host

EMBEDDED_CACHES = ("django.core.cache.backends.locmem.", "django.core.cache.backends.dummy.")
EMBEDDED_CHANNEL_LAYER = "channels.layers.InMemoryChannelLayer"


@register(Tags.compatibility)
def check_demo_is_embedded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    variables = _in_the_way() if settings.FINESSE_DEMO else []
    if not variables:
        return []
    unset = " ".join(f"-u {name}" for name in variables)
    return [
        Error(
            "The demo's passwords are public, so it runs on nothing but files and memory of its "
            f"own, and {' and '.join(variables)} would take it elsewhere. Nothing was touched.",
            hint=(
                "For your own service, with its own users: `make run DEMO=0` (FINESSE_DEMO not "
                "set; docs/operations.md). For the demo, without these variables: "
                f"`env {unset} make run`."
            ),
            id="finesse.E004",
        )
    ]


def refuse_demo() -> None:
    """Raises ImproperlyConfigured where the demo would meet what others use."""
    for error in check_demo_is_embedded(None):
        raise ImproperlyConfigured(f"{error.msg}\n{error.hint} ({error.id})")


def _in_the_way() -> list[str]:
    """The variables that have to be unset, by what the settings have become."""
    found = {
        "DATABASE_URL": not all(map(_is_demo_file, settings.DATABASES.values())),
        "REDIS_URL": bool(settings.REDIS_URL) or not _is_cached_in_memory(),
        "CELERY_BROKER_URL": not settings.CELERY_BROKER_URL.startswith("memory:"),
        # With it, an XMPP server that others use could ask the demo for their passwords.
        "FINESSE_XMPP_SECRET": bool(settings.FINESSE_XMPP_SECRET),
        "FINESSE_XMPP_COMPONENT": not _is_here(f"//{settings.FINESSE_XMPP_COMPONENT}"),
        "FINESSE_XMPP_BOSH_URL": bool(settings.FINESSE_XMPP_BOSH_URL)
        and not _is_here(settings.FINESSE_XMPP_BOSH_URL),
    }
    return [name for name, is_in_the_way in found.items() if is_in_the_way]


def _is_demo_file(database: dict[str, Any]) -> bool:
    expected = Path(settings.FINESSE_DATA_DIR) / settings.FINESSE_DEMO_DATABASE
    return (
        database["ENGINE"].endswith(".sqlite3")
        and Path(database["NAME"]).resolve() == expected.resolve()
    )


def _is_cached_in_memory() -> bool:
    return all(
        cache["BACKEND"].startswith(EMBEDDED_CACHES) for cache in settings.CACHES.values()
    ) and all(
        layer["BACKEND"] == EMBEDDED_CHANNEL_LAYER for layer in settings.CHANNEL_LAYERS.values()
    )


def _is_here(url: str) -> bool:
    return is_loopback_host(urlsplit(url).hostname or "")
