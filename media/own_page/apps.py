from django.apps import AppConfig


class OwnPageConfig(AppConfig):
    name = "media.own_page"
    label = "own_page"
