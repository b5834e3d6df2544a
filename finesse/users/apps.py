from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "finesse.users"
    label = "users"
    verbose_name = "Users and teams"

    def ready(self) -> None:
        # Their receivers.
        import finesse.users.sessions
        import finesse.users.team_history  # noqa: F401
