"""The operator's certificate."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.compatibility)
def check_certificate_and_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if bool(settings.FINESSE_TLS_CERTIFICATE) == bool(settings.FINESSE_TLS_KEY):
        return []
    return [
        Error(
            "One of FINESSE_TLS_CERTIFICATE and FINESSE_TLS_KEY is set, the other is not.",
            hint="Set both, or neither to let `run --tls` make a certificate.",
            id="finesse.E003",
        )
    ]
