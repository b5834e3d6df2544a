from django.apps import AppConfig
from django.conf import settings

from finesse import traces


class APIConfig(AppConfig):
    name = "finesse.api"
    label = "finesse_api"
    verbose_name = "Finesse API"

    def ready(self) -> None:
        if settings.FINESSE_TRACES:
            traces.start(settings.FINESSE_TRACES)
