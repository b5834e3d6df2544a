from django.apps import AppConfig


class BoardConfig(AppConfig):
    name = "media.board"
    label = "board"
