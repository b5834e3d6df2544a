from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "finesse.users"
    label = "users"
    verbose_name = "Users and teams"

    def ready(self) -> None:
        # Its receivers.
        import finesse.users.sessions  # noqa: F401
