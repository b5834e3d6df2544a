from django.apps import AppConfig


class DocsConfig(AppConfig):
    name = "finesse.docs"
    label = "docs"
    verbose_name = "Description of the API"
