from django.apps import AppConfig


class SupervisionConfig(AppConfig):
    name = "media.supervision"
    label = "supervision"
