from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "finesse.users"
    label = "users"
    verbose_name = "Users and teams"

    def ready(self) -> None:
        from finesse.users import signals  # noqa: F401  (connects the receivers)
