from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "finesse.commands"

    def ready(self) -> None:
        from finesse import checks  # noqa: F401  (registers the system checks)
