"""The Celery application: it applies requests, publishes notifications and beats the heart."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

app = Celery("finesse")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery closes the database connection around every task unless it is told how often; connecting
# costs more than most tasks do.
app.conf.CELERY_DB_REUSE_MAX = 1000
app.autodiscover_tasks()
