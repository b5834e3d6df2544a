"""Paths of the sockets."""

from django.urls import path

from finesse.notifications.consumers import NotificationsConsumer

websocket_urlpatterns = [path("ws/notifications/", NotificationsConsumer.as_asgi())]
