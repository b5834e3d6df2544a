"""The usual way to write it: Django REST framework, the ORM, a Celery task for each request, and
`group_send`, as in the tutorials of these projects. It has none of the service's guarantees: a
request is a message to the broker, and a notification is sent once."""

from benchmarks.plain.celery import app as celery_app

__all__ = ["celery_app"]
