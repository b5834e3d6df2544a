from django.apps import AppConfig


class FilesConfig(AppConfig):
    """For its templates' styles and scripts."""

    name = "finesse.files"
    label = "files"
