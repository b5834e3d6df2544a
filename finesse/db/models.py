"""What models of several apps inherit."""

from typing import Any

from django.db import models, transaction


class SavedWhole(models.Model):
    """Saved in one transaction with what its signals write: the lock that they take before, and
    the notification or the count that they write after. Django's own save covers neither."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            super().save(*args, **kwargs)
