from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "finesse.users"
    label = "users"
    verbose_name = "Users and teams"
