from django.apps import AppConfig


class XMPPConfig(AppConfig):
    name = "finesse.xmpp"
    label = "xmpp"
    verbose_name = "XMPP"
