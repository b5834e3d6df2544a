from django.apps import AppConfig


class ReasonCodesConfig(AppConfig):
    name = "reasoncodes"
    verbose_name = "Reason codes"
