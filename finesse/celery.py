"""The Celery application: tasks apply requests, send notifications, stamp the heartbeat."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

app = Celery("finesse", amqp="finesse.broker:AMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By itself Celery closes the database connection around every task; connecting costs more than most
# tasks do.
app.conf.CELERY_DB_REUSE_MAX = 1000
app.autodiscover_tasks()
