"""Middlewares that an operator adds: the API has a list of its own."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

ONLY_FOR_PAGES = frozenset(
    {
        "django.middleware.security.SecurityMiddleware",
        "finesse.server.content_policy.ContentSecurityPolicyMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "finesse.users.time_zones.TimeZoneMiddleware",
        "finesse.users.sessions.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "reasoncodes.middleware.ChangeOfTheAdministration",
    }
)
"""MIDDLEWARE as it is shipped: the API does without these."""


@register(Tags.compatibility)
def check_api_middleware(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of added middlewares that requests of the API do not pass."""
    known = ONLY_FOR_PAGES.union(settings.FINESSE_API_MIDDLEWARE)
    missing = [name for name in settings.MIDDLEWARE if name not in known]
    if not missing:
        return []
    return [
        Warning(
            f"Requests to /finesse/api/ do not pass {', '.join(missing)}: the API has the "
            "middlewares of FINESSE_API_MIDDLEWARE, not those of MIDDLEWARE.",
            hint="Add to FINESSE_API_MIDDLEWARE those that the API needs, too; only their __call__ "
            "runs there. If it needs none, put finesse.W003 into SILENCED_SYSTEM_CHECKS.",
            id="finesse.W003",
        )
    ]
