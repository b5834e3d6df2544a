"""The Celery application: tasks apply requests, send notifications, stamp the heartbeat."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_ready

from finesse import readiness

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finesse.settings")

app = Celery("finesse", amqp="finesse.broker:AMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
# By itself Celery closes the database connection around every task; connecting costs more than most
# tasks do.
app.conf.CELERY_DB_REUSE_MAX = 1000
app.autodiscover_tasks()


@worker_ready.connect
@beat_init.connect
def _announce(**kwargs: Any) -> None:
    readiness.announce()
