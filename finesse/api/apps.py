from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "finesse.api"
    label = "finesse_api"
    verbose_name = "Finesse API"
