from django.apps import AppConfig


class ServiceConfig(AppConfig):
    name = "finesse.service"
    label = "service"

    def ready(self) -> None:
        from finesse.service import checks  # noqa: F401  (registers the system checks)
