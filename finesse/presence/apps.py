from django.apps import AppConfig


class PresenceConfig(AppConfig):
    name = "finesse.presence"
    # Its table was made under this name.
    label = "service"
