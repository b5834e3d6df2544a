from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "finesse.commands"

    def ready(self) -> None:
        from finesse import checks  # Registers the system checks.

        checks.demo.refuse_demo()
