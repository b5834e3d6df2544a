"""What one would otherwise write: Django REST framework, the ORM, a Celery task for each request,
and `group_send`. Straight from the tutorials of these projects; it promises nothing of what the
service promises (a request is a message to the broker, and a notification is sent once)."""

from benchmarks.plain.celery import app as celery_app

__all__ = ["celery_app"]
